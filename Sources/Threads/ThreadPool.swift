import CPlatform
import Platform
import Synchronization

/// Threads that wait, spinning for some tens of microseconds and then asleep, to share out one piece of work after
/// another.
///
/// A piece of work is some number of parts, many more than threads where that can be. Each thread, the caller among them,
/// takes the next part that nobody has begun, so a thread that the system does not let run holds nothing up. Who does
/// which part makes no difference to any result: every part computes whole output elements.
///
/// Sendable, unchecked: what threads share is atomic, or guarded by `mutex`, or handed over by `ticket`.
public final class ThreadPool: @unchecked Sendable {
  /// How many threads do the work, the caller among them.
  public let threads: Int

  /// The number of the piece of work, counted from 1, in the upper 32 bits; below them how many of its parts are not
  /// begun. Both in one word: nobody can take a part of a piece that is over.
  private let ticket = Atomic<UInt64>(0)
  private let finished = Atomic<Int>(0)  // parts of the current piece
  private let sleepers = Atomic<Int>(0)
  private let serving = Atomic<Int>(0)  // threads beside the caller's, which are numbered from 1
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// The current piece. Set before `ticket` announces it, and read only by who has taken a part: `run` waits for those.
  private var work: ((_ part: Int, _ thread: Int) -> Void)?
  private var parts = 0
  /// What the caller has done alone so far, before there were threads: see `firstWork`.
  private var operationsAlone = 0
  private var workers = 0

  /// Threads are started once there is enough work for them, and never joined: from then on the pool lives as long as the
  /// process.
  ///
  /// - Parameter threads: how many are wanted; there are no more than the processors at hand.
  public init(threads wanted: Int) {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
    threads = max(Self.possibleThreads(wanted), 1)
  }

  /// Comes about only where there were no threads: each of them keeps the pool.
  deinit {
    pthread_cond_destroy(wake)
    pthread_mutex_destroy(mutex)
    wake.deallocate()
    mutex.deallocate()
  }

  /// As many threads as are wanted, but no more than there are processors.
  public static func possibleThreads(_ wanted: Int) -> Int { min(wanted, Int(lmpipe_available_processors())) }

  /// Calls `body` once for each part, at the same time where there are threads for it, and returns when all are done.
  ///
  /// - Parameter operations: how many multiplications and additions it takes in all, roughly. Work that takes less time
  ///   than handing it over is done by the caller alone.
  public func run(_ parts: Int, operations: Int, _ body: (Int) -> Void) {
    run(parts, operations: operations) { part, _ in body(part) }
  }

  /// The same for a body that is also told which of the `threads` it runs on.
  public func run(_ parts: Int, operations: Int, _ body: (_ part: Int, _ thread: Int) -> Void) {
    guard threads > 1, parts > 1, operations >= Self.smallWork, isWorthThreads(operations) else {
      for part in 0..<parts { body(part, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      work = body
      self.parts = parts
      finished.store(0, ordering: .relaxed)
      let piece = (ticket.load(ordering: .relaxed) >> 32 &+ 1) & 0xFFFF_FFFF
      ticket.store(piece << 32 | UInt64(UInt32(parts)), ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
      }
      takeParts(of: piece, thread: 0)
      var wait = SpinWait()
      while finished.load(ordering: .acquiring) < parts { wait.again() }
      work = nil
    }
  }

  /// Calls `body` with ranges that together are `0..<count`, each of `unit` things, the last of what is left.
  public func run(_ count: Int, unit: Int, operations: Int, _ body: (Range<Int>) -> Void) {
    run((count + unit - 1) / unit, operations: operations) { part in
      body(part * unit..<min((part + 1) * unit, count))
    }
  }

  private static let smallWork = 1 << 18  // about 10 µs
  /// A process that does no more than this in all (the one step of a loop, with a small model) is done before threads
  /// would have started; and so is a job of this size.
  private static let firstWork = 1 << 22  // about 200 µs

  /// Tells of work that is likely to come: if it is worth threads, they are started, and ready when it comes.
  public func expect(operations: Int) {
    if operations > Self.firstWork { while startWorker() {} }
  }

  /// Whether there are threads to share this piece of work with; it may be the one for which they are started.
  private func isWorthThreads(_ operations: Int) -> Bool {
    if operationsAlone <= Self.firstWork {
      operationsAlone += min(operations, Self.firstWork + 1)
      if operationsAlone > Self.firstWork { while startWorker() {} }
    }
    return workers > 0
  }

  /// Starts one more thread, if there is to be one and its first job is worth it: it does that before it joins in the work
  /// of all.
  ///
  /// - Returns: whether it was started. The system may give no more threads; then there are fewer.
  func startWorker(operations: Int = .max, beginningWith job: @escaping @Sendable () -> Void = {}) -> Bool {
    guard workers + 1 < threads, operations > Self.firstWork else { return false }
    let isStarted = startThread {
      job()
      self.serve()
    }
    if isStarted { workers += 1 }
    return isStarted
  }

  /// Does parts of a piece as long as there are some that nobody has begun.
  private func takeParts(of piece: UInt64, thread: Int) {
    while true {
      let current = ticket.load(ordering: .acquiring)
      let left = Int(current & 0xFFFF_FFFF)
      guard current >> 32 == piece, left > 0 else { return }
      guard
        ticket.weakCompareExchange(expected: current, desired: current - 1, ordering: .acquiringAndReleasing).exchanged
      else { continue }
      work?(parts - left, thread)
      finished.add(1, ordering: .releasing)
    }
  }

  /// A worker's life: it has no end, and the thread goes with the process.
  private func serve() {
    let thread = serving.add(1, ordering: .relaxed).newValue
    var seen: UInt64 = 0
    while true {
      var wait = SpinWait()
      while ticket.load(ordering: .acquiring) >> 32 == seen { wait.again { sleep(until: seen) } }
      seen = ticket.load(ordering: .acquiring) >> 32
      takeParts(of: seen, thread: thread)
    }
  }

  /// Sleeps until there is another piece than `seen`. `run` looks at `sleepers` after it has announced one, and this
  /// looks at `ticket` after it has counted itself among the sleepers, so one of the two sees the other.
  private func sleep(until seen: UInt64) {
    pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while ticket.load(ordering: .sequentiallyConsistent) >> 32 == seen { pthread_cond_wait(wake, mutex) }
    sleepers.subtract(1, ordering: .relaxed)
    pthread_mutex_unlock(mutex)
  }
}

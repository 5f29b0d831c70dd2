import CPlatform
import Platform
import Synchronization

/// Threads that wait, spinning for some tens of microseconds and then asleep, to share out one piece of work after
/// another.
///
/// The work is cut into `parts` as the caller asked for; no more threads run than the processors at hand. Each thread,
/// the caller among them, takes the next part that nobody has begun, so a worker that the system does not let run holds
/// nothing up. Who does which part makes no difference to any result: every part computes whole output elements.
///
/// Sendable, unchecked: what threads share is atomic, or guarded by `mutex`, or handed over by `ticket`.
public final class ThreadPool: @unchecked Sendable {
  /// Into how many parts `run` cuts its work.
  public let parts: Int
  private var workers = 0  // beside the calling thread; constant after init

  /// The piece of work in the upper 32 bits, counted from 1, and below them the next part of it that is not begun.
  private let ticket = Atomic<UInt64>(0)
  private let finished = Atomic<Int>(0)  // parts of the current piece
  private let sleepers = Atomic<Int>(0)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Set before `ticket` announces a piece, and read only by who has taken a part of it: `run` waits for those.
  private var work: ((Int) -> Void)?

  /// The pool lives as long as the process: its threads are never joined.
  public init(parts: Int) {
    self.parts = max(1, parts)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
    let wanted = min(self.parts, Int(lmpipe_available_processors())) - 1
    while workers < wanted, start() { workers += 1 }  // with fewer if the system gives no more
  }

  /// Calls `body` once for each part, at the same time where there are processors for it, and returns when all are done.
  ///
  /// - Parameter isSmall: the work takes less time than handing it over; the caller then does it alone.
  public func run(isSmall: Bool = false, _ body: (Int) -> Void) {
    guard workers > 0, !isSmall else {
      for part in 0..<parts { body(part) }
      return
    }
    withoutActuallyEscaping(body) { body in
      work = body
      finished.store(0, ordering: .relaxed)
      let piece = (ticket.load(ordering: .relaxed) >> 32 &+ 1) & 0xFFFF_FFFF
      ticket.store(piece << 32, ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
      }
      takeParts(of: piece)
      var spins = 0
      while finished.load(ordering: .acquiring) < parts {
        spins += 1
        if spins < Self.spinLimit { lmpipe_spin_hint() } else { sched_yield() }
      }
      work = nil
    }
  }

  /// Runs `body` over equal shares of `count` things, each share a range that begins at a multiple of `unit`.
  ///
  /// - Parameter operations: how many multiplications and additions it takes in all, roughly.
  public func share(_ count: Int, unit: Int = 1, operations: Int, _ body: (Range<Int>) -> Void) {
    let units = (count + unit - 1) / unit
    run(isSmall: operations < Self.smallWork) { part in
      let begin = min(count, units * part / parts * unit)
      let end = min(count, units * (part + 1) / parts * unit)
      if begin < end { body(begin..<end) }
    }
  }

  private static let spinLimit = 2_000  // about 50 µs: longer than the gaps inside a forward pass
  public static let smallWork = 1 << 18  // about 10 µs

  /// Does parts of a piece as long as there are some that nobody has begun.
  private func takeParts(of piece: UInt64) {
    while true {
      let next = ticket.load(ordering: .acquiring)
      let part = Int(next & 0xFFFF_FFFF)
      guard next >> 32 == piece, part < parts else { return }
      guard ticket.weakCompareExchange(expected: next, desired: next + 1, ordering: .acquiringAndReleasing).exchanged
      else { continue }
      work?(part)
      finished.add(1, ordering: .releasing)
    }
  }

  /// Starts a worker. False where the system gives no more threads.
  private func start() -> Bool {
    let pool = Unmanaged.passRetained(self)
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let code = pthread_create(
      &thread, nil,
      { (argument: UnsafeMutableRawPointer?) in
        guard let argument else { return nil }
        Unmanaged<ThreadPool>.fromOpaque(argument).takeRetainedValue().serve()
        return nil
      }, pool.toOpaque())
    if code != 0 { pool.release() }
    return code == 0
  }

  /// A worker's life: it has no end, and the thread goes with the process.
  private func serve() {
    var seen: UInt64 = 0
    while true {
      var spins = 0
      while ticket.load(ordering: .acquiring) >> 32 == seen {
        spins += 1
        if spins < Self.spinLimit { lmpipe_spin_hint() } else { sleep(until: seen) }
      }
      seen = ticket.load(ordering: .acquiring) >> 32
      takeParts(of: seen)
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

import CPlatform
import Platform
import Synchronization

/// A pool of threads that run one parallel loop after another. Idle threads spin for some tens of microseconds and then
/// sleep.
///
/// A job consists of parts, if possible many more parts than threads. Each thread, including the caller, takes the next
/// part that has not been started, so a thread that the system does not schedule delays only its current part. The
/// result does not depend on which thread runs which part: every part computes whole output elements.
///
/// # Cost
///
/// Callers state the cost of a job in multiply-adds of a float32 kernel: about 26 per nanosecond and thread, so 2^18
/// take about 10 µs. Other work is converted to multiply-adds by the time it takes. A matrix product costs rows × inner
/// size × columns; an element-wise kernel costs its number of elements times the number of multiply-adds that take as
/// long as one element: 4 for RMSNorm and RoPE, 8 for LayerNorm, 16 for SwiGLU with its exponential. An estimate within
/// a factor of two is good enough, since the cost only decides whether threads are started and used.
///
/// ```swift
/// pool.run(rows, unit: 16, cost: 4 * rows * columns) { range in normalize(range) }
/// ```
///
/// Unchecked `Sendable`: state shared between threads is atomic, guarded by `mutex`, or published through `ticket`.
public final class ThreadPool: @unchecked Sendable {
  /// The number of threads that run parts, including the caller.
  public let threads: Int

  /// The number of the current job, counted from 1, in the upper 32 bits; the number of its parts that have not been
  /// started in the lower 32. Both are in one word, so that no thread can take a part of a finished job.
  private let ticket = Atomic<UInt64>(0)
  private let finished = Atomic<Int>(0)  // parts of the current job
  private let sleepers = Atomic<Int>(0)
  private let serving = Atomic<Int>(0)  // workers, numbered from 1; the caller is thread 0
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// The body of the current job. Not atomic: `run` sets it and `parts` before `ticket` publishes the job, only threads
  /// that have taken a part read them, and `run` waits for all parts before it changes them again.
  private var work: ((_ part: Int, _ thread: Int) -> Void)?
  private var parts = 0
  /// The cost of the work that the caller has done alone, before there were threads; see `startThreshold`.
  private var costAlone = 0
  private var workers = 0

  /// Creates a pool of at most `wanted` threads, limited to the number of processors. Threads are started when there is
  /// enough work for them and are never joined: from then on the pool exists as long as the process.
  public init(threads wanted: Int) {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
    threads = max(Self.possibleThreads(wanted), 1)
  }

  /// Runs only if no worker was started: workers retain the pool.
  deinit {
    pthread_cond_destroy(wake)
    pthread_mutex_destroy(mutex)
    wake.deallocate()
    mutex.deallocate()
  }

  /// Returns the number of threads wanted, or the number of available processors if that is less.
  public static func possibleThreads(_ wanted: Int) -> Int { min(wanted, Int(lmpipe_available_processors())) }

  /// Calls `body` once for each part, in parallel if that is worth it, and returns after the last part has ended.
  ///
  /// - Parameter cost: the estimated cost of all parts together, in multiply-adds. The caller runs small jobs alone,
  ///   because handing them over would take longer.
  public func run(_ parts: Int, cost: Int, _ body: (Int) -> Void) {
    run(parts, cost: cost) { part, _ in body(part) }
  }

  /// Calls `body` once for each part, with the number of the thread that runs it, from 0 to `threads - 1`. No two parts
  /// run at the same time with the same number.
  public func run(_ parts: Int, cost: Int, _ body: (_ part: Int, _ thread: Int) -> Void) {
    guard threads > 1, parts > 1, cost >= Self.smallCost, isWorthThreads(cost) else {
      for part in 0..<parts { body(part, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      work = body
      self.parts = parts
      finished.store(0, ordering: .relaxed)
      let job = (ticket.load(ordering: .relaxed) >> 32 &+ 1) & 0xFFFF_FFFF
      ticket.store(job << 32 | UInt64(UInt32(parts)), ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
      }
      takeParts(of: job, thread: 0)
      var wait = SpinWait()
      while finished.load(ordering: .acquiring) < parts { wait.again() }
      work = nil
    }
  }

  /// Calls `body` with ranges of `unit` indices that together cover `0..<count`; the last range may be shorter.
  ///
  /// - Parameter cost: the estimated cost of the whole range, in multiply-adds.
  public func run(_ count: Int, unit: Int, cost: Int, _ body: (Range<Int>) -> Void) {
    run((count + unit - 1) / unit, cost: cost) { part in
      body(part * unit..<min((part + 1) * unit, count))
    }
  }

  private static let smallCost = 1 << 18  // about 10 µs
  /// Threads are started when the pool has run more than this, or by a single job of this cost. A process with less
  /// work in total (one step of a loop with a small model) ends before threads would have started.
  private static let startThreshold = 1 << 22  // about 200 µs

  /// Announces future work. If its cost justifies threads, they are started now, so that they are ready when the work
  /// is submitted.
  public func expect(cost: Int) {
    if cost > Self.startThreshold { while startWorker() {} }
  }

  /// Returns whether there are workers to run this job with. Starts them if this job passes the threshold.
  private func isWorthThreads(_ cost: Int) -> Bool {
    if costAlone <= Self.startThreshold {
      costAlone += min(cost, Self.startThreshold + 1)
      if costAlone > Self.startThreshold { while startWorker() {} }
    }
    return workers > 0
  }

  /// Starts one more worker if the pool is not complete and its first job is large enough. The worker runs `job` before
  /// it takes part in the pool's loops.
  ///
  /// - Returns: whether a worker was started. If the system cannot start more threads, the pool has fewer threads.
  func startWorker(cost: Int = .max, beginningWith job: @escaping @Sendable () -> Void = {}) -> Bool {
    guard workers + 1 < threads, cost > Self.startThreshold else { return false }
    let isStarted = startThread {
      job()
      self.serve()
    }
    if isStarted { workers += 1 }
    return isStarted
  }

  /// Runs parts of the job until all of them have been started.
  private func takeParts(of job: UInt64, thread: Int) {
    while true {
      let current = ticket.load(ordering: .acquiring)
      let left = Int(current & 0xFFFF_FFFF)
      guard current >> 32 == job, left > 0 else { return }
      guard
        ticket.weakCompareExchange(expected: current, desired: current - 1, ordering: .acquiringAndReleasing).exchanged
      else { continue }
      work?(parts - left, thread)
      finished.add(1, ordering: .releasing)
    }
  }

  /// Worker loop; never returns. The thread ends with the process.
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

  /// Sleeps until there is a job other than `seen`. `run` reads `sleepers` after it has published a job, and this
  /// function reads `ticket` after it has incremented `sleepers`, so at least one of the two functions reads the
  /// other's change.
  private func sleep(until seen: UInt64) {
    pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while ticket.load(ordering: .sequentiallyConsistent) >> 32 == seen { pthread_cond_wait(wake, mutex) }
    sleepers.subtract(1, ordering: .relaxed)
    pthread_mutex_unlock(mutex)
  }
}

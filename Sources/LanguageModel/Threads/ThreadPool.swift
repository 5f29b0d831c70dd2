import CPlatform
import Platform
import Synchronization

/// Threads that wait, spinning for some microseconds and then asleep, to share out one piece of work after another.
///
/// The work is cut into `parts` as the caller asked for; no more threads run than the processors at hand. Which thread
/// does which part makes no difference to any result: every part computes whole output elements by itself.
///
/// Sendable, unchecked: what threads share is atomic, or guarded by `mutex`, or handed over by `turn`.
final class ThreadPool: @unchecked Sendable {
  /// Into how many parts `run` cuts its work.
  let parts: Int
  private var workers = 0  // beside the calling thread; constant after init

  private let turn = Atomic<Int>(0)  // counts the pieces of work; a worker starts when it grows
  private let running = Atomic<Int>(0)  // workers that have not finished the current piece
  private let sleepers = Atomic<Int>(0)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var work: ((Int) -> Void)?  // set before `turn` grows, read after

  /// The pool lives as long as the process: its threads are never joined.
  init(parts: Int) {
    self.parts = max(1, parts)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
    let wanted = min(self.parts, Int(lmpipe_available_processors())) - 1
    while workers < wanted, start(worker: workers + 1) { workers += 1 }  // with fewer if the system gives no more
  }

  /// Calls `body` once for each part, at the same time where there are processors for it, and returns when all are done.
  func run(_ body: (Int) -> Void) {
    guard workers > 0 else {
      for part in 0..<parts { body(part) }
      return
    }
    withoutActuallyEscaping(body) { body in
      work = body
      running.store(workers, ordering: .relaxed)
      turn.add(1, ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
      }
      performParts(of: 0, body)
      var spins = 0
      while running.load(ordering: .acquiring) > 0 {
        spins += 1
        if spins < Self.spinLimit { lmpipe_spin_hint() } else { sched_yield() }
      }
      work = nil
    }
  }

  /// Runs `body` over equal shares of `count` things, each share a range that begins at a multiple of `unit`.
  func share(_ count: Int, unit: Int = 1, _ body: (Range<Int>) -> Void) {
    let units = (count + unit - 1) / unit
    run { part in
      let begin = min(count, units * part / parts * unit)
      let end = min(count, units * (part + 1) / parts * unit)
      if begin < end { body(begin..<end) }
    }
  }

  private static let spinLimit = 20_000  // some tens of microseconds: longer than the gaps inside a forward pass

  private func performParts(of thread: Int, _ body: (Int) -> Void) {
    for part in stride(from: thread, to: parts, by: workers + 1) { body(part) }
  }

  /// False where the system gives no more threads.
  private func start(worker index: Int) -> Bool {
    final class Start {
      let pool: ThreadPool
      let index: Int
      init(pool: ThreadPool, index: Int) {
        self.pool = pool
        self.index = index
      }
    }
    let start = Unmanaged.passRetained(Start(pool: self, index: index))
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let code = pthread_create(
      &thread, nil,
      { argument in
        #if canImport(Darwin)
          let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        #else
          let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        #endif
        start.pool.serve(as: start.index)
        return nil
      }, start.toOpaque())
    if code != 0 { start.release() }
    return code == 0
  }

  /// A worker's life: it has no end, and the thread goes with the process.
  private func serve(as index: Int) {
    var seen = 0
    while true {
      var spins = 0
      while turn.load(ordering: .acquiring) == seen {
        spins += 1
        if spins < Self.spinLimit { lmpipe_spin_hint() } else { sleep(until: seen) }
      }
      seen += 1
      if let work { performParts(of: index, work) }
      running.subtract(1, ordering: .releasing)
    }
  }

  /// Sleeps until `turn` has moved on from `seen`. `run` looks at `sleepers` after it has moved `turn`, and this looks
  /// at `turn` after it has counted itself among the sleepers, so one of the two sees the other.
  private func sleep(until seen: Int) {
    pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while turn.load(ordering: .sequentiallyConsistent) == seen { pthread_cond_wait(wake, mutex) }
    sleepers.subtract(1, ordering: .relaxed)
    pthread_mutex_unlock(mutex)
  }
}

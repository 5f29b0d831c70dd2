import Synchronization
import Testing
import Threads

@Suite struct FutureTests {
  struct Failure: Error {}

  /// On a thread of the pool, and on the calling thread (a pool of one thread, or a small cost).
  @Test(arguments: [1, 2], [0, Int.max])
  func computesTheValueOnce(_ threads: Int, _ cost: Int) throws {
    let times = Atomic(0)
    let value = Future(ThreadPool(threads: threads), cost: cost) {
      times.add(1, ordering: .relaxed).newValue + 41
    }
    for _ in 0..<3 { #expect(try value() == 42) }
  }

  @Test(arguments: [1, 2])
  func rethrowsTheErrorAtEachCall(_ threads: Int) {
    let value = Future<Int>(ThreadPool(threads: threads), cost: .max) { throw Failure() }
    for _ in 0..<2 { #expect(throws: Failure.self) { try value() } }
  }

  /// A worker that is busy with its first job does not delay the pool's loops, and takes part in them afterwards.
  @Test func doesNotDelayOtherJobs() throws {
    let pool = ThreadPool(threads: 2)
    let gate = Atomic(false)
    let value = Future(pool, cost: .max) {
      while pool.threads > 1, !gate.load(ordering: .acquiring) {}
      return "made"
    }
    let done = Atomic(0)
    pool.run(100, cost: .max) { _ in done.add(1, ordering: .relaxed) }
    #expect(done.load(ordering: .relaxed) == 100)
    gate.store(true, ordering: .releasing)
    #expect(try value() == "made")
    pool.run(100, cost: .max) { _ in done.add(1, ordering: .relaxed) }
    #expect(done.load(ordering: .relaxed) == 200)
  }
}

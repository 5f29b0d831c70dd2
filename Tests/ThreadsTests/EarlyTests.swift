import Synchronization
import Testing
import Threads

@Suite struct EarlyTests {
  struct Failure: Error {}

  /// On a thread of the pool, and where there is none or the work is not worth one.
  @Test(arguments: [1, 2], [0, Int.max])
  func theValueIsMadeOnce(_ threads: Int, _ operations: Int) throws {
    let times = Atomic(0)
    let value = Future(ThreadPool(threads: threads), operations: operations) {
      times.add(1, ordering: .relaxed).newValue + 41
    }
    for _ in 0..<3 { #expect(try value() == 42) }
  }

  @Test(arguments: [1, 2])
  func anErrorComesToWhoAsks(_ threads: Int) {
    let value = Future<Int>(ThreadPool(threads: threads), operations: .max) { throw Failure() }
    for _ in 0..<2 { #expect(throws: Failure.self) { try value() } }
  }

  /// A thread that is still busy with its first job is not waited for by the others' work, and joins in later.
  @Test func othersWorkIsDoneMeanwhile() throws {
    let pool = ThreadPool(threads: 2)
    let gate = Atomic(false)
    let value = Future(pool, operations: .max) {
      while pool.threads > 1, !gate.load(ordering: .acquiring) {}
      return "made"
    }
    let done = Atomic(0)
    pool.run(100, operations: .max) { _ in done.add(1, ordering: .relaxed) }
    #expect(done.load(ordering: .relaxed) == 100)
    gate.store(true, ordering: .releasing)
    #expect(try value() == "made")
    pool.run(100, operations: .max) { _ in done.add(1, ordering: .relaxed) }
    #expect(done.load(ordering: .relaxed) == 200)
  }
}

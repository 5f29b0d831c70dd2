import Synchronization
import Testing
import Threads

@Suite struct ThreadPoolTests {
  /// Little work is done by the caller alone, more is shared out; a pool goes from one to the other.
  @Test(arguments: [1, 2, 3, 64], [1, 1 << 20, Int.max])
  func everyPartIsDoneOnce(_ threads: Int, _ operations: Int) {
    let pool = ThreadPool(threads: threads)
    for parts in [0, 1, 2, 7, 1000, 3] {
      for _ in 0..<20 {
        let times = UnsafeMutableBufferPointer<Int>.allocate(capacity: parts)
        times.initialize(repeating: 0)
        pool.run(parts, operations: operations) { times[$0] += 1 }
        #expect(times.allSatisfy { $0 == 1 })
        times.deallocate()
      }
    }
  }

  @Test func rangesCoverEverything() {
    let sum = Mutex(0)
    ThreadPool(threads: 2).run(1000, unit: 33, operations: .max) { range in
      sum.withLock { $0 += range.reduce(0, +) }
    }
    #expect(sum.withLock { $0 } == 499_500)
  }

  @Test func threadsHaveNumbersOfTheirOwn() {
    let pool = ThreadPool(threads: 2)
    let seen = Mutex<Set<Int>>([])
    for _ in 0..<100 {
      pool.run(50, operations: .max) { _, thread in
        seen.withLock { _ = $0.insert(thread) }
      }
    }
    #expect(seen.withLock { $0.isSubset(of: 0..<pool.threads) })
  }
}

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
    let sum = Atomic(0)
    ThreadPool(threads: 2).run(1000, unit: 33, operations: .max) { range in
      sum.add(range.reduce(0, +), ordering: .relaxed)
    }
    #expect(sum.load(ordering: .relaxed) == 499_500)
  }

  @Test func threadsHaveNumbersOfTheirOwn() {
    let pool = ThreadPool(threads: 2)
    let busy = (0..<pool.threads).map { _ in Parts() }
    for _ in 0..<100 {
      pool.run(50, operations: .max) { _, thread in
        // Only one part at a time has a number.
        #expect(busy[thread].count.add(1, ordering: .relaxed).newValue == 1)
        busy[thread].count.subtract(1, ordering: .relaxed)
      }
    }
  }
}

private final class Parts: Sendable {
  let count = Atomic(0)
}

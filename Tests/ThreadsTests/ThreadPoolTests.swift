import Synchronization
import Testing
import Threads

@Suite struct ThreadPoolTests {
  /// The caller runs small jobs alone and shares large ones with workers.
  @Test(arguments: [1, 2, 3, 64], [1, 1 << 20, Int.max])
  func runsEveryPartOnce(_ threads: Int, _ cost: Int) {
    let pool = ThreadPool(threads: threads)
    for parts in [0, 1, 2, 7, 1000, 3] {
      for _ in 0..<20 {
        let times = UnsafeMutableBufferPointer<Int>.allocate(capacity: parts)
        times.initialize(repeating: 0)
        pool.run(parts, cost: cost) { times[$0] += 1 }
        #expect(times.allSatisfy { $0 == 1 })
        times.deallocate()
      }
    }
  }

  @Test func rangesCoverTheWholeCount() {
    let sum = Atomic(0)
    ThreadPool(threads: 2).run(1000, unit: 33, cost: .max) { range in
      sum.add(range.reduce(0, +), ordering: .relaxed)
    }
    #expect(sum.load(ordering: .relaxed) == 499_500)
  }

  @Test func noTwoPartsRunWithTheSameThreadNumber() {
    let pool = ThreadPool(threads: 2)
    let busy = (0..<pool.threads).map { _ in Parts() }
    for _ in 0..<100 {
      pool.run(50, cost: .max) { _, thread in
        #expect(busy[thread].count.add(1, ordering: .relaxed).newValue == 1)
        busy[thread].count.subtract(1, ordering: .relaxed)
      }
    }
  }
}

private final class Parts: Sendable {
  let count = Atomic(0)
}

import Threads

/// What transforms records, once for each thread.
public final class Workers<Worker> {
  private let make: () throws -> Worker
  /// The first is made at once. The others are made when there is enough to do for them.
  private var workers: [Worker]
  /// How many there are to be.
  let count: Int
  private var pool: ThreadPool?

  public init(_ count: Int, _ make: @escaping () throws -> Worker) rethrows {
    self.count = ThreadPool.possibleThreads(count)
    self.make = make
    workers = [try make()]
  }

  public var first: Worker { workers[0] }

  /// Calls `body` for each of `parts` parts of some work, with a worker that no other thread uses at the time.
  func run(_ parts: Int, _ body: (Int, Worker) -> Void) throws {
    let pool = pool ?? ThreadPool(threads: count)
    self.pool = pool
    while workers.count < pool.threads { workers.append(try make()) }
    pool.run(parts, cost: .max) { part, thread in body(part, workers[thread]) }
  }
}

import Threads

/// One worker for each thread that transforms lines.
public final class Workers<Worker> {
  private let make: () throws -> Worker
  /// The first worker is created immediately, the other workers when a batch is large enough for several threads.
  private var workers: [Worker]
  /// The number of threads to use.
  let count: Int
  private var pool: ThreadPool?

  public init(_ count: Int, _ make: @escaping () throws -> Worker) rethrows {
    self.count = ThreadPool.possibleThreads(count)
    self.make = make
    workers = [try make()]
  }

  public var first: Worker { workers[0] }

  /// Calls `body` for each index below `parts`, in parallel. No two calls at the same time get the same worker.
  func run(_ parts: Int, _ body: (Int, Worker) -> Void) throws {
    let pool = pool ?? ThreadPool(threads: count)
    self.pool = pool
    while workers.count < pool.threads { workers.append(try make()) }
    pool.run(parts, cost: .max) { part, thread in body(part, workers[thread]) }
  }
}

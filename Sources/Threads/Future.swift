import Synchronization

/// A value that is computed on a thread of a pool while the owner of the future does other work.
///
/// A future is used by one thread; only the computed value is passed between threads.
///
/// ```swift
/// let tokenizer = Future(pool, cost: cost) { try openTokenizer() }
/// …                               // other work
/// let ids = try tokenizer().ids   // waits if necessary
/// ```
public final class Future<Value: Sendable> {
  private final class Outcome: @unchecked Sendable {
    var result: Result<Value, any Error>?  // owned by the computing thread until `isReady` is set
    let isReady = Atomic(false)
  }

  private let outcome = Outcome()
  private let compute: @Sendable () -> Void
  private let isStarted: Bool

  /// Starts `make` on a new thread of the pool. If all threads of the pool are running or the cost is small, the value
  /// is computed by the first call of the future instead.
  ///
  /// - Parameter cost: the estimated cost in multiply-adds; see `ThreadPool`.
  public init(_ pool: ThreadPool, cost: Int, _ make: @escaping @Sendable () throws -> Value) {
    let outcome = outcome
    compute = {
      outcome.result = Result(catching: make)
      outcome.isReady.store(true, ordering: .releasing)
    }
    isStarted = pool.startWorker(cost: cost, beginningWith: compute)
  }

  /// Returns the value, or throws the error that `make` threw. Waits until the value is ready; the wait may take
  /// milliseconds, so it yields the processor to other threads.
  public func callAsFunction() throws -> Value {
    if !isStarted, outcome.result == nil { compute() }
    var wait = SpinWait()
    while !outcome.isReady.load(ordering: .acquiring) { wait.again() }
    guard let result = outcome.result else { preconditionFailure("isReady is set after result") }
    return try result.get()
  }
}

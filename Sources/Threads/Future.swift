import Synchronization

/// A value that one of a pool's threads makes while its owner goes on with what does not need it.
///
/// It belongs to one thread: only what is made crosses to another.
public final class Future<Value: Sendable> {
  private final class Outcome: @unchecked Sendable {
    var result: Result<Value, any Error>?  // another thread's until `isThere`
    let isThere = Atomic(false)
  }

  private let outcome = Outcome()
  private let make: @Sendable () -> Void
  private let isBegun: Bool

  /// Where the pool has no thread for it, or it is little work, the value is made when it is asked for.
  ///
  /// - Parameter operations: how much work it is, in the time that multiplications and additions of the pool's take.
  public init(_ pool: ThreadPool, operations: Int, _ make: @escaping @Sendable () throws -> Value) {
    let outcome = outcome
    self.make = {
      outcome.result = Result(catching: make)
      outcome.isThere.store(true, ordering: .releasing)
    }
    isBegun = pool.startWorker(operations: operations, beginningWith: self.make)
  }

  /// The value, as soon as it is there, or the error that its making ended with. That is a wait of milliseconds, for
  /// which the processor is offered to others.
  public func callAsFunction() throws -> Value {
    if !isBegun, outcome.result == nil { make() }
    var wait = SpinWait()
    while !outcome.isThere.load(ordering: .acquiring) { wait.again() }
    guard let result = outcome.result else { preconditionFailure("it is there") }
    return try result.get()
  }
}

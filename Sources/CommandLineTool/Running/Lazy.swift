/// A value that is made when it is first asked for, or the error that its making ended with: a tool reads nothing that its
/// records do not need, and nothing twice.
public final class Lazy<Value> {
  private let make: () throws -> Value
  private var outcome: Result<Value, any Error>?

  public init(_ make: @escaping () throws -> Value) { self.make = make }

  public func callAsFunction() throws -> Value {
    let outcome = outcome ?? Result(catching: make)
    self.outcome = outcome
    return try outcome.get()
  }
}

/// A value that is computed on first use. The result, a value or an error, is kept.
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

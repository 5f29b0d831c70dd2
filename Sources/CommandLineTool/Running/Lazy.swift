/// A value that is made when it is first asked for: a tool reads nothing that its records don't need.
public final class Lazy<Value> {
  private let make: () throws -> Value
  private var value: Value?

  public init(_ make: @escaping () throws -> Value) { self.make = make }

  public func callAsFunction() throws -> Value {
    if let value { return value }
    let made = try make()
    value = made
    return made
  }
}

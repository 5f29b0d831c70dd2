/// An error in a JSON text, or a value of another type than expected.
public struct JSONError: Error, Equatable, CustomStringConvertible {
  /// Byte offset in the scanned text, counted from 0.
  public let offset: Int
  public let reason: String

  public init(offset: Int, reason: String) {
    self.offset = offset
    self.reason = reason
  }

  /// Such as `byte 17: expected a value, found "]"`. Bytes are counted from 1, as editors do.
  public var description: String { "byte \(offset + 1): \(reason)" }
}

/// An error in a JSON text, or a value of an unexpected type.
public struct JSONError: Error, Equatable, CustomStringConvertible {
  /// The byte offset in the scanned text, counted from 0.
  public let offset: Int
  public let reason: String

  public init(offset: Int, reason: String) {
    self.offset = offset
    self.reason = reason
  }

  /// The message, such as `byte 17: expected a value, found "]"`. Bytes are counted from 1, as editors do.
  public var description: String { "byte \(offset + 1): \(reason)" }
}

/// Where a text stops being JSON, or stops being the JSON that was asked for, and why.
public struct JSONError: Error, Equatable, CustomStringConvertible {
  /// Byte offset into the text that was scanned, from 0.
  public let offset: Int
  public let reason: String

  public init(offset: Int, reason: String) {
    self.offset = offset
    self.reason = reason
  }

  /// Such as `byte 17: a value is missing`, counted from 1 as editors do.
  public var description: String { "byte \(offset + 1): \(reason)" }
}

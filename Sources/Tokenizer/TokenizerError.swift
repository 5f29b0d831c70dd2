import Platform

/// The reason why a tokenizer could not be opened; its description is one line.
public struct TokenizerError: Error, CustomStringConvertible {
  public enum Cause: Sendable {
    /// The folder does not exist or contains no tokenizer.
    case notFound
    /// A file cannot be read.
    case unreadable(FileError)
    /// A file is invalid, or requires a feature that is not supported.
    case malformed
  }

  public let cause: Cause
  /// The file or folder.
  public let path: Path
  public let reason: String

  init(_ cause: Cause, _ path: Path, _ reason: String) {
    self.cause = cause
    self.path = path
    self.reason = reason
  }

  /// For example `model/tokenizer.json: byte 812: the pre-tokenizer "Metaspace" is not supported`.
  public var description: String { "\(path): \(reason)" }
}

/// The error for a byte for which the vocabulary has no token. Byte-level vocabularies usually have a token for each of
/// the 256 bytes; some vocabularies that were trained on little text lack the bytes that did not occur in it.
public struct UnencodableByteError: Error, Equatable, CustomStringConvertible {
  public let byte: UInt8
  /// The offset of the byte in the text, from 0; nil for the space that `addPrefixSpace` adds.
  public let offset: Int?

  public init(byte: UInt8, offset: Int?) {
    self.byte = byte
    self.offset = offset
  }

  public var description: String {
    guard let offset else { return "the vocabulary has no token for the space that is added before the text" }
    let digits = hexadecimal(byte, width: 2, uppercase: true)
    return "byte \(offset + 1) of the text: the vocabulary has no token for 0x\(digits)"
  }
}

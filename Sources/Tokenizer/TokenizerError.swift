import Platform

/// Why a tokenizer could not be opened, in one line for a person.
public struct TokenizerError: Error, CustomStringConvertible {
  public enum Cause: Sendable {
    /// The folder holds no tokenizer.
    case notFound
    /// The system refused to read a file of it.
    case unreadable(FileError)
    /// A file is not what it should be, or asks for something that this tokenizer does not do.
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

  /// Such as `model/tokenizer.json: byte 812: the pre-tokenizer “Metaspace” is not supported…`.
  public var description: String { "\(path): \(reason)" }
}

/// A byte of the text for which the vocabulary has no token. Byte-level vocabularies usually have one for each of the
/// 256 bytes; some that were trained on little text lack those that never occurred in it.
public struct UnencodableByteError: Error, Equatable, CustomStringConvertible {
  public let byte: UInt8
  /// Where it stands in the text, from 0; nil for a space that was put before text.
  public let offset: Int?

  public init(byte: UInt8, offset: Int?) {
    self.byte = byte
    self.offset = offset
  }

  public var description: String {
    guard let offset else { return "the vocabulary has no token for the space that is put before text" }
    let digits = hexadecimal(byte, width: 2, uppercase: true)
    return "byte \(offset + 1) of the text is 0x\(digits), for which the vocabulary has no token"
  }
}

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

/// The reason why a text cannot be encoded.
public struct TextEncodingError: Error, Equatable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    /// The vocabulary has no token for this byte. Byte-level vocabularies usually have a token for each of the 256
    /// bytes; some vocabularies that were trained on little text lack the bytes that did not occur in it.
    case noToken(UInt8)
    /// A pattern of the tokenizer takes more than linear time on the text.
    case slowPattern
    /// The model of the tokenizer makes this special token of a text in which it must not occur (`InputText`). A model
    /// whose vocabulary has its special tokens as ordinary ones does that, such as T5's.
    case specialToken(String)
  }

  public let reason: Reason
  /// The offset of the byte in the text, from 0; nil for the space that `addPrefixSpace` adds.
  public let offset: Int?

  public init(_ reason: Reason, offset: Int?) {
    self.reason = reason
    self.offset = offset
  }

  public init(byte: UInt8, offset: Int?) { self.init(.noToken(byte), offset: offset) }

  public var description: String {
    let place = offset.map { "byte \($0 + 1) of the text: " } ?? ""
    switch reason {
    case .noToken(let byte):
      guard offset != nil else { return "the vocabulary has no token for the space that is added before the text" }
      return "\(place)the vocabulary has no token for 0x\(hexadecimal(byte, width: 2, uppercase: true))"
    case .specialToken(let token):
      return "\(place)the tokenizer makes the special token \(token) of ordinary text"
    case .slowPattern: return "\(place)a pattern of the tokenizer takes more than linear time here"
    }
  }
}

import CommandLineTool
import JSON
import Tokenizer

/// Encodes texts that continue another text. A tokenizer that puts a space before each text, as those of SentencePiece
/// do, puts none before a continuation.
struct ContinuationEncoder {
  private let encoder: TextEncoder
  /// For texts that begin with a space, which is left out, because this encoder puts one before them; nil if the other
  /// encoder has the same result for them, because it keeps the space, and keeps it single.
  private let spaceEncoder: TextEncoder?

  /// - Parameter tokenizer: open for encoding.
  init(_ tokenizer: Tokenizer) {
    let (encoder, prefixEncoder) = (tokenizer.makeEncoder(addsPrefix: false), tokenizer.makeEncoder())
    let word = (try? Self.encode(Array("a".utf8), prefixEncoder)) ?? []
    let addsSpace = word.first.flatMap { tokenizer.bytes(of: $0)?.first } == UInt8(ascii: " ")
    self.encoder = encoder
    spaceEncoder = addsSpace && word != (try? Self.encode(Array(" a".utf8), encoder)) ? prefixEncoder : nil
  }

  /// Returns the ids of a text.
  ///
  /// - Throws: `RecordError` if the vocabulary has no token for a byte.
  func encode(_ text: [UInt8]) throws -> [Int] {
    guard let spaceEncoder, text.first == UInt8(ascii: " ") else { return try Self.encode(text, encoder) }
    return try Self.encode(Array(text.dropFirst()), spaceEncoder)
  }

  private static func encode(_ text: [UInt8], _ encoder: TextEncoder) throws -> [Int] {
    let tokens = TokenBuffer(recordsEnds: false)
    do {
      try text.withUnsafeBufferPointer { (text) throws(TextEncodingError) in try encoder.encode(text, into: tokens) }
    } catch {
      throw RecordError(error.description)
    }
    return tokens.ids.map { Int($0) }
  }
}

import CommandLineTool
import JSON
import Tokenizer

/// Encodes texts that continue another text. A tokenizer that puts a space before each text, as those of SentencePiece
/// do, puts none before a continuation.
struct ContinuationEncoder {
  private let encoder: TextEncoder
  /// For texts that begin with a space, which is left out, because this encoder puts one before them; nil unless the
  /// other encoder removes the space.
  private let spaceEncoder: TextEncoder?

  /// - Parameter tokenizer: open for encoding.
  init(_ tokenizer: Tokenizer) {
    let (encoder, prefixEncoder) = (tokenizer.makeEncoder(addsPrefix: false), tokenizer.makeEncoder())
    func beginsWithSpace(_ text: String, _ encoder: TextEncoder) -> Bool {
      let first = try? Self.encode(Array(text.utf8), encoder).first
      return first.flatMap { tokenizer.bytes(of: $0)?.first } == UInt8(ascii: " ")
    }
    self.encoder = encoder
    spaceEncoder = !beginsWithSpace(" a", encoder) && beginsWithSpace("a", prefixEncoder) ? prefixEncoder : nil
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

import CommandLineTool
import Tokenizer

/// The biases and the banned texts of the command line.
struct TokenControls {
  /// Numbers to add to the logits of tokens, by id.
  let biases: [Int: Float]
  private let bannedTexts: [BannedText]
  private let tokenizer: Tokenizer

  /// - Parameter vocabularySize: the number of logits.
  init(_ arguments: Arguments, _ tokenizer: Tokenizer, vocabularySize: Int) throws {
    var biases: [Int: Float] = [:]
    for value in arguments.allBytes(.bias) {
      let text = String(decoding: value, as: UTF8.self)
      guard let end = value.lastIndex(of: UInt8(ascii: "=")), end > 0,
        let bias = Float(String(decoding: value[(end + 1)...], as: UTF8.self)), bias.isFinite
      else { throw ToolError(.usage, "--bias must be TOKEN=X, with a number X (found \"\(text)\")") }
      let token = Array(value[..<end])
      guard let id = Self.id(of: token, tokenizer, vocabularySize) else {
        throw ToolError(
          .usage, "--bias: \"\(String(decoding: token, as: UTF8.self))\" is not a token of the vocabulary")
      }
      biases[id, default: 0] += bias
    }
    self.biases = biases
    self.tokenizer = tokenizer
    bannedTexts = try arguments.allBytes(.ban).map { text in
      guard !text.isEmpty else { throw ToolError(.usage, "--ban must not be empty") }
      return BannedText(text, tokenizer, vocabularySize)
    }
  }

  /// Returns the id that `token` spells in decimal digits, or the lowest id of a token with these bytes; nil if there
  /// is neither.
  private static func id(of token: [UInt8], _ tokenizer: Tokenizer, _ vocabularySize: Int) -> Int? {
    if let id = Int(String(decoding: token, as: UTF8.self)) { return 0..<vocabularySize ~= id ? id : nil }
    return (0..<vocabularySize).first { tokenizer.bytes(of: $0)?.elementsEqual(token) ?? false }
  }

  /// Returns the tokens that would complete a banned text after `ids`.
  func bannedTokens(after ids: [Int]) -> [Int] {
    // A token has at least one byte.
    let bytes = tokenizer.bytes(ofLast: bannedTexts.map { $0.text.count - 1 }.max() ?? 0, in: ids)
    return bannedTexts.flatMap { $0.tokens(after: bytes) }
  }
}

extension Tokenizer {
  /// Returns the bytes of the last `count` of some tokens.
  func bytes(ofLast count: Int, in ids: [Int]) -> [UInt8] {
    ids.suffix(count).flatMap { bytes(of: $0).map(Array.init) ?? [] }
  }
}

/// A text that must not be generated, and the tokens that complete it.
private struct BannedText {
  let text: [UInt8]
  /// The tokens that contain the text.
  private let containing: [Int]
  /// The tokens that begin with the text without its first k bytes, for each k from 1 on.
  private let completing: [[Int]]

  init(_ text: [UInt8], _ tokenizer: Tokenizer, _ vocabularySize: Int) {
    self.text = text
    func tokens(where condition: (UnsafeBufferPointer<UInt8>) -> Bool) -> [Int] {
      (0..<vocabularySize).filter { tokenizer.bytes(of: $0).map(condition) ?? false }
    }
    containing = tokens { token in
      token.count >= text.count
        && (0...token.count - text.count).contains { token[$0..<$0 + text.count].elementsEqual(text) }
    }
    completing = (1..<text.count).map { k in tokens { $0.starts(with: text[k...]) } }
  }

  /// Returns the tokens that complete the text after `bytes`.
  func tokens(after bytes: [UInt8]) -> [Int] {
    completing.enumerated().reduce(into: containing) { tokens, entry in
      let begun = entry.offset + 1  // the number of bytes of the text that are already there
      if bytes.suffix(begun).elementsEqual(text[..<begun]) { tokens += entry.element }
    }
  }
}

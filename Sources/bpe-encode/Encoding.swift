import CommandLineTool
import JSON
import JSONLines
import Tokenizer

/// Writes texts as records, or as tables, with what the options ask for.
final class Encoding {
  private let arguments: Arguments
  private let tokenizer: ByteLevelTokenizer
  private let encoder: ByteLevelEncoder
  private let fingerprint: String
  private let terminal = Terminal.standardOutput()
  private let tokens: TokenBuffer
  private var tables = 0

  init(_ arguments: Arguments, _ tokenizer: ByteLevelTokenizer) throws {
    self.arguments = arguments
    self.tokenizer = tokenizer
    encoder = tokenizer.makeEncoder()
    tokens = TokenBuffer(recordsEnds: arguments.has(.offsets) || arguments.has(.maxLength))
    fingerprint = tokenizer.fingerprintText
    guard !arguments.has(.bos) || tokenizer.endOfText != nil else {
      throw ToolError(.badData, "this model's vocabulary has no <|endoftext|> for --bos")
    }
  }

  /// Encodes a text and appends its record, or its table, with the line end. `record` is the one that the text came in.
  func write(_ text: UnsafeBufferPointer<UInt8>, in record: Record = Record(), to output: ByteBuffer) throws {
    let covered = try encode(text)
    if arguments.has(.encodeTable) { return writeTable(to: output) }
    var changes: [Record.Change] = []
    if !isUTF8(covered) {
      changes.append(.drop("text"))
    } else if try !record.has("text") || covered.count < text.count {
      changes.append(.set("text") { $0.append(jsonString: covered) })
    }
    changes.append(.set("ids") { $0.append(json: self.tokens.ids) })
    changes.append(.set("vocab") { $0.append(jsonString: self.fingerprint) })
    if arguments.has(.tokens) { changes.append(.set("tokens", appendTokens)) }
    if arguments.has(.offsets) { changes.append(.set("offsets", appendOffsets)) }
    if arguments.has(.attentionMask) {
      changes.append(.set("attention_mask") { $0.append(json: repeatElement(1, count: self.tokens.count)) })
    }
    record.write(to: output, changes + Record.Change.dropsOfAnotherSequence)
    output.append(UInt8(ascii: "\n"))
  }

  /// Fills `tokens`, and returns the part of the text that they stand for: all of it, but for `--max-length`.
  private func encode(_ text: UnsafeBufferPointer<UInt8>) throws -> UnsafeBufferPointer<UInt8> {
    tokens.removeAll()
    if arguments.has(.bos), let bos = tokenizer.endOfText { tokens.append(Int32(bos), end: 0) }
    do {
      try encoder.encode(
        text, recognizeSpecial: arguments.has(.special), addPrefixSpace: arguments.has(.addPrefixSpace), into: tokens)
    } catch {  // a byte that this vocabulary has no token for
      throw RecordError(error.description)
    }
    guard let limit = arguments.integer(.maxLength), tokens.count > limit else { return text }
    tokens.truncate(to: limit)
    return UnsafeBufferPointer(rebasing: text[..<(tokens.ends.last ?? 0)])
  }

  private func appendTokens(to buffer: ByteBuffer) {
    buffer.append(UInt8(ascii: "["))
    for (index, id) in tokens.ids.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      if let bytes = tokenizer.bytes(of: Int(id)), isUTF8(bytes) {
        buffer.append(jsonString: bytes)
      } else {
        buffer.append("null")
      }
    }
    buffer.append(UInt8(ascii: "]"))
  }

  private func appendOffsets(to buffer: ByteBuffer) {
    var start = 0
    buffer.append(UInt8(ascii: "["))
    for (index, end) in tokens.ends.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      buffer.append(json: [start, end])
      start = end
    }
    buffer.append(UInt8(ascii: "]"))
  }

  /// A line for each token; a blank line between the tables of two texts.
  private func writeTable(to output: ByteBuffer) {
    if tables > 0 { output.append(UInt8(ascii: "\n")) }
    tables += 1
    for id in tokens.ids {
      guard let bytes = tokenizer.bytes(of: Int(id)) else { continue }
      output.append("\(padded("\(id)", 6, right: true))  \(printable(bytes, isUTF8: terminal.isUTF8))\n")
    }
  }
}

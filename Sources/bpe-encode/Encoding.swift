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
  private var ids: [Int32] = []
  private var ends: [Int] = []
  private var tables = 0

  init(_ arguments: Arguments, _ tokenizer: ByteLevelTokenizer) throws {
    self.arguments = arguments
    self.tokenizer = tokenizer
    encoder = tokenizer.makeEncoder()
    fingerprint = tokenizer.fingerprintText
    guard !arguments.has(.bos) || tokenizer.endOfText != nil else {
      throw ToolError(.badData, "this model's vocabulary has no <|endoftext|> for --bos")
    }
  }

  /// Encodes a text and appends its record, or its table, to the output. `record` is the one that the text came in.
  func write(_ text: UnsafeBufferPointer<UInt8>, in record: Record = Record(), to output: Output) throws {
    let covered = try encode(text)
    if arguments.has(.encodeTable) { return try writeTable(to: output) }
    var changes: [Record.Change] = []
    if !isUTF8(covered) {
      changes.append(.drop("text"))
    } else if try !record.has("text") || covered.count < text.count {
      changes.append(.set("text") { $0.append(jsonString: covered) })
    }
    changes.append(.set("ids") { $0.append(json: self.ids.lazy.map { Int($0) }) })
    changes.append(.set("vocab") { $0.append(jsonString: self.fingerprint) })
    if arguments.has(.tokens) { changes.append(.set("tokens", appendTokens)) }
    if arguments.has(.offsets) { changes.append(.set("offsets", appendOffsets)) }
    if arguments.has(.attentionMask) {
      changes.append(.set("attention_mask") { $0.append(json: self.ids.lazy.map { _ in 1 }) })
    }
    record.write(to: output.buffer, changes + Record.Change.dropsOfAnotherSequence)
    try output.endLine()
  }

  /// Fills `ids` and `ends`, and returns the part of the text that they stand for: all of it, but for `--max-length`.
  private func encode(_ text: UnsafeBufferPointer<UInt8>) throws -> UnsafeBufferPointer<UInt8> {
    ids.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    if arguments.has(.bos), let bos = tokenizer.endOfText {
      ids.append(Int32(bos))
      ends.append(0)
    }
    do {
      try encoder.encode(
        text, recognizeSpecial: arguments.has(.special), addPrefixSpace: arguments.has(.addPrefixSpace), into: &ids,
        ends: &ends)
    } catch {  // a byte that this vocabulary has no token for
      throw RecordError(error.description)
    }
    guard let limit = arguments.integer(.maxLength), ids.count > limit else { return text }
    ids.removeLast(ids.count - limit)
    ends.removeLast(ends.count - limit)
    return UnsafeBufferPointer(rebasing: text[..<(ends.last ?? 0)])
  }

  private func appendTokens(to buffer: ByteBuffer) {
    buffer.append(UInt8(ascii: "["))
    for (index, id) in ids.enumerated() {
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
    for (index, end) in ends.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      buffer.append(json: [start, end])
      start = end
    }
    buffer.append(UInt8(ascii: "]"))
  }

  /// A line for each token; a blank line between the tables of two texts.
  private func writeTable(to output: Output) throws {
    if tables > 0 { try output.endLine() }
    tables += 1
    for id in ids {
      guard let bytes = tokenizer.bytes(of: Int(id)) else { continue }
      output.buffer.append("\(padded("\(id)", 6, right: true))  \(printable(bytes, isUTF8: terminal.isUTF8))")
      try output.endLine()
    }
  }
}

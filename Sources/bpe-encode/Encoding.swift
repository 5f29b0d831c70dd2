import CommandLineTool
import JSON
import JSONLines
import Tokenizer

/// Writes texts as records, or as people want to see them, with what the options ask for.
final class Encoding {
  private let tokenizer: ByteLevelTokenizer
  private let encoder: ByteLevelEncoder
  private let tokens: TokenBuffer
  /// The part of the text that `tokens` stand for.
  private var text = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  /// How tokens are shown where no records are wanted.
  private var display: TokenDisplay?

  // What the options say: to look that up for each line would take longer than to encode it
  private let bos: Int?
  private let recognizesSpecial: Bool
  private let addsPrefixSpace: Bool
  private let maximalCount: Int?
  /// What changes in every record, behind the text.
  private var changes: [Record.Change] = []
  private var changesWithText: [Record.Change] = []
  private var changesWithoutText: [Record.Change] = []

  /// `fingerprint`: the tokenizer's, as records have it.
  init(_ arguments: Arguments, _ tokenizer: ByteLevelTokenizer, _ fingerprint: String) throws {
    self.tokenizer = tokenizer
    encoder = tokenizer.makeEncoder()
    tokens = TokenBuffer(recordsEnds: arguments.has(.offsets) || arguments.has(.maxLength))
    bos = arguments.has(.bos) ? tokenizer.beginOfText : nil
    guard !arguments.has(.bos) || bos != nil else {
      throw ToolError(.badData, "this model's vocabulary has no token that begins a text, for --bos")
    }
    recognizesSpecial = arguments.has(.special)
    addsPrefixSpace = arguments.has(.addPrefixSpace)
    maximalCount = arguments.integer(.maxLength)
    if arguments.has(.encodeTable) { display = TokenDisplay(tokenizer, .table) }
    if arguments.has(.colour) { display = TokenDisplay(tokenizer, .colouredText) }

    changes = [
      .set("ids") { [tokens] in $0.append(json: tokens.ids) }, .set("vocab") { $0.append(jsonString: fingerprint) },
    ]
    if arguments.has(.tokens) { changes.append(.set("tokens") { [unowned self] in appendTokens(to: $0) }) }
    if arguments.has(.offsets) { changes.append(.set("offsets") { [unowned self] in appendOffsets(to: $0) }) }
    if arguments.has(.attentionMask) {
      changes.append(.set("attention_mask") { [tokens] in $0.append(json: repeatElement(1, count: tokens.count)) })
    }
    changes += Record.Change.dropsOfAnotherSequence
    changesWithText = [.set("text") { [unowned self] in $0.append(jsonString: text) }] + changes
    changesWithoutText = [.drop("text")] + changes
  }

  /// Encodes a text and appends its record, or what is to be seen of it, with the line end. `record` is the one that the text came in.
  func write(_ text: UnsafeBufferPointer<UInt8>, in record: Record = Record(), to output: ByteBuffer) throws {
    try encode(text)
    if display != nil {
      display?.write(Array(tokens.ids), to: output)
      return
    }
    if !isUTF8(self.text) {
      record.write(to: output, changesWithoutText)
    } else if try !record.has("text") || self.text.count < text.count {
      record.write(to: output, changesWithText)
    } else {
      record.write(to: output, changes)
    }
    output.append(UInt8(ascii: "\n"))
  }

  /// Fills `tokens` and `text`, which is all of the text, but for `--max-length`.
  private func encode(_ text: UnsafeBufferPointer<UInt8>) throws {
    tokens.removeAll()
    if let bos { tokens.append(Int32(bos), end: 0) }
    do {
      try encoder.encode(text, recognizeSpecial: recognizesSpecial, addPrefixSpace: addsPrefixSpace, into: tokens)
    } catch {  // a byte that this vocabulary has no token for
      throw RecordError(error.description)
    }
    self.text = text
    guard let maximalCount, tokens.count > maximalCount else { return }
    tokens.truncate(to: maximalCount)
    self.text = UnsafeBufferPointer(rebasing: text[..<(tokens.ends.last ?? 0)])
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
}

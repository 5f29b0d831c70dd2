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
  private let convertsLineEnds: Bool
  private let skipsBlank: Bool
  private let isLines: Bool
  private let noteSecondBeginning: (_ token: Int) -> Void
  /// What changes in every record, behind the text.
  private var changes: [Record.Change] = []
  private var changesWithText: [Record.Change] = []
  private var changesWithoutText: [Record.Change] = []

  /// - Parameters:
  ///   - fingerprint: the tokenizer's, as records have it.
  ///   - noteSecondBeginning: called if a text has the token that begins a text, and gets it a second time.
  init(
    _ arguments: Arguments, _ tokenizer: ByteLevelTokenizer, _ fingerprint: String,
    noteSecondBeginning: @escaping (_ token: Int) -> Void
  ) throws {
    self.noteSecondBeginning = noteSecondBeginning
    convertsLineEnds = arguments.has(.crlf)
    skipsBlank = arguments.has(.skipBlank)
    isLines = ![.wholeInput, .nullTerminated, .jsonInput].contains(where: arguments.has)
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
    if convertsLineEnds, hasCarriageReturn(text, atEnd: isLines) {
      let converted = withoutCarriageReturns(text, atEnd: isLines)
      return try converted.withUnsafeBufferPointer { try write($0, in: record, isGiven: false, to: output) }
    }
    try write(text, in: record, isGiven: true, to: output)
  }

  /// - Parameter isGiven: whether the text is the record's own.
  private func write(
    _ text: UnsafeBufferPointer<UInt8>, in record: Record, isGiven: Bool, to output: ByteBuffer
  ) throws {
    if skipsBlank, text.allSatisfy({ $0 == UInt8(ascii: " ") || 0x09...0x0D ~= $0 }) { return }
    try encode(text)
    if display != nil {
      display?.write(Array(tokens.ids), to: output)
      return
    }
    if !isUTF8(self.text) {
      record.write(to: output, changesWithoutText)
    } else if try !isGiven || !record.has("text") || self.text.count < text.count {
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
    if let bos, tokens.count > 1, tokens.ids[tokens.ids.startIndex + 1] == Int32(bos) { noteSecondBeginning(bos) }
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

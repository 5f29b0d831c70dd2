import CommandLineTool
import JSON
import JSONLines
import Synchronization
import Tokenizer

/// Encodes texts and writes them as records or as a display, as the options request. Each thread has its own instance.
final class Encoding {
  private let tokenizer: Tokenizer
  private let encoder: TextEncoder
  private let tokens: TokenBuffer
  /// The part of the text that `tokens` encode.
  private var text = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  /// The form of the output if it is not records.
  private var display: TokenDisplay?

  // The values of the options. Looking them up for each line would take longer than encoding it.
  private let tokensBefore: [Int]
  private let tokensAfter: [Int]
  private let keepsLast: Bool
  private let recognizesSpecial: Bool
  private let addsPrefixSpace: Bool
  private let maxLength: Int?
  private let convertsLineEnds: Bool
  private let skipsBlank: Bool
  private let isLines: Bool
  private let doubleBOS: DoubleBOSNote
  /// The chat template, if the input is conversations.
  private let chat: Chat?
  /// The parts of the text that come from a conversation.
  private var input: InputText?
  /// The members that are set or dropped in every record, without `text`.
  private var changes: [Record.Change] = []
  private var changesWithText: [Record.Change] = []
  private var changesWithoutText: [Record.Change] = []

  /// - Parameters:
  ///   - fingerprint: the fingerprint of the vocabulary as records contain it.
  init(
    _ arguments: Arguments, _ tokenizer: Tokenizer, _ fingerprint: String, _ doubleBOS: DoubleBOSNote, _ chat: Chat?
  ) throws {
    self.chat = chat
    self.doubleBOS = doubleBOS
    convertsLineEnds = arguments.has(.crlf)
    skipsBlank = arguments.has(.skipBlank)
    isLines = ![.wholeInput, .nullTerminated, .jsonInput, .chat].contains(where: arguments.has)
    self.tokenizer = tokenizer
    encoder = tokenizer.makeEncoder()
    tokens = TokenBuffer(recordsEnds: arguments.has(.offsets) || arguments.has(.maxLength))
    tokensBefore = arguments.has(.bos) ? tokenizer.tokensBeforeText : []
    guard !arguments.has(.bos) || !tokensBefore.isEmpty else {
      throw ToolError(.badData, "--bos: this model has no beginning-of-text token")
    }
    tokensAfter = arguments.has(.eos) ? tokenizer.tokensAfterText : []
    guard !arguments.has(.eos) || !tokensAfter.isEmpty else {
      throw ToolError(.badData, "--eos: this model has no end-of-text token")
    }
    keepsLast = arguments.text(.keep) == "last"
    recognizesSpecial = arguments.has(.special)
    addsPrefixSpace = arguments.has(.addPrefixSpace)
    maxLength = arguments.integer(.maxLength)
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
    changes += Record.Change.staleWithOtherSequence
    changesWithText = [.set("text") { [unowned self] in $0.append(jsonString: text) }] + changes
    changesWithoutText = [.drop("text")] + changes
  }

  /// Encodes the text or the conversation of a record, and appends the record or its display, with the line end.
  func write(_ record: Record, to output: ByteBuffer) throws {
    if let chat {
      let (text, input) = try chat.render(record)
      self.input = input
      return try text.withUnsafeBufferPointer { try write($0, in: record, isUnchanged: false, to: output) }
    }
    guard let text = try record.string("text") else { throw RecordError("\"text\" is missing") }
    try text.withUnsafeBufferPointer { try write($0, in: record, to: output) }
  }

  /// Encodes a text and appends its record or its display, with the line end.
  ///
  /// - Parameter record: the record that contains the text, if the input is records.
  func write(_ text: UnsafeBufferPointer<UInt8>, in record: Record = Record(), to output: ByteBuffer) throws {
    if convertsLineEnds, hasCarriageReturn(text, atEnd: isLines) {
      let converted = withoutCarriageReturns(text, atEnd: isLines)
      return try converted.withUnsafeBufferPointer { try write($0, in: record, isUnchanged: false, to: output) }
    }
    try write(text, in: record, isUnchanged: true, to: output)
  }

  /// - Parameter isUnchanged: whether the text is the member `text` of the record, without conversion of line ends.
  private func write(
    _ text: UnsafeBufferPointer<UInt8>, in record: Record, isUnchanged: Bool, to output: ByteBuffer
  ) throws {
    if skipsBlank, text.allSatisfy({ $0 == UInt8(ascii: " ") || 0x09...0x0D ~= $0 }) { return }
    try encode(text)
    if display != nil {
      display?.write(Array(tokens.ids), to: output)
      return
    }
    if !isUTF8(self.text.span) {
      record.write(to: output, changesWithoutText)
    } else if try !isUnchanged || !record.has("text") || self.text.count < text.count {
      record.write(to: output, changesWithText)
    } else {
      record.write(to: output, changes)
    }
    output.append(UInt8(ascii: "\n"))
  }

  /// Sets `tokens`, and `text` to the text, or to the part of it that `--max-length` keeps.
  private func encode(_ text: UnsafeBufferPointer<UInt8>) throws {
    tokens.removeAll()
    for id in tokensBefore { tokens.append(Int32(truncatingIfNeeded: id), end: 0) }
    do {
      if chat != nil, let input {  // a copy of `input` for each line would take longer than the test
        try encoder.encode(text, input: input, into: tokens)
      } else {
        try encoder.encode(text, recognizeSpecial: recognizesSpecial, addPrefixSpace: addsPrefixSpace, into: tokens)
      }
    } catch {  // the vocabulary has no token for a byte
      throw RecordError(error.description)
    }
    if let last = tokensBefore.last, tokens.count > tokensBefore.count,
      tokens.ids[tokensBefore.count] == Int32(truncatingIfNeeded: last)
    {
      doubleBOS.write(last)
    }
    self.text = text
    if let maxLength, tokens.count + tokensAfter.count > maxLength { truncate(to: maxLength) }
    for id in tokensAfter where tokens.count < maxLength ?? Int.max {
      tokens.append(Int32(truncatingIfNeeded: id), end: self.text.count)
    }
  }

  /// Removes tokens of the text, so that `maxLength` tokens remain together with those that `--bos` and `--eos` add.
  /// Sets `text` to the part that they encode.
  private func truncate(to maxLength: Int) {
    let kept = max(0, maxLength - tokensBefore.count - tokensAfter.count)
    guard keepsLast else {
      tokens.truncate(to: min(maxLength, tokensBefore.count + kept))
      text = UnsafeBufferPointer(rebasing: text[..<(tokens.ends.last ?? 0)])
      return
    }
    let first = tokens.count - min(kept, tokens.count - tokensBefore.count)
    let start = first > tokensBefore.count ? tokens.ends[first - 1] : 0
    let (ids, ends) = (Array(tokens.ids[first...]), Array(tokens.ends[first...]))
    tokens.truncate(to: min(maxLength, tokensBefore.count))
    text = UnsafeBufferPointer(rebasing: text[start...])
    for (id, end) in zip(ids, ends) { tokens.append(id, end: end - start) }
  }

  private func appendTokens(to buffer: ByteBuffer) {
    buffer.append(UInt8(ascii: "["))
    for (index, id) in tokens.ids.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      if let bytes = tokenizer.bytes(of: Int(id)), isUTF8(bytes.span) {
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

/// Writes a note, once, that `--bos` adds the beginning-of-text token to a text that begins with it.
final class DoubleBOSNote {
  private let tokenizer: Tokenizer
  private let arguments: Arguments
  private let isWritten = Atomic(false)

  init(_ tokenizer: Tokenizer, _ arguments: Arguments) {
    self.tokenizer = tokenizer
    self.arguments = arguments
  }

  func write(_ token: Int) {
    guard !isWritten.exchange(true, ordering: .relaxed) else { return }
    let name = tokenizer.bytes(of: token).map { String(decoding: $0, as: UTF8.self) } ?? "\(token)"
    arguments.note("--bos adds a second \(name) to a text that begins with one")
  }
}

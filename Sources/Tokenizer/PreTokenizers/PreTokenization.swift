/// The steps of pre-tokenization and the model that encodes the parts. It keeps scratch memory: each thread has its
/// own.
final class PreTokenization {
  /// The model of a tokenizer, for one thread.
  enum Encoder {
    case byteLevel(ByteLevelEncoder)
    case characters(CharacterBPEEncoder)
    case unigram(UnigramEncoder)
  }

  private let steps: [PreTokenizerStep]
  /// The splitter of each step that is a `split`.
  private let splitters: [Splitter?]
  private let encoder: Encoder
  /// The whole pre-tokenization if it is one known pattern, which is the fastest case.
  private let onlyPattern: (KnownPattern, ByteLevelEncoder)?

  init(_ steps: [PreTokenizerStep], _ encoder: Encoder) {
    self.steps = steps
    splitters = steps.map { if case .split(let rule) = $0 { Splitter(rule) } else { nil } }
    self.encoder = encoder
    if steps.count == 1, case .known(let pattern) = steps[0], case .byteLevel(let encoder) = encoder {
      onlyPattern = (pattern, encoder)
    } else {
      onlyPattern = nil
    }
  }

  /// A part of a text that the next step splits.
  private struct Part {
    let text: UnsafeBufferPointer<UInt8>
    let range: Range<Int>
    /// Added to an offset in `text` to get the offset in the caller's text.
    let shift: Int
    /// True if the part begins at the start of the original text.
    let isFirst: Bool
    /// Not nil if `text` is in the byte-level alphabet.
    var alphabet: AlphabetText?

    func part(_ range: Range<Int>) -> Part {
      Part(
        text: text, range: range, shift: shift, isFirst: isFirst && range.lowerBound == self.range.lowerBound,
        alphabet: alphabet)
    }
  }

  /// Appends the tokens of a part of a text.
  ///
  /// - Parameters:
  ///   - shift: Added to an offset in `text` to get the offset in the caller's text.
  ///   - isFirst: True if the part begins at the start of the original text.
  func encode(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ shift: Int, isFirst: Bool, into tokens: TokenBuffer
  ) throws(TextEncodingError) {
    if let (pattern, encoder) = onlyPattern {
      return try encoder.encode(text, range, by: pattern, shift, into: tokens)
    }
    try run(0, Part(text: text, range: range, shift: shift, isFirst: isFirst), tokens)
  }

  /// Runs the steps from `index` on.
  private func run(_ index: Int, _ part: Part, _ tokens: TokenBuffer) throws(TextEncodingError) {
    guard !part.range.isEmpty else { return }
    guard index < steps.count else { return try encode(part, tokens) }
    let isLast = index == steps.count - 1
    let (text, range) = (part.text, part.range)
    switch steps[index] {
    case .known(let pattern):
      if isLast, part.alphabet == nil, case .byteLevel(let encoder) = encoder {
        return try encoder.encode(text, range, by: pattern, part.shift, into: tokens)
      }
      try runParts(of: part, index, tokens) { pattern.preTokenEnd(in: text, from: $0, to: range.upperBound) }
    case .digits(let digits):
      try runParts(of: part, index, tokens) { digits.segmentEnd(in: text, from: $0, to: range.upperBound) }
    case .split:
      guard let splitter = splitters[index] else { return }
      splitter.reset(UnsafeBufferPointer(rebasing: text[range]))
      if isLast, part.alphabet == nil, splitter.keepsAll, case .byteLevel(let encoder) = encoder {
        return try encoder.encode(text, range, part.shift, into: tokens) { (start) throws(TextEncodingError) in
          try nextPart(splitter, part)?.upperBound ?? range.upperBound
        }
      }
      while let next = try nextPart(splitter, part) { try run(index + 1, part.part(next), tokens) }
    case .metaspace(let metaspace):
      try runMetaspace(metaspace, index, part, tokens)
    case .prefixSpace:
      guard text[range.lowerBound] != UInt8(ascii: " ") else { return try run(index + 1, part, tokens) }
      let shift = part.shift + range.lowerBound - 1
      try withPrefixSpace(text, range, shift) { (copy) throws(TextEncodingError) in
        try run(
          index + 1, Part(text: copy, range: 0..<copy.count, shift: shift, isFirst: part.isFirst), tokens)
      }
    case .byteAlphabet:
      try runAlphabet(index, part, tokens)
    }
  }

  /// Runs the steps after `index` on each of the parts into which a step divides a part.
  ///
  /// - Parameter partEnd: Returns the end of the part that begins at an offset.
  @inline(__always)
  private func runParts(
    of part: Part, _ index: Int, _ tokens: TokenBuffer, partEnd: (_ start: Int) -> Int
  ) throws(TextEncodingError) {
    var start = part.range.lowerBound
    while start < part.range.upperBound {
      let end = partEnd(start)
      try run(index + 1, part.part(start..<end), tokens)
      start = end
    }
  }

  /// Returns the next part that a splitter makes, as a range of the text of `part`.
  private func nextPart(_ splitter: Splitter, _ part: Part) throws(TextEncodingError) -> Range<Int>? {
    let start = part.range.lowerBound
    do {
      return try splitter.next().map { start + $0.lowerBound..<start + $0.upperBound }
    } catch {
      throw TextEncodingError(.slowPattern, offset: part.alphabet?.start ?? start + error.offset + part.shift)
    }
  }

  // MARK: - Steps that change the text

  private func runMetaspace(
    _ metaspace: Metaspace, _ index: Int, _ part: Part, _ tokens: TokenBuffer
  ) throws(TextEncodingError) {
    let changed = metaspace.transform(
      part.text, part.range, isFirst: part.isFirst, recordsChanges: tokens.recordsEnds)
    let start = part.range.lowerBound + part.shift
    try changed.encode(
      tokens, start: start,
      recorded: metaspace.transform(part.text, part.range, isFirst: part.isFirst, recordsChanges: true)
    ) { (text) throws(TextEncodingError) in
      let whole = Part(text: text, range: 0..<text.count, shift: 0, isFirst: part.isFirst)
      guard metaspace.splits else { return try run(index + 1, whole, tokens) }
      try runParts(of: whole, index, tokens) { metaspace.preTokenEnd(in: text, from: $0) }
    }
  }

  /// A text in the byte-level alphabet, whose parts are mapped back to bytes in ascending order.
  private final class AlphabetText {
    let text: UnsafeBufferPointer<UInt8>
    let shift: Int
    /// An offset in the mapped text, and the offset of the byte for which the character there stands.
    private var position = (mapped: 0, original: 0)
    var start: Int { position.original + shift }

    init(_ part: Part) {
      text = part.text
      shift = part.shift
      position.original = part.range.lowerBound
    }

    func bytes(of range: Range<Int>, in mapped: UnsafeBufferPointer<UInt8>) -> Range<Int> {
      func advance(to end: Int) -> Int {
        for index in position.mapped..<end where mapped[index] & 0xC0 != 0x80 { position.original += 1 }
        position.mapped = end
        return position.original
      }
      let start = advance(to: range.lowerBound)
      return start..<advance(to: range.upperBound)
    }
  }

  private func runAlphabet(_ index: Int, _ part: Part, _ tokens: TokenBuffer) throws(TextEncodingError) {
    var mapped: [UInt8] = []
    mapped.reserveCapacity(2 * part.range.count)
    for byte in part.text[part.range] { ByteLevelAlphabet.append(byte, to: &mapped) }
    let alphabet = AlphabetText(part)
    try mapped.withUnsafeBuffer { (mapped) throws(TextEncodingError) in
      try run(
        index + 1,
        Part(text: mapped, range: 0..<mapped.count, shift: 0, isFirst: part.isFirst, alphabet: alphabet), tokens)
    }
  }

  // MARK: - The model

  private func encode(_ part: Part, _ tokens: TokenBuffer) throws(TextEncodingError) {
    switch encoder {
    case .byteLevel(let encoder):
      guard let alphabet = part.alphabet else {
        return try encoder.encode(part.text, part.range, part.shift, into: tokens)
      }
      let range = alphabet.bytes(of: part.range, in: part.text)
      try encoder.encode(alphabet.text, range, alphabet.shift, into: tokens)
    case .characters(let encoder):
      try encoder.encode(
        UnsafeBufferPointer(rebasing: part.text[part.range]), offset: part.range.lowerBound + part.shift, into: tokens)
    case .unigram(let encoder):
      try encoder.encode(
        UnsafeBufferPointer(rebasing: part.text[part.range]), offset: part.range.lowerBound + part.shift, into: tokens)
    }
  }
}

/// Calls `body` with a copy of a part of the text that has a space before it.
///
/// - Parameter offset: The offset of this space in the caller's text, to recognize it in errors.
func withPrefixSpace(
  _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ offset: Int,
  _ body: (UnsafeBufferPointer<UInt8>) throws(TextEncodingError) -> Void
) throws(TextEncodingError) {
  let space = UInt8(ascii: " ")
  var copy: [UInt8] = [space]
  copy.reserveCapacity(range.count + 1)
  copy.append(contentsOf: UnsafeBufferPointer(rebasing: text[range]))
  do {
    try copy.withUnsafeBuffer(body)
  } catch {
    throw error.offset == offset && error.reason == .noToken(space)
      ? TextEncodingError(byte: space, offset: nil) : error
  }
}

extension Array {
  /// `withUnsafeBufferPointer` with a typed error.
  func withUnsafeBuffer<Value, E: Error>(_ body: (UnsafeBufferPointer<Element>) throws(E) -> Value) throws(E) -> Value {
    let result: Result<Value, E> = withUnsafeBufferPointer { buffer in
      do throws(E) { return .success(try body(buffer)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}

extension NormalizedText {
  /// Calls `body` with the changed text, and maps the ends of the tokens that it appends, and the offset of its error,
  /// to the original text, which begins at `start` of the caller's text.
  ///
  /// - Parameter recorded: The same text with its changes; evaluated for an error if this text has none.
  func encode(
    _ tokens: TokenBuffer, start: Int, recorded: @autoclosure () -> NormalizedText,
    _ body: (UnsafeBufferPointer<UInt8>) throws(TextEncodingError) -> Void
  ) throws(TextEncodingError) {
    let first = tokens.count
    do {
      try bytes.withUnsafeBuffer(body)
    } catch {
      var offsets = Offsets(tokens.recordsEnds ? self : recorded(), start: start)
      throw TextEncodingError(error.reason, offset: error.offset.map { offsets.offset(of: $0) })
    }
    mapEnds(of: tokens, from: first, start: start)
  }
}

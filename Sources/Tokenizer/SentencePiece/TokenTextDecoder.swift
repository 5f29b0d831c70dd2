/// The decoders of tokenizer.json for models of characters: from the pieces of tokens to the bytes of a text
/// (`tokenizers`, decoders). Text can be decoded token by token.
///
/// ```swift
/// let decoder = try TokenTextDecoder([.replace(SafeSplitting.mark, [0x20]), .byteFallback, .fuse, .strip(0x20, 1, 0)])
/// var state = decoder.start
/// var text: [UInt8] = []
/// for id in ids { decoder.append(pieces.bytes(of: id)!, &state, to: &text) }
/// ```
package struct TokenTextDecoder: Sendable {
  package enum Step: Sendable, Equatable {
    /// `Metaspace`: replaces the character (in UTF-8) by a space, and removes it in the first token unless the prepend
    /// scheme is `never`.
    case metaspace(replacement: [UInt8], removesFirst: Bool)
    /// `Replace` with a pattern that is a string.
    case replace(_ pattern: [UInt8], _ content: [UInt8])
    /// `ByteFallback`: the token `<0xHH>` is a byte.
    case byteFallback
    /// `Fuse`: the following steps apply to the text instead of to each token.
    case fuse
    /// `ByteLevel`: a character of the byte-level alphabet is a byte.
    case byteLevel
    /// No decoder: there is a space before each token but the first.
    case spaceBetween
    /// `Strip`: removes the character (in UTF-8) at most `start` times at the start, and `stop` times at the end.
    case strip(_ content: [UInt8], start: Int, stop: Int)
  }

  /// The position in a text that is decoded token by token.
  package struct State: Sendable {
    fileprivate var isFirst = true
    /// How many characters may still be removed at the start of the text, for each `strip` after `fuse`.
    fileprivate var left: [Int]
  }

  let steps: [Step]
  private let tokenSteps: [Step]
  private let textSteps: [(content: [UInt8], start: Int)]

  /// Throws if the steps need the whole text: after `fuse`, only `strip` at the start is supported.
  package init(_ steps: [Step]) throws(VocabularyError) {
    self.steps = steps
    let fuse = steps.firstIndex(of: .fuse) ?? steps.count
    tokenSteps = Array(steps[..<fuse])
    var textSteps: [(content: [UInt8], start: Int)] = []
    for step in steps[fuse...] where step != .fuse {
      guard case .strip(let content, let start, stop: 0) = step else {
        throw VocabularyError(reason: "the decoder \"\(step.name)\" after \"Fuse\" is not supported")
      }
      textSteps.append((content, start))
    }
    self.textSteps = textSteps
  }

  /// The state before the first token of a text.
  package var start: State { State(left: textSteps.map(\.start)) }

  /// The state after the first characters of a text.
  var middle: State {
    var state = start
    state.isFirst = false
    state.left = state.left.map { _ in 0 }
    return state
  }

  /// Returns true if a token within a text is its spelling. False for some tokens of which this holds.
  func keeps(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
    guard tokenSteps.allSatisfy({ $0 == .byteFallback || $0.isReplacementOfMark }) else { return false }
    return token.first != UInt8(ascii: "<") && !token.contains(SafeSplitting.mark[0])
  }

  /// Appends the bytes of the next token of a text. Tokens that are not decoded, such as special tokens that are
  /// skipped, must be left out.
  ///
  /// - Parameter isAdded: True for an added token, which is text and not in the byte-level alphabet.
  package func append(
    _ token: some Sequence<UInt8>, isAdded: Bool = false, _ state: inout State, to text: inout [UInt8]
  ) {
    var bytes = Array(token)
    for step in tokenSteps where !isAdded || step != .byteLevel { step.apply(to: &bytes, isFirst: state.isFirst) }
    state.isFirst = false
    for index in textSteps.indices where state.left[index] > 0 && !bytes.isEmpty {
      let content = textSteps[index].content
      var removed = 0
      while state.left[index] > 0, !content.isEmpty, bytes[removed...].starts(with: content) {
        removed += content.count
        state.left[index] -= 1
      }
      bytes.removeFirst(removed)
      if !bytes.isEmpty { state.left[index] = 0 }
    }
    text += bytes
  }

  /// Returns the text of some tokens.
  package func decode(_ tokens: some Sequence<some Sequence<UInt8>>) -> [UInt8] {
    var text: [UInt8] = []
    var state = start
    for token in tokens { append(token, &state, to: &text) }
    return text
  }
}

extension TokenTextDecoder.Step {
  /// The name of the step in tokenizer.json.
  var name: String {
    switch self {
    case .metaspace: "Metaspace"
    case .replace: "Replace"
    case .byteFallback: "ByteFallback"
    case .fuse: "Fuse"
    case .strip: "Strip"
    case .byteLevel: "ByteLevel"
    case .spaceBetween: "null"
    }
  }

  /// An upper bound of the bytes per byte of a token that the step makes.
  var growth: Int {
    switch self {
    case .replace(let pattern, let content): content.count / max(1, pattern.count) + 1
    case .spaceBetween: 2
    case .metaspace, .byteFallback, .byteLevel, .fuse, .strip: 1
    }
  }

  /// True if the step changes only tokens that contain `▁`.
  fileprivate var isReplacementOfMark: Bool {
    switch self {
    case .metaspace(SafeSplitting.mark, _), .replace(SafeSplitting.mark, _): true
    default: false
    }
  }

  fileprivate func apply(to bytes: inout [UInt8], isFirst: Bool) {
    switch self {
    case .metaspace(let replacement, let removesFirst):
      Self.replace(replacement, by: isFirst && removesFirst ? [] : [UInt8(ascii: " ")], in: &bytes)
    case .replace(let pattern, let content): Self.replace(pattern, by: content, in: &bytes)
    case .byteFallback: if let byte = byteOfTokenSpelling(bytes) { bytes = [byte] }
    case .byteLevel: if let decoded = ByteLevelAlphabet.decode(bytes) { bytes = decoded }
    case .spaceBetween: if !isFirst { bytes.insert(UInt8(ascii: " "), at: 0) }
    case .fuse: break
    case .strip(let content, let start, let stop):
      guard !content.isEmpty else { return }
      var slice = bytes[...]
      for _ in 0..<start {
        guard slice.starts(with: content) else { break }
        slice = slice.dropFirst(content.count)
      }
      for _ in 0..<stop {
        guard slice.suffix(content.count).elementsEqual(content) else { break }
        slice = slice.dropLast(content.count)
      }
      bytes = Array(slice)
    }
  }

  private static func replace(_ pattern: [UInt8], by content: [UInt8], in bytes: inout [UInt8]) {
    guard let first = pattern.first, bytes.contains(first) else { return }
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == first, bytes[index...].starts(with: pattern) {
        result += content
        index += pattern.count
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    bytes = result
  }
}

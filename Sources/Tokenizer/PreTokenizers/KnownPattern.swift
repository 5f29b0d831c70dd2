/// A pre-tokenizer: splits a text into the pre-tokens that are merged separately. The raw values are the published
/// regular expressions; they are implemented by hand, over bytes and scalars. A byte that is not UTF-8 is treated as
/// punctuation.
package enum KnownPattern: String, CaseIterable, Sendable {
  case gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  case llama3 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  /// Like Llama 3's, except that each number is a pre-token.
  case qwen2 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  /// Returns the end of the pre-token that begins at `start`; `start < limit`. Nothing at or after `limit`, the end of
  /// the text, is read.
  @inline(__always)
  package func preTokenEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int {
    switch self {
    case .gpt2: gpt2PreTokenEnd(in: text, from: start, to: limit)
    case .llama3: llama3PreTokenEnd(in: text, from: start, to: limit, longestNumber: 3)
    case .qwen2: llama3PreTokenEnd(in: text, from: start, to: limit, longestNumber: 1)
    }
  }
}

@inline(__always)
private func gpt2PreTokenEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int {
  let first = text[start]
  if first == UInt8(ascii: "'"), let end = contractionEnd(in: text, from: start, to: limit, ignoringCase: false) {
    return end
  }
  // One space may precede a run of letters, numbers or others; other white space may not
  let runStart = first == space && start + 1 < limit ? start + 1 : start
  let (kind, length) = classifyScalar(in: text, at: runStart, limit: limit)
  guard kind == .whiteSpace else { return runEnd(of: kind, in: text, from: runStart + length, to: limit) }
  return whiteSpaceEnd(in: text, from: start, to: limit, includingLineEnds: false)
}

@inline(__always)
private func llama3PreTokenEnd(
  in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int, longestNumber: Int
) -> Int {
  let first = text[start]
  if first == UInt8(ascii: "'"), let end = contractionEnd(in: text, from: start, to: limit, ignoringCase: true) {
    return end
  }
  let (kind, length) = classifyScalar(in: text, at: start, limit: limit)
  let second = start + length
  if kind == .letter { return runEnd(of: .letter, in: text, from: second, to: limit) }
  if kind == .number { return numberEnd(in: text, from: second, to: limit, longest: longestNumber) }
  guard second < limit else { return limit }
  // Any scalar except a line end may precede letters, and a space may precede other scalars
  let next = classifyScalar(in: text, at: second, limit: limit)
  if next.class == .letter, !isLineEnd(first) {
    return runEnd(of: .letter, in: text, from: second + next.length, to: limit)
  }
  guard kind == .other || first == space && next.class == .other else {
    return whiteSpaceEnd(in: text, from: start, to: limit, includingLineEnds: true)
  }
  var end = runEnd(of: .other, in: text, from: second, to: limit)
  while end < limit, isLineEnd(text[end]) { end += 1 }
  return end
}

private let space = UInt8(ascii: " ")

@inline(__always)
private func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") }

/// Returns the end of the contraction, such as `'s`, that begins at `start`, or nil if none begins there.
///
/// - Parameter ignoringCase: Unicode case folding: U+017F, `ſ`, is an `s` too; the other letters have no such variants.
@inline(__always)
private func contractionEnd(
  in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int, ignoringCase: Bool
) -> Int? {
  let caseBit: UInt8 = ignoringCase ? 0x20 : 0
  @inline(__always) func letter(_ offset: Int) -> UInt8? {
    start + offset < limit ? text[start + offset] | caseBit : nil
  }
  switch letter(1) {
  case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
  case UInt8(ascii: "r"), UInt8(ascii: "v"): return letter(2) == UInt8(ascii: "e") ? start + 3 : nil
  case UInt8(ascii: "l"): return letter(2) == UInt8(ascii: "l") ? start + 3 : nil
  case 0xE5 where ignoringCase && start + 2 < limit:
    return text[start + 1] == 0xC5 && text[start + 2] == 0xBF ? start + 3 : nil
  default: return nil
  }
}

/// Returns the end of a run of numbers after its first one: at most `longest` numbers in all.
@inline(__always)
private func numberEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int, longest: Int) -> Int {
  var index = start
  for _ in 1..<longest where index < limit {
    let next = classifyScalar(in: text, at: index, limit: limit)
    guard next.class == .number else { break }
    index += next.length
  }
  return index
}

@inline(__always)
private func runEnd(
  of kind: ScalarClass, in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int
) -> Int {
  var index = start
  while true {
    if kind == .letter { index = asciiLettersEnd(in: text, from: index, to: limit) }
    guard index < limit else { return index }
    let next = classifyScalar(in: text, at: index, limit: limit)
    guard next.class == kind else { return index }
    index &+= next.length
  }
}

/// Skips ASCII letters, eight at a time. The last few before the limit are handled by the caller.
///
/// A byte of each sum has its highest bit set if the lower-case character is at or above `a`, or above `z`. Bytes that
/// are not ASCII may carry into the bytes above them; this is harmless, because only the lowest mismatch is used.
@inline(__always)
private func asciiLettersEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int {
  guard let base = text.baseAddress else { return start }
  let bytes = UnsafeRawPointer(base)
  let ones: UInt64 = 0x0101_0101_0101_0101
  var index = start
  while index &+ 8 <= limit {
    let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
    let lower = word | 0x20 &* ones
    let (fromA, afterZ) = (lower &+ (0x80 - 0x61) &* ones, lower &+ (0x80 - 0x7B) &* ones)
    let others = (~fromA | afterZ | word) & (0x80 &* ones)
    guard others == 0 else { return index &+ others.trailingZeroBitCount &>> 3 }
    index &+= 8
  }
  return index
}

/// Returns the end of a run of white space. The last scalar is left for the next pre-token, unless it is the only
/// scalar or the text ends with the run.
///
/// - Parameter includingLineEnds: If true, a run that contains a line end ends after its last line end instead.
private func whiteSpaceEnd(
  in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int, includingLineEnds: Bool
) -> Int {
  var last = start
  var index = start
  var lineEnd: Int?
  while index < limit {
    let next = classifyScalar(in: text, at: index, limit: limit)
    guard next.class == .whiteSpace else { return lineEnd ?? (last == start ? index : last) }
    last = index
    index += next.length
    if includingLineEnds, isLineEnd(text[last]) { lineEnd = index }
  }
  return lineEnd ?? limit
}

/// The pre-tokenizer `Digits`, which runs before the other pre-tokenizer: it splits off numbers, and each segment is
/// then pre-tokenized as a separate text.
package enum DigitSplitting: Equatable, Sendable {
  case none
  /// `individual_digits: false`
  case runs
  /// `individual_digits: true`
  case individual

  /// Returns the end of the segment that begins at `start`; `start < limit`.
  package func segmentEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int {
    guard self != .none else { return limit }
    var (startsWithDigit, index) = isDigit(in: text, at: start, limit: limit)
    index += start
    if startsWithDigit && self == .individual { return index }
    while index < limit {
      let (isDigit, length) = isDigit(in: text, at: index, limit: limit)
      guard isDigit == startsWithDigit else { break }
      index += length
    }
    return index
  }

  private func isDigit(in text: UnsafeBufferPointer<UInt8>, at index: Int, limit: Int) -> (Bool, length: Int) {
    if text[index] < 0x80 { return (text[index] &- 0x30 < 10, 1) }
    let (value, length) = decodeScalar(in: text, at: index, limit: limit)
    guard let value else { return (false, length) }
    return (ScalarClass(value) == .number || UnicodeClasses.isDigitOutsideNumbers(value), length)
  }
}

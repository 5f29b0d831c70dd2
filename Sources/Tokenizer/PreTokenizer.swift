/// How a text becomes the pieces that are merged each for itself. The rules are published as regular expressions; here
/// they are written by hand, over bytes and scalars. A byte that is not UTF-8 counts as punctuation.
package enum PreTokenizer: String, CaseIterable, Sendable {
  case gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  case llama3 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  /// Like Llama 3's, but that each number is a piece.
  case qwen2 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  /// The end of the piece that begins at `start`, for `start < limit`. Nothing at or past `limit` is looked at: it is the
  /// end of the text.
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
  // One space may stand before a run of letters, of numbers or of others; no other white space may
  let runStart = first == space && start + 1 < limit ? start + 1 : start
  let (kind, length) = item(in: text, at: runStart, limit: limit)
  guard kind == .whiteSpace else { return runEnd(of: kind, in: text, from: runStart + length, to: limit) }
  return whiteSpaceEnd(in: text, from: start, to: limit, endsLines: false)
}

@inline(__always)
private func llama3PreTokenEnd(
  in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int, longestNumber: Int
) -> Int {
  let first = text[start]
  if first == UInt8(ascii: "'"), let end = contractionEnd(in: text, from: start, to: limit, ignoringCase: true) {
    return end
  }
  let (kind, length) = item(in: text, at: start, limit: limit)
  let second = start + length
  if kind == .letter { return runEnd(of: .letter, in: text, from: second, to: limit) }
  if kind == .number { return numberEnd(in: text, from: second, to: limit, longest: longestNumber) }
  guard second < limit else { return limit }
  // Anything but a line's end may stand before letters, and a space before others
  let next = item(in: text, at: second, limit: limit)
  if next.class == .letter, !isLineEnd(first) {
    return runEnd(of: .letter, in: text, from: second + next.length, to: limit)
  }
  guard kind == .other || first == space && next.class == .other else {
    return whiteSpaceEnd(in: text, from: start, to: limit, endsLines: true)
  }
  var end = runEnd(of: .other, in: text, from: second, to: limit)
  while end < limit, isLineEnd(text[end]) { end += 1 }
  return end
}

private let space = UInt8(ascii: " ")

@inline(__always)
private func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") }

/// - Parameter ignoringCase: as Unicode has it. U+017F, `ſ`, is an `s` too; the other letters have no such relatives.
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

/// The end of a run of numbers of which one has been passed, after `longest` of them at most.
@inline(__always)
private func numberEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int, longest: Int) -> Int {
  var index = start
  for _ in 1..<longest where index < limit {
    let next = item(in: text, at: index, limit: limit)
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
    let next = item(in: text, at: index, limit: limit)
    guard next.class == kind else { return index }
    index &+= next.length
  }
}

/// Passes over ASCII letters, eight at once, and leaves the last few before the limit to others.
///
/// Each sum carries into the highest bit of a byte where its character, in lower case, is at or behind a letter of the
/// alphabet's ends. Bytes that are not ASCII may carry into those above; but what is wanted is the lowest.
@inline(__always)
private func asciiLettersEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int {
  guard let base = text.baseAddress else { return start }
  let bytes = UnsafeRawPointer(base)
  let ones: UInt64 = 0x0101_0101_0101_0101
  var index = start
  while index &+ 8 <= limit {
    let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
    let lower = word | 0x20 &* ones
    let (fromA, behindZ) = (lower &+ (0x80 - 0x61) &* ones, lower &+ (0x80 - 0x7B) &* ones)
    let others = (~fromA | behindZ | word) & (0x80 &* ones)
    guard others == 0 else { return index &+ others.trailingZeroBitCount &>> 3 }
    index &+= 8
  }
  return index
}

/// A run of white space leaves its last scalar to what follows, unless it is alone or nothing follows.
///
/// - Parameter endsLines: a run with a line's end in it ends behind the last one instead.
private func whiteSpaceEnd(
  in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int, endsLines: Bool
) -> Int {
  var last = start
  var index = start
  var lineEnd: Int?
  while index < limit {
    let next = item(in: text, at: index, limit: limit)
    guard next.class == .whiteSpace else { return lineEnd ?? (last == start ? index : last) }
    last = index
    index += next.length
    if endsLines, isLineEnd(text[last]) { lineEnd = index }
  }
  return lineEnd ?? limit
}

/// The pre-tokenizer `Digits`, which stands before the splitting rule: numbers are cut out of the text, and the rule
/// sees each part as a text of its own.
package enum DigitSplitting: Equatable, Sendable {
  case none
  /// `individual_digits: false`
  case runs
  /// `individual_digits: true`
  case individual

  /// The end of the part that begins at `start`, for `start < limit`.
  package func partEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int {
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
    let (value, length) = scalar(in: text, at: index, limit: limit)
    guard let value else { return (false, length) }
    return (ScalarClass(value) == .number || UnicodeClasses.isDigitOutsideNumbers(value), length)
  }
}

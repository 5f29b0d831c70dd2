/// GPT-2's splitting rule, the regular expression
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, by hand: the end of the piece that
/// begins at `start`, for `start < limit`. Nothing at or past `limit` is looked at: it is the end of the text.
@inline(__always)
package func pieceEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int {
  let first = text[start]
  if first == UInt8(ascii: "'"), let end = contractionEnd(in: text, from: start, to: limit) { return end }
  // One space may stand before a run of letters, of numbers or of others; no other white space may
  let runStart = first == 0x20 && start + 1 < limit ? start + 1 : start
  let (kind, length) = item(in: text, at: runStart, limit: limit)
  guard kind == .whiteSpace else { return runEnd(of: kind, in: text, from: runStart + length, to: limit) }
  return whiteSpaceEnd(in: text, from: start, to: limit)
}

@inline(__always)
private func contractionEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int? {
  guard start + 1 < limit else { return nil }
  switch text[start + 1] {
  case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
  case UInt8(ascii: "r"), UInt8(ascii: "v"):
    return start + 2 < limit && text[start + 2] == UInt8(ascii: "e") ? start + 3 : nil
  case UInt8(ascii: "l"):
    return start + 2 < limit && text[start + 2] == UInt8(ascii: "l") ? start + 3 : nil
  default: return nil
  }
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
private func whiteSpaceEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int {
  var last = start
  var index = start
  while index < limit {
    let next = item(in: text, at: index, limit: limit)
    guard next.class == .whiteSpace else { return last == start ? index : last }
    last = index
    index += next.length
  }
  return limit
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

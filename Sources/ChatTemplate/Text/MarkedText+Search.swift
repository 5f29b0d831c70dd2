// Searching, splitting and stripping, as the methods of Python's `str`.

extension ArraySlice<MarkedScalar> {
  /// Returns the text without white space, or without the scalars in `set`, at the chosen ends.
  func stripped(_ set: MarkedText? = nil, left: Bool = true, right: Bool = true) -> ArraySlice<MarkedScalar> {
    func isStripped(_ scalar: MarkedScalar) -> Bool { set?.contains(scalar) ?? scalar.isWhiteSpace }
    var rest = self
    if left { rest = rest.drop { isStripped($0) } }
    if right { while let last = rest.last, isStripped(last) { rest.removeLast() } }
    return rest
  }
}

extension [MarkedScalar] {
  func stripped(_ set: MarkedText? = nil, left: Bool = true, right: Bool = true) -> MarkedText {
    MarkedText(self[...].stripped(set, left: left, right: right))
  }

  /// Returns the parts between runs of white space; at most `limit` + 1 parts, the last of which is the rest.
  func words(limit: Int) -> [MarkedText] {
    var words: [MarkedText] = []
    var rest = self[...].stripped(right: false)
    while !rest.isEmpty, words.count < limit {
      let word = rest.prefix { !$0.isWhiteSpace }
      words.append(MarkedText(word))
      rest = rest[word.endIndex...].stripped(right: false)
    }
    if !rest.isEmpty { words.append(MarkedText(rest)) }
    return words
  }

  /// Returns the parts between runs of white space, from the right: the first part is the rest.
  func wordsFromRight(limit: Int) -> [MarkedText] {
    MarkedText(reversed()).words(limit: limit).reversed().map { MarkedText($0.reversed()) }
  }

  /// Returns the lines, divided as by Python's `str.splitlines`.
  func lines(keepsEnds: Bool = false) -> [MarkedText] {
    var lines: [MarkedText] = []
    var (start, index) = (0, 0)
    while index < count {
      var end = index + 1
      switch self[index].value {
      case 0x0D: if end < count, self[end].value == 0x0A { end += 1 }
      case 0x0A...0x0C, 0x1C...0x1E, 0x85, 0x2028, 0x2029: break
      default:
        index += 1
        continue
      }
      lines.append(MarkedText(self[start..<(keepsEnds ? end : index)]))
      (start, index) = (end, end)
    }
    if start < count { lines.append(MarkedText(self[start...])) }
    return lines
  }
}

/// Finds a text in another one. The number of comparisons is added to a budget, because it can be as large as the
/// product of the lengths.
struct TextSearch {
  let text: MarkedText
  let pattern: MarkedText

  /// Returns the first index at or after `start` at which the pattern occurs; nil if it does not occur before `end`.
  func next(from start: Int, before end: Int? = nil, _ budget: inout Budget) throws(BudgetError) -> Int? {
    var index = start
    let last = (end ?? text.count) - pattern.count
    while index <= last {
      if try matches(at: index, &budget) { return index }
      index += 1
    }
    return nil
  }

  /// Returns the last index, at or after `start`, at which the pattern occurs before `end`.
  func last(from start: Int = 0, before end: Int? = nil, _ budget: inout Budget) throws(BudgetError) -> Int? {
    var index = (end ?? text.count) - pattern.count
    while index >= start {
      if try matches(at: index, &budget) { return index }
      index -= 1
    }
    return nil
  }

  private func matches(at index: Int, _ budget: inout Budget) throws(BudgetError) -> Bool {
    var length = 0
    while length < pattern.count, text[index + length] == pattern[length] { length += 1 }
    try budget.spend(scalars: length + 1)
    return length == pattern.count
  }

  /// Returns the indices of the matches that do not overlap, from the left; at most `limit`.
  func all(limit: Int, _ budget: inout Budget) throws(BudgetError) -> [Int] {
    var matches: [Int] = []
    var position = 0
    while matches.count < limit, let found = try next(from: position, &budget) {
      matches.append(found)
      position = found + Swift.max(pattern.count, 1)
    }
    return matches
  }

  /// The same from the right, in ascending order.
  func allFromRight(limit: Int, _ budget: inout Budget) throws(BudgetError) -> [Int] {
    var matches: [Int] = []
    var end = text.count
    while matches.count < limit, let found = try last(before: end, &budget) {
      matches.append(found)
      end = found
    }
    return matches.reversed()
  }
}

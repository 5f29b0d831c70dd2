import CPlatform

// The tables of a byte-level vocabulary in an image. The reader compares every index in them with the array that it
// leads to, in one pass, so that no image leads to memory outside of the arrays or to a search without end.

extension ImageWriter {
  mutating func append(_ vocabulary: Vocabulary) {
    let arrays = vocabulary.arrays
    append(arrays.tokens)
    append(arrays.bytes)
    append(arrays.results)
    append(arrays.alternativeMerges)
    append(arrays.index)
  }

  mutating func append(_ index: TokenIndex) {
    append(index.longestIndexedToken)
    append(index.table)
  }
}

extension ImageReader {
  mutating func vocabulary() throws(ImageError) -> Vocabulary {
    let tokens: FlatArray<Vocabulary.Token> = try array()
    let bytes: FlatArray<UInt8> = try array()
    try checkTokens(tokens, bytes)
    let results: FlatArray<Int32> = try array()
    try require(results.count <= Vocabulary.limit)
    try results.checkIDs(below: tokens.count, least: 0)
    let alternatives: FlatArray<Vocabulary.AlternativeMerge> = try array()
    try checkMerges(tokens, results.count, alternatives)
    let index = try tokenIndex(tokenCount: tokens.count)
    return Vocabulary(
      Vocabulary.Arrays(tokens: tokens, bytes: bytes, results: results, alternativeMerges: alternatives, index: index))
  }

  /// Checks that each token is in `bytes`.
  func checkTokens(_ tokens: FlatArray<Vocabulary.Token>, _ bytes: FlatArray<UInt8>) throws(ImageError) {
    try require(1...Vocabulary.limit ~= tokens.count)
    var end: UInt64 = 0
    for token in tokens.buffer { end = max(end, UInt64(token.start) + UInt64(token.length)) }
    try require(end <= UInt64(bytes.count))
  }

  /// Checks that each merge splits its token between two bytes and has a rank, and that the lists of the merges of one
  /// token have an end: each leads to earlier elements.
  private func checkMerges(
    _ tokens: FlatArray<Vocabulary.Token>, _ mergeCount: Int, _ alternatives: FlatArray<Vocabulary.AlternativeMerge>
  ) throws(ImageError) {
    // Without branches. A rank that is not one, such as `noMerge`, is above all ranks as an unsigned number.
    let (rankLimit, alternativeLimit) = (UInt32(mergeCount), UInt32(alternatives.count))
    var invalid: UInt32 = 0
    for token in tokens.buffer {
      let hasRank: UInt32 = UInt32(bitPattern: token.rank) < rankLimit ? 1 : 0
      let isSplit: UInt32 = token.split &- 1 < token.length &- 1 && token.length > 0 ? 1 : 0
      let hasNone: UInt32 = token.rank == Vocabulary.noMerge ? 1 : 0
      let endsList: UInt32 = token.alternative == -1 ? 1 : 0
      let isInList: UInt32 = UInt32(bitPattern: token.alternative) < alternativeLimit ? 1 : 0
      invalid |= ((hasRank & isSplit) | hasNone) ^ 1
      invalid |= (endsList | (isInList & hasRank)) ^ 1
    }
    try require(invalid == 0)
    // The split of an alternative is compared with the length of its token
    for token in tokens.buffer where token.alternative >= 0 {
      var next = Int(token.alternative)
      while next >= 0 {
        let merge = alternatives.base[next]
        try require(
          0..<mergeCount ~= Int(merge.rank) && 0 < merge.split && merge.split < token.length
            && -1..<next ~= Int(merge.alternative))
        next = Int(merge.alternative)
      }
    }
  }

  mutating func tokenIndex(tokenCount: Int) throws(ImageError) -> TokenIndex {
    let longest = try integer(in: 0...Vocabulary.longestToken)
    let entries: FlatArray<UInt32> = try array()
    try require(entries.hasSizeOfHashTable)
    let summary = lmpipe_summarize_32(entries.base, entries.count, 0xFF_FFFF)
    try require(Int(summary.highest) < tokenCount && 2 * Int(summary.empty) >= entries.count)
    return TokenIndex(entries, longestIndexedToken: longest)
  }
}

extension FlatArray {
  /// True if the number of elements is a power of two.
  var hasSizeOfHashTable: Bool { count > 0 && count & (count - 1) == 0 }
}

extension FlatArray<Int32> {
  /// Checks that each element is an id below a limit, at least `least`, which is 0 or -1.
  func checkIDs(below limit: Int, least: Int32) throws(ImageError) {
    try require(limit <= Vocabulary.limit && lmpipe_all_in_range(base, count, least, Int32(limit) - 1))
  }
}

extension FlatArray<UInt32> {
  /// Checks that the elements are ends of strings in a text of `textCount` bytes: they begin with 0 and do not
  /// decrease, and no string is longer than a token.
  func checkEnds(in textCount: Int) throws(ImageError) {
    try require(count > 0 && base[0] == 0)
    try require(lmpipe_all_ascending(base, count, UInt32(Vocabulary.longestToken)))
    try require(Int(base[count - 1]) <= textCount)
  }
}

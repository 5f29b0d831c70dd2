import JSON

/// Byte strings by number, in one array of less than 4 GB.
struct ByteStrings {
  private var bytes: [UInt8] = []
  /// The range of each string; 32-bit offsets bound the memory for a million merges.
  private var ranges: [Range<UInt32>] = []

  var count: Int { ranges.count }

  subscript(_ number: Int) -> [UInt8] {
    Array(bytes[Int(ranges[number].lowerBound)..<Int(ranges[number].upperBound)])
  }

  mutating func append(_ text: some Collection<UInt8>) {
    let start = UInt32(bytes.count)
    bytes.append(contentsOf: text)
    ranges.append(start..<UInt32(bytes.count))
  }

  /// Sets the byte string with this number. Numbers before it that are not set are empty. Returns false if it is
  /// already set.
  mutating func set(_ number: Int, _ text: some Collection<UInt8>) -> Bool {
    while number >= ranges.count { ranges.append(0..<0) }
    guard ranges[number].isEmpty else { return false }
    let start = UInt32(bytes.count)
    bytes.append(contentsOf: text)
    ranges[number] = start..<UInt32(bytes.count)
    return true
  }

  /// Calls `body` with a sequence of all byte strings.
  func withStrings<Result>(
    _ body: (LazyMapSequence<[Range<UInt32>], UnsafeBufferPointer<UInt8>>) throws(VocabularyError) -> Result
  ) throws(VocabularyError) -> Result {
    try bytes.withUnsafeBuffer { (bytes) throws(VocabularyError) in
      try body(ranges.lazy.map { UnsafeBufferPointer(rebasing: bytes[Int($0.lowerBound)..<Int($0.upperBound)]) })
    }
  }
}

/// The vocabulary and the settings of a model of characters, as files describe it.
struct CharacterModelTables {
  /// The order in which pairs of pieces are joined.
  enum Merges {
    /// `merges`, as in tokenizer.json.
    case listed
    /// Every piece in the list that consists of two pieces in the list, in the order of the list.
    case derived(order: [Int])
  }

  var isUnigram = false
  var pieces = ByteStrings()
  /// The score of each piece of a unigram model.
  var scores: [Double] = []
  var rule = Merges.listed
  /// The halves of the merges: two for each.
  var merges = ByteStrings()
  var unknownToken: [UInt8]?
  /// An error if `unknownToken` is not in the vocabulary; otherwise there is then no unknown token.
  var requiresUnknownToken = true
  var unknownID: Int?
  var fusesUnknown = false
  var hasByteFallback = false
  var ignoresMerges = false

  init() {}

  /// Returns the pieces and, unless the purpose is decoding, the model.
  func makeModel(
    for purpose: Tokenizer.Purpose
  ) throws(VocabularyError) -> (pieces: PieceTable, model: Tokenizer.Model) {
    let table = try pieces.withStrings { (strings) throws(VocabularyError) in
      try PieceTable(strings, duplicates: .lastWins)
    }
    guard purpose == .encoding else {
      let unknownID = isUnigram ? unknownID : unknownToken.map { Int(table.id(of: $0)) }
      return (table, .none(unknownID: unknownID.flatMap { $0 < 0 ? nil : $0 }))
    }
    if isUnigram {
      return (
        table,
        .unigram(try Unigram(table, scores: scores, unknownID: unknownID, byteFallback: hasByteFallback))
      )
    }
    if case .derived(let order) = rule {
      return (table, .characters(try characterBPE(table, try table.derivedMerges(order))))
    }
    let model = try merges.withStrings { (strings) throws(VocabularyError) in
      try characterBPE(
        table, stride(from: 0, to: strings.count, by: 2).lazy.map { (left: strings[$0], right: strings[$0 + 1]) })
    }
    return (table, .characters(model))
  }

  private func characterBPE(
    _ table: PieceTable, _ merges: some Sequence<PieceTable.Merge>
  ) throws(VocabularyError) -> CharacterBPE {
    try CharacterBPE(
      table, merges: merges,
      unknownToken: unknownToken.flatMap { requiresUnknownToken || table.id(of: $0) >= 0 ? $0 : nil },
      fusesUnknown: fusesUnknown, byteFallback: hasByteFallback,
      ignoresMerges: ignoresMerges)
  }
}

extension PieceTable {
  typealias Merge = (left: UnsafeBufferPointer<UInt8>, right: UnsafeBufferPointer<UInt8>)

  /// Returns the merges of a vocabulary that lists none: for each of these pieces in order, all ways to make it of two
  /// of them, the shortest first half first (`transformers`, `generate_merges`). Valid as long as the table exists.
  ///
  /// - Throws: An error for a piece of more than 1,024 bytes, because the time is quadratic in the length of a piece.
  func derivedMerges(_ order: [Int]) throws(VocabularyError) -> [Merge] {
    var isListed = [Bool](repeating: false, count: count)
    for id in order { isListed[id] = true }
    func isFound(_ part: UnsafeBufferPointer<UInt8>) -> Bool {
      guard let base = part.baseAddress else { return false }
      let id = id(of: base, count: part.count, paddedCount: part.count)
      return id >= 0 && isListed[Int(id)]
    }
    var merges: [Merge] = []
    for id in order {
      guard let piece = bytes(of: id) else { continue }
      guard piece.count <= 1 << 10 else {
        throw VocabularyError(reason: "token \(id) has \(piece.count) bytes (at most 1024 allowed without merges)")
      }
      for split in piece.indices.dropFirst() where piece[split] & 0xC0 != 0x80 {
        let (left, right) = (
          UnsafeBufferPointer(rebasing: piece[..<split]), UnsafeBufferPointer(rebasing: piece[split...])
        )
        if isFound(left), isFound(right) { merges.append((left, right)) }
      }
    }
    return merges
  }
}

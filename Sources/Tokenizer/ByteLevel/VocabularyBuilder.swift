import JSON

/// An error in a token or a merge. The reader that catches it adds the position in the file.
package struct VocabularyError: Error {
  package let reason: String

  static func outOfRange(_ id: Int) -> VocabularyError {
    VocabularyError(reason: "the id \(id) is out of range (0 to \(Vocabulary.limit - 1))")
  }
}

/// Fills the tables of a `Vocabulary`: first all tokens of the model, then, after `finishTokens`, added tokens and
/// merges.
struct VocabularyBuilder {
  private let slab = Slab()
  private var tokens: SlabArray<Vocabulary.Token>
  private var bytes: SlabArray<UInt8>
  private var alternativeMerges: SlabArray<Vocabulary.AlternativeMerge>
  private var scratch: SlabArray<UInt8>
  private let purpose: Tokenizer.Purpose
  private var index: TokenIndex  // empty for decoding
  private var isComplete = false
  private var results: SlabArray<Int32>  // the token of each merge so far

  /// Creates a builder. `tokens` and `bytes` are estimates: there can be more, and memory that is not touched costs
  /// nothing.
  init(tokens: Int, bytes: Int, _ purpose: Tokenizer.Purpose) {
    self.purpose = purpose
    self.tokens = SlabArray(capacity: tokens, in: slab)
    scratch = SlabArray(capacity: 256, in: slab)
    alternativeMerges = SlabArray(capacity: 0, in: slab)
    index = TokenIndex(capacity: 0, in: slab)
    self.bytes = SlabArray(capacity: bytes, in: slab)
    results = SlabArray(capacity: 0, in: slab)
  }

  /// Defines a token of the model, spelled in the byte-level alphabet. Returns false if the spelling contains other
  /// characters, which is allowed for an added token only: it must then be defined with `defineAdded`.
  mutating func define(_ id: Int, spelling: UnsafeBufferPointer<UInt8>) throws(VocabularyError) -> Bool {
    try reserveEntry(id)
    guard tokens.base[id].length == 0 else { throw VocabularyError(reason: "two tokens have the id \(id)") }
    guard spelling.count <= 2 * Vocabulary.longestToken else { throw tooLong(id, spelling.count / 2) }
    guard !spelling.isEmpty else { return true }  // an id without a token
    let start = bytes.count
    guard ByteLevelAlphabet.decode(spelling, into: &bytes) else {
      bytes.truncate(to: start)
      return false
    }
    try finish(id, start)
    return true
  }

  /// Defines a token whose spelling was read by the fast path. Returns false and does nothing if anything is wrong;
  /// `define(_:spelling:)` with the bytes then throws the error.
  @inline(__always)
  mutating func define(_ id: Int, spelling: FastPathSpelling) -> Bool {
    guard id < Vocabulary.limit, spelling.count > 0, bytes.count < Int(UInt32.max) - FastPathSpelling.storePadding
    else {
      return false
    }
    while id >= tokens.count { tokens.append(.empty) }
    let token = tokens.base + id
    guard token.pointee.length == 0 else { return false }
    bytes.reserve(FastPathSpelling.storePadding)
    spelling.store(to: bytes.base + bytes.count)
    token.pointee.start = UInt32(truncatingIfNeeded: bytes.count)
    token.pointee.length = UInt16(truncatingIfNeeded: spelling.count)
    bytes.appendStored(spelling.count)
    return true
  }

  /// Defines an added token, which is spelled `content` in the text; the model may have defined the same token already.
  mutating func defineAdded(_ id: Int, content: [UInt8]) throws(VocabularyError) {
    try reserveEntry(id)
    guard content.count <= Vocabulary.longestToken else { throw tooLong(id, content.count) }
    scratch.truncate(to: 0)
    let isSpelled = content.withUnsafeBufferPointer { ByteLevelAlphabet.decode($0, into: &scratch) }
    let key = ByteKey(scratch.base, count: scratch.count, paddedCount: scratch.count + SlabArray<UInt8>.padding)
    let asModelToken = isSpelled ? find(key) : -1
    if asModelToken >= 0 && Int(asModelToken) != id {
      throw VocabularyError(
        reason:
          "the added token \(quoted(content)) has the id \(id), but the id \(asModelToken) in the model's vocabulary")
    }
    guard tokens.base[id].length > 0 else {
      let start = bytes.count
      content.withUnsafeBufferPointer { bytes.append($0) }
      return try finish(id, start)
    }
    // The bytes must be equal as well: as a token of the model, "é" is the byte 0xE9
    guard isSpelled, isToken(id, key),
      content.elementsEqual(UnsafeBufferPointer(start: scratch.base, count: scratch.count))
    else {
      throw VocabularyError(reason: "the added token \(quoted(content)) has the id \(id) of another token")
    }
  }

  /// The highest id plus one.
  var tokenCount: Int { tokens.count }

  /// Returns true if a token has this id.
  func hasToken(_ id: Int) -> Bool { id < tokens.count && tokens.base[id].length > 0 }

  /// Returns the bytes that a spelling in the byte-level alphabet stands for, or nil if it has other characters.
  mutating func decodedSpelling(_ spelling: [UInt8]) -> [UInt8]? {
    scratch.truncate(to: 0)
    guard spelling.withUnsafeBufferPointer({ ByteLevelAlphabet.decode($0, into: &scratch) }) else { return nil }
    return Array(UnsafeBufferPointer(start: scratch.base, count: scratch.count))
  }

  /// Returns the ids of the model's tokens with these bytes. Complexity: O(n) in the number of tokens if the vocabulary
  /// is only for decoding, because it has no index then.
  func modelTokens(matching contents: some Collection<[UInt8]>) -> [(id: Int, bytes: [UInt8])] {
    if purpose == .encoding {
      return contents.compactMap { content in
        let id = content.withUnsafeBufferPointer { content in
          content.baseAddress.map { find(ByteKey($0, count: content.count, paddedCount: content.count)) } ?? -1
        }
        return id < 0 ? nil : (Int(id), content)
      }
    }
    let wanted = Set(contents)
    var isWanted = [Bool](repeating: false, count: 1 << 14)  // by length and first byte, to avoid most look-ups
    func filter(_ length: Int, _ first: UInt8) -> Int { (length & 63) << 8 | Int(first) }
    for content in wanted { if let first = content.first { isWanted[filter(content.count, first)] = true } }
    var found: [(Int, [UInt8])] = []
    for id in 0..<tokens.count {
      let token = tokens.base[id]
      guard token.length > 0 else { continue }
      let start = bytes.base + Int(token.start)
      guard isWanted[filter(Int(token.length), start.pointee)] else { continue }
      let content = Array(UnsafeBufferPointer(start: start, count: Int(token.length)))
      if wanted.contains(content) { found.append((id, content)) }
    }
    return found
  }

  /// Returns true if the token with this id has these bytes.
  func isToken(_ id: Int, _ content: [UInt8]) -> Bool {
    content.withUnsafeBufferPointer { content in
      content.baseAddress.map { isToken(id, ByteKey($0, count: content.count, paddedCount: content.count)) } ?? false
    }
  }

  /// Finds duplicate tokens, unless the vocabulary is only for decoding. Call it after all tokens of the model are
  /// defined and before anything else is added.
  mutating func finishTokens() throws(VocabularyError) {
    guard !isComplete else { throw VocabularyError(reason: "duplicate vocabulary") }
    guard tokens.count > 0 else { throw VocabularyError(reason: "the vocabulary has no tokens") }
    isComplete = true
    guard purpose == .encoding else { return }
    index = TokenIndex(capacity: tokens.count, in: slab)
    results = SlabArray(capacity: tokens.count, in: slab)
    for id in 0..<tokens.count where tokens.base[id].length > 0 {
      let existing = index.insert(Int32(id), tokens: tokens.base, bytes: bytes.base)
      guard existing < 0 else {
        throw VocabularyError(reason: "the token \(quoted(id)) has two ids, \(existing) and \(id)")
      }
    }
  }

  var mergeCount: Int { results.count }

  /// Adds the next merge, of two tokens that are spelled in the byte-level alphabet.
  ///
  /// The halves are not looked up: a merge whose halves are not tokens never applies and is harmless.
  mutating func addMerge(
    _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>
  ) throws(VocabularyError) {
    let number = results.count + 1
    guard max(left.count, right.count) <= 2 * Vocabulary.longestToken else {
      throw VocabularyError(reason: "merge \(number): the token is longer than \(Vocabulary.longestToken) bytes")
    }
    scratch.truncate(to: 0)
    guard ByteLevelAlphabet.decode(left, into: &scratch) else { throw foreignMerge(number, left) }
    let split = scratch.count
    guard ByteLevelAlphabet.decode(right, into: &scratch) else { throw foreignMerge(number, right) }
    guard split > 0, scratch.count > split else {
      throw VocabularyError(reason: "merge \(number) has an empty token")
    }
    guard number <= Vocabulary.limit else {
      throw VocabularyError(reason: "too many merges: more than \(Vocabulary.limit)")
    }
    let key = ByteKey(scratch.base, count: scratch.count, paddedCount: scratch.count + SlabArray<UInt8>.padding)
    let expected = expectedResult
    let id = isToken(expected, key) ? expected : Int(find(key))
    guard id >= 0 else {
      throw VocabularyError(
        reason: "merge \(number): \"\(excerpt(Array(left) + Array(right)))\" is not in the vocabulary")
    }
    addMerge(of: id, split: split)
  }

  /// The merge that makes the token whose id follows that of the last merge's token, or nil if there is no such merge
  /// or the fast path cannot read it.
  @inline(__always)
  var expectedMerge: ExpectedMerge? {
    let id = expectedResult
    guard id < tokens.count, results.count < Vocabulary.limit else { return nil }
    let token = tokens.base[id]
    return ExpectedMerge(bytes.base + Int(token.start), count: Int(token.length))
  }

  /// Adds the expected merge, after it was recognized.
  @inline(__always)
  mutating func add(_ merge: ExpectedMerge) { addMerge(of: expectedResult, split: merge.split) }

  /// The id of the next merge's token in trained vocabularies, whose ids are in the order of the merges.
  @inline(__always)
  private var expectedResult: Int { Int(results.last ?? -1) + 1 }

  @inline(__always)
  private mutating func addMerge(of id: Int, split: Int) {
    let token = tokens.base + id
    // `split` is at most the length of the token, which fits in 16 bits
    let (split, rank) = (UInt16(truncatingIfNeeded: split), Int32(truncatingIfNeeded: results.count))
    results.append(Int32(truncatingIfNeeded: id))
    if token.pointee.rank < Vocabulary.noMerge { return addAlternativeMerge(of: token, split: split, rank: rank) }
    token.pointee.split = split
    token.pointee.rank = rank
  }

  /// Adds a merge that makes a token that already has a merge. If the same merge was added before, its rank is
  /// replaced, as in `tokenizers`; so a token has fewer merges than bytes.
  @inline(never)
  private mutating func addAlternativeMerge(
    of token: UnsafeMutablePointer<Vocabulary.Token>, split: UInt16, rank: Int32
  ) {
    if token.pointee.split == split {
      token.pointee.rank = rank
      return
    }
    var next = token.pointee.alternative
    while next >= 0 {
      let merge = alternativeMerges.base + Int(next)
      if merge.pointee.split == split {
        merge.pointee.rank = rank
        return
      }
      next = merge.pointee.alternative
    }
    alternativeMerges.append(
      Vocabulary.AlternativeMerge(split: split, rank: rank, alternative: token.pointee.alternative))
    token.pointee.alternative = Int32(alternativeMerges.count - 1)
  }

  /// Adds all ways to make each token of two tokens, in the order of the ids: the merges of a vocabulary that lists
  /// none (`transformers`, `TikTokenConverter`). The vocabulary must be complete and for encoding.
  mutating func addAllMerges() {
    for id in 0..<tokens.count where tokens.base[id].length > 1 {
      let token = tokens.base[id]
      let (start, count) = (bytes.base + Int(token.start), Int(token.length))
      var splits: [(left: Int32, right: Int32, split: Int)] = []
      for split in 1..<count {
        let left = find(ByteKey(start, count: split, paddedCount: split))
        guard left >= 0 else { continue }
        let right = find(ByteKey(start + split, count: count - split, paddedCount: count - split))
        if right >= 0 { splits.append((left, right, split)) }
      }
      for merge in splits.sorted(by: { ($0.left, $0.right) < ($1.left, $1.right) }) {
        addMerge(of: id, split: merge.split)
      }
    }
  }

  /// Returns the vocabulary. The builder must not be used afterwards.
  func build() -> Vocabulary {
    Vocabulary(
      Vocabulary.Arrays(
        tokens: FlatArray(tokens), bytes: FlatArray(bytes), results: FlatArray(results),
        alternativeMerges: FlatArray(alternativeMerges), index: index))
  }

  // MARK: - Helpers

  /// Ensures that there is an entry for the id.
  private mutating func reserveEntry(_ id: Int) throws(VocabularyError) {
    guard (0..<Vocabulary.limit).contains(id) else { throw .outOfRange(id) }
    while id >= tokens.count { tokens.append(.empty) }
  }

  /// Defines the token as the bytes that were appended since `start`.
  private func finish(_ id: Int, _ start: Int) throws(VocabularyError) {
    let length = bytes.count - start
    guard length > 0 else { throw VocabularyError(reason: "token \(id) is empty") }
    guard length <= Vocabulary.longestToken, bytes.count <= Int(UInt32.max) else { throw tooLong(id, length) }
    tokens.base[id].start = UInt32(start)
    tokens.base[id].length = UInt16(length)
  }

  private func tooLong(_ id: Int, _ length: Int) -> VocabularyError {
    VocabularyError(reason: "token \(id) has \(length) bytes (at most \(Vocabulary.longestToken) allowed)")
  }

  private func find(_ key: ByteKey) -> Int32 {
    key.count <= index.longestIndexedToken ? index.find(key, tokens: tokens.base, bytes: bytes.base) : -1
  }

  @inline(__always)
  private func isToken(_ id: Int, _ key: ByteKey) -> Bool {
    guard id < tokens.count, Int(tokens.base[id].length) == key.count else { return false }
    return key.equals(bytes.base + Int(tokens.base[id].start))
  }

  private func foreignMerge(_ number: Int, _ half: UnsafeBufferPointer<UInt8>) -> VocabularyError {
    VocabularyError(reason: "merge \(number): characters outside the byte-level alphabet: \"\(excerpt(half))\"")
  }

  private func quoted(_ content: [UInt8]) -> String { "\"\(excerpt(content))\"" }

  private func quoted(_ id: Int) -> String {
    let token = tokens.base[id]
    return quoted(Array(UnsafeBufferPointer(start: bytes.base + Int(token.start), count: Int(token.length))))
  }
}

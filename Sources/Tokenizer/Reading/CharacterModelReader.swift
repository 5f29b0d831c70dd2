import JSON

/// Byte strings by number, in one array of less than 4 GB.
struct ByteStrings {
  private var bytes: [UInt8] = []
  /// The range of each string; 32-bit offsets bound the memory for a million merges.
  private var ranges: [Range<UInt32>] = []

  var count: Int { ranges.count }

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
    let result: Swift.Result<Result, VocabularyError> = bytes.withUnsafeBufferPointer { bytes in
      do throws(VocabularyError) {
        return .success(
          try body(ranges.lazy.map { UnsafeBufferPointer(rebasing: bytes[Int($0.lowerBound)..<Int($0.upperBound)]) }))
      } catch { return .failure(error) }
    }
    return try result.get()
  }
}

/// Reads the model of a tokenizer.json whose tokens are spelled in characters: `BPE` or `Unigram`.
struct CharacterModelReader {
  private var type: String?
  private var pieces = ByteStrings()
  private var scores: [Double] = []
  /// The halves of the merges: two for each.
  private var merges = ByteStrings()
  private var isUnigram = false
  private var hasVocabulary = false
  private var unknownToken: [UInt8]?
  private var unknownID: Int?
  private var fusesUnknown = false
  private var hasByteFallback = false
  private var ignoresMerges = false

  /// Reads the model, an object.
  mutating func read(_ scanner: inout JSONScanner, for purpose: Tokenizer.Purpose) throws(JSONError) {
    let start = scanner.position
    guard scanner.bytes.count <= Int(UInt32.max) else { throw scanner.failure("more than 4 GB", at: start) }
    var merges: JSONScanner?
    try scanner.object { (name, scanner) throws(JSONError) in
      if scanner.matches(name, "vocab") {
        hasVocabulary = true
        isUnigram = try scanner.kind() == .array
        try isUnigram ? readScoredPieces(&scanner) : readPieces(&scanner)
      } else if scanner.matches(name, "merges") {
        merges = scanner
        _ = try scanner.skipValue()
      } else {
        try readMember(name, &scanner)
      }
    }
    if type == nil { type = isUnigram ? "Unigram" : "BPE" }
    guard type == "BPE" || type == "Unigram" else {
      throw scanner.unsupported("the model type \"\(excerpt(type ?? ""))\"", at: start)
    }
    guard hasVocabulary else { throw scanner.failure("\"vocab\" of the model is missing", at: start) }
    guard isUnigram == (type == "Unigram") else {
      throw scanner.failure("\"vocab\" has not the form for the model type \"\(type ?? "")\"", at: start)
    }
    guard !isUnigram else { return }
    guard var merges else { throw scanner.failure("\"merges\" of the model is missing", at: start) }
    if purpose == .encoding { try readMerges(&merges) }
  }

  private mutating func readMember(_ name: JSONScanner.Text, _ scanner: inout JSONScanner) throws(JSONError) {
    let offset = name.range.lowerBound
    func isTrue(_ scanner: inout JSONScanner) throws(JSONError) -> Bool {
      guard try scanner.kind() != .null else {
        try scanner.null()
        return false
      }
      return try scanner.boolean()
    }
    if scanner.matches(name, "type") {
      type = try scanner.swiftString()
    } else if scanner.matches(name, "unk_token"), try scanner.kind() == .string {
      unknownToken = Array(try scanner.swiftString().utf8)
    } else if scanner.matches(name, "unk_id"), try scanner.kind() == .number {
      unknownID = try scanner.integer()
    } else if scanner.matches(name, "fuse_unk") {
      fusesUnknown = try isTrue(&scanner)
    } else if scanner.matches(name, "byte_fallback") {
      hasByteFallback = try isTrue(&scanner)
    } else if scanner.matches(name, "ignore_merges") {
      ignoresMerges = try isTrue(&scanner)
    } else {
      try scanner.checkModelMember(name, at: offset)
    }
  }

  /// Reads an object of tokens and ids.
  private mutating func readPieces(_ scanner: inout JSONScanner) throws(JSONError) {
    try scanner.object { (name, scanner) throws(JSONError) in
      let offset = name.range.lowerBound
      var spelling = JSONScanner(scanner.bytes, position: offset - 1)  // the opening quotation mark
      let id = try scanner.integer()
      guard (0..<Vocabulary.limit).contains(id) else {
        throw scanner.failure("the id \(id) is out of range (0 to \(Vocabulary.limit - 1))", at: offset)
      }
      guard !name.range.isEmpty else { throw scanner.failure("token \(id) is empty", at: offset) }
      guard try set(id, name, &spelling) else { throw scanner.failure("two tokens have the id \(id)", at: offset) }
    }
  }

  private mutating func set(
    _ id: Int, _ name: JSONScanner.Text, _ scanner: inout JSONScanner
  ) throws(JSONError) -> Bool {
    guard name.hasEscapes else { return pieces.set(id, scanner.bytes[name.range]) }
    return pieces.set(id, try scanner.swiftString().utf8)
  }

  /// Reads an array of pairs of a token and its score.
  private mutating func readScoredPieces(_ scanner: inout JSONScanner) throws(JSONError) {
    try scanner.array { (scanner) throws(JSONError) in
      let offset = scanner.position
      guard scores.count < Vocabulary.limit else {
        throw scanner.failure("more than \(Vocabulary.limit) tokens", at: offset)
      }
      var index = 0
      try scanner.array { (scanner) throws(JSONError) in
        switch index {
        case 0: pieces.append(try scanner.swiftString().utf8)
        case 1: scores.append(try scanner.double())
        default: throw scanner.failure("expected a token and its score", at: offset)
        }
        index += 1
      }
      guard index == 2 else { throw scanner.failure("expected a token and its score", at: offset) }
    }
  }

  /// Reads an array of merges: pairs of strings, or, in older files, strings with a space between the two tokens.
  private mutating func readMerges(_ scanner: inout JSONScanner) throws(JSONError) {
    try scanner.array { (scanner) throws(JSONError) in
      let offset = scanner.position
      let before = merges.count
      if try scanner.kind() == .array {
        try scanner.array { (scanner) throws(JSONError) in
          guard merges.count < before + 2 else { throw scanner.failure("expected a merge of two tokens", at: offset) }
          merges.append(try scanner.swiftString().utf8)
        }
      } else {
        let text = Array(try scanner.swiftString().utf8)
        for half in text.split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false) {
          merges.append(half)
        }
      }
      guard merges.count == before + 2 else {
        throw scanner.failure("a merge is two tokens with a space between them", at: offset)
      }
    }
  }

  /// Returns the pieces and, unless the purpose is decoding, the model.
  func makeModel(
    for purpose: Tokenizer.Purpose
  ) throws(VocabularyError) -> (pieces: PieceTable, model: Tokenizer.Model) {
    let table = try pieces.withStrings { (strings) throws(VocabularyError) in
      try PieceTable(strings, duplicates: .lastWins)
    }
    guard purpose == .encoding else { return (table, .none) }
    if isUnigram {
      return (
        table,
        .unigram(try Unigram(table, scores: scores, unknownID: unknownID, byteFallback: hasByteFallback))
      )
    }
    let model = try merges.withStrings { (strings) throws(VocabularyError) in
      try CharacterBPE(
        table,
        merges: stride(from: 0, to: strings.count, by: 2).lazy.map {
          (left: strings[$0], right: strings[$0 + 1])
        },
        unknownToken: unknownToken, fusesUnknown: fusesUnknown, byteFallback: hasByteFallback,
        ignoresMerges: ignoresMerges)
    }
    return (table, .characters(model))
  }
}

extension JSONScanner {
  /// Reads a member of a model that affects neither the tables nor the encoding, or throws an error if it would.
  mutating func checkModelMember(_ name: Text, at offset: Int) throws(JSONError) {
    if matches(name, "dropout") {
      if try kind() == .null {
        try null()
      } else if try double() != 0 {
        throw unsupported("\"dropout\" of the model", at: offset)
      }
      return
    }
    for affix in ["continuing_subword_prefix", "end_of_word_suffix"] where matches(name, affix) {
      guard try kind() != .null else { return try null() }
      let text = try string()
      guard text.range.isEmpty else { throw unsupported("\"\(affix)\" of the model", at: text.range.lowerBound) }
      return
    }
    _ = try skipValue()
  }
}

/// A vocabulary of a model of characters, to which added tokens can be added.
struct CharacterVocabulary: AddedTokenTarget {
  let pieces: PieceTable
  private var added: [Int: [UInt8]] = [:]
  private(set) var tokenCount: Int

  init(_ pieces: PieceTable) {
    self.pieces = pieces
    tokenCount = pieces.count
  }

  var keepsContent: Bool { true }

  func hasToken(_ id: Int) -> Bool { added[id] != nil || pieces.bytes(of: id) != nil }

  func isToken(_ id: Int, _ content: [UInt8]) -> Bool {
    added[id].map { $0 == content } ?? pieces.bytes(of: id)?.elementsEqual(content) ?? false
  }

  func modelIDs(of definitions: [AddedTokenDefinition]) -> [[UInt8]: Int] {
    var ids: [[UInt8]: Int] = [:]
    for definition in definitions {
      let id = pieces.id(of: definition.content)
      if id >= 0 { ids[definition.content] = Int(id) }
    }
    return ids
  }

  mutating func defineAdded(_ id: Int, content: [UInt8]) throws(VocabularyError) {
    guard (0..<Vocabulary.limit).contains(id) else {
      throw VocabularyError(reason: "the id \(id) is out of range (0 to \(Vocabulary.limit - 1))")
    }
    guard content.count <= Vocabulary.longestToken else {
      throw VocabularyError(
        reason: "token \(id) has \(content.count) bytes (at most \(Vocabulary.longestToken) allowed)")
    }
    added[id] = content
    tokenCount = max(tokenCount, id + 1)
  }

  /// Returns the table of all tokens.
  func makeTokens(_ decoder: TokenTextDecoder) throws(VocabularyError) -> DecodedTokens {
    try DecodedTokens(TokenSpellings(pieces, added: added), decoder)
  }
}

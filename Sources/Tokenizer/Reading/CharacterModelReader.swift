import JSON

/// Reads the model of a tokenizer.json whose tokens are spelled in characters: `BPE` or `Unigram`.
struct CharacterModelReader {
  private(set) var tables = CharacterModelTables()
  private var type: String?
  private var hasVocabulary = false

  /// Reads the model, an object.
  mutating func read(_ scanner: inout JSONScanner, for purpose: Tokenizer.Purpose) throws(JSONError) {
    let start = scanner.position
    guard scanner.bytes.count <= Int(UInt32.max) else { throw scanner.failure("more than 4 GB", at: start) }
    var merges: JSONScanner?
    try scanner.object { (name, scanner) throws(JSONError) in
      if scanner.matches(name, "vocab") {
        hasVocabulary = true
        tables.isUnigram = try scanner.kind() == .array
        try tables.isUnigram ? readScoredPieces(&scanner) : readPieces(&scanner)
      } else if scanner.matches(name, "merges") {
        merges = scanner
        _ = try scanner.skipValue()
      } else {
        try readMember(name, &scanner)
      }
    }
    if type == nil { type = tables.isUnigram ? "Unigram" : "BPE" }
    guard type == "BPE" || type == "Unigram" else {
      throw scanner.unsupported("the model type \"\(excerpt(type ?? ""))\"", at: start)
    }
    guard hasVocabulary else { throw scanner.failure("\"vocab\" of the model is missing", at: start) }
    guard tables.isUnigram == (type == "Unigram") else {
      throw scanner.failure("\"vocab\" has not the form for the model type \"\(type ?? "")\"", at: start)
    }
    guard !tables.isUnigram else { return }
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
      tables.unknownToken = Array(try scanner.swiftString().utf8)
    } else if scanner.matches(name, "unk_id"), try scanner.kind() == .number {
      tables.unknownID = try scanner.integer()
    } else if scanner.matches(name, "fuse_unk") {
      tables.fusesUnknown = try isTrue(&scanner)
    } else if scanner.matches(name, "byte_fallback") {
      tables.hasByteFallback = try isTrue(&scanner)
    } else if scanner.matches(name, "ignore_merges") {
      tables.ignoresMerges = try isTrue(&scanner)
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
        throw scanner.failure(VocabularyError.outOfRange(id).reason, at: offset)
      }
      guard try set(id, name, &spelling) else { throw scanner.failure("two tokens have the id \(id)", at: offset) }
    }
  }

  private mutating func set(
    _ id: Int, _ name: JSONScanner.Text, _ scanner: inout JSONScanner
  ) throws(JSONError) -> Bool {
    guard name.hasEscapes else { return tables.pieces.set(id, scanner.bytes[name.range]) }
    return tables.pieces.set(id, try scanner.swiftString().utf8)
  }

  /// Reads a string and appends it.
  private static func append(_ scanner: inout JSONScanner, to strings: inout ByteStrings) throws(JSONError) {
    var copy = scanner
    let text = try scanner.string()
    if text.hasEscapes {
      strings.append(try copy.swiftString().utf8)
    } else {
      strings.append(UnsafeBufferPointer(rebasing: scanner.bytes[text.range]))
    }
  }

  /// Reads an array of pairs of a token and its score.
  private mutating func readScoredPieces(_ scanner: inout JSONScanner) throws(JSONError) {
    try scanner.array { (scanner) throws(JSONError) in
      let offset = scanner.position
      guard tables.scores.count < Vocabulary.limit else {
        throw scanner.failure("more than \(Vocabulary.limit) tokens", at: offset)
      }
      var index = 0
      try scanner.array { (scanner) throws(JSONError) in
        switch index {
        case 0: try Self.append(&scanner, to: &tables.pieces)
        case 1: tables.scores.append(try scanner.double())
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
      let before = tables.merges.count
      if try scanner.kind() == .array {
        try scanner.array { (scanner) throws(JSONError) in
          guard tables.merges.count < before + 2 else {
            throw scanner.failure("expected a merge of two tokens", at: offset)
          }
          try Self.append(&scanner, to: &tables.merges)
        }
      } else {
        let text = Array(try scanner.swiftString().utf8)
        for half in text.split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false) {
          tables.merges.append(half)
        }
      }
      guard tables.merges.count == before + 2 else {
        throw scanner.failure("a merge is two tokens with a space between them", at: offset)
      }
    }
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

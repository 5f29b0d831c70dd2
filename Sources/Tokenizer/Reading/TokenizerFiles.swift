import JSON
import Platform

/// The settings in the files beside tokenizer.json or vocab.json: tokenizer_config.json, special_tokens_map.json,
/// added_tokens.json, config.json and generation_config.json, with the precedence of transformers 5.24
/// (`PreTrainedTokenizerBase._from_pretrained`):
///
/// - If tokenizer_config.json has `added_tokens_decoder`, special_tokens_map.json and added_tokens.json are ignored.
/// - Otherwise the tokens in special_tokens_map.json replace those in tokenizer_config.json.
/// - tokenizer_config.json names the class; config.json (`tokenizer_class`, then `model_type`) if it does not.
///
/// `bos_token_id` and `eos_token_id` of generation_config.json and config.json are used if no file names the token.
struct TokenizerFiles {
  /// `tokenizer_class`, without the suffix `Fast`.
  private(set) var tokenizerClass: String?
  /// `model_type` of config.json.
  private(set) var modelType: String?
  /// `add_prefix_space`
  private(set) var addsPrefixSpace: Bool?
  /// The tokens `bos_token`, `eos_token`, `unk_token`, `pad_token` and so on, by these names. A token that is null is
  /// missing here.
  private(set) var specialTokens: [String: AddedTokenDefinition] = [:]
  /// The members of `specialTokens` that the files set, null included.
  private(set) var namedTokens: Set<String> = []
  /// `add_bos_token` and `add_eos_token`
  private(set) var addsBOS: Bool?
  private(set) var addsEOS: Bool?
  private var bosTokenID: Int?
  private var eosTokenID: Int?
  private var decoder: [AddedTokenDefinition]?
  private var legacyTokens: [AddedTokenDefinition] = []
  private var additionalTokens: [AddedTokenDefinition] = []

  /// No files.
  init() {}

  /// Reads the files of a folder; any of them may be missing.
  init(folder: Path) throws(TokenizerError) {
    var isConfigClass: String?
    for name: Path in ["config.json", "generation_config.json"] {
      try Self.read(name, in: folder) { (scanner) throws(JSONError) in
        try scanner.object { (name, scanner) throws(JSONError) in
          if scanner.matches(name, "model_type") {
            modelType = try Self.text(&scanner) ?? modelType
          } else if scanner.matches(name, "tokenizer_class") {
            isConfigClass = try Self.text(&scanner)
          } else if scanner.matches(name, "bos_token_id") {
            bosTokenID = try Self.firstID(&scanner) ?? bosTokenID
          } else if scanner.matches(name, "eos_token_id") {
            eosTokenID = try Self.firstID(&scanner) ?? eosTokenID
          } else {
            _ = try scanner.skipValue(allowsConstants: true)
          }
        }
      }
    }
    try Self.read("tokenizer_config.json", in: folder) { (scanner) throws(JSONError) in
      try scanner.object { (name, scanner) throws(JSONError) in try readMember(name, &scanner) }
    }
    tokenizerClass = (tokenizerClass ?? isConfigClass).map { $0.hasSuffix("Fast") ? String($0.dropLast(4)) : $0 }
    guard decoder == nil else { return }
    try Self.read("special_tokens_map.json", in: folder) { (scanner) throws(JSONError) in
      try scanner.object { (name, scanner) throws(JSONError) in try readSpecialToken(name, &scanner) }
    }
    try Self.read("added_tokens.json", in: folder) { (scanner) throws(JSONError) in
      try scanner.object { (name, scanner) throws(JSONError) in
        var spelling = JSONScanner(scanner.bytes, position: name.range.lowerBound - 1)
        let content = Array(try spelling.swiftString().utf8)
        let id = try Self.checkedID(try scanner.integer(), scanner)
        let isSpecial = (additionalTokens + specialTokens.values).contains { $0.content == content }
        legacyTokens.append(
          AddedTokenDefinition(content: content, id: id, isSpecial: isSpecial, isNormalized: !isSpecial))
      }
    }
    legacyTokens.sort { ($0.id ?? 0) < ($1.id ?? 0) }
  }

  /// The tokens to add after those of tokenizer.json, in the order of transformers: by id, then the special tokens.
  var addedTokens: [AddedTokenDefinition] {
    let names = Self.names.compactMap { specialTokens[$0] }
    let byID = decoder ?? legacyTokens
    let known = Set(byID.map(\.content))
    return byID + (names + additionalTokens).filter { !known.contains($0.content) }
  }

  /// Returns the settings with what these files change.
  func applied(
    to settings: Tokenizer.Settings, of vocabulary: some TokenTable, _ addedTokens: [AddedTokens.Token]
  ) -> Tokenizer.Settings {
    var settings = settings
    func id(_ name: String, _ configured: Int?) -> Int? {
      if let content = specialTokens[name]?.content {
        return addedTokens.first {
          $0.content?.elementsEqual(content) ?? vocabulary.bytes(of: Int($0.id))?.elementsEqual(content) ?? false
        }.map { Int($0.id) }
      }
      return configured.flatMap { vocabulary.bytes(of: $0) == nil ? nil : $0 }
    }
    settings.bosTokenID = id("bos_token", settings.tokensBefore.isEmpty ? bosTokenID : nil)
    settings.eosTokenID = id("eos_token", settings.tokensAfter.isEmpty ? eosTokenID : nil)
    // These classes build the pre-tokenizer themselves; the other classes use the one in tokenizer.json
    if let addsPrefixSpace, TokenizerClass(tokenizerClass, modelType: modelType)?.appliesPrefixSpace ?? false {
      settings.setPrefixSpace(addsPrefixSpace)
    }
    return settings
  }

  // MARK: - Reading

  private static let names = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]

  private static func read(
    _ name: Path, in folder: Path, _ body: (inout JSONScanner) throws(JSONError) -> Void
  ) throws(TokenizerError) {
    let path = folder.appending(name)
    guard let file = try Tokenizer.open(path) else { return }
    var scanner = JSONScanner(file.characters)
    do throws(JSONError) {
      try body(&scanner)
      try scanner.end()
    } catch {
      throw TokenizerError(.malformed, path, error.description)
    }
    withExtendedLifetime(file) {}
  }

  private mutating func readMember(_ name: JSONScanner.Text, _ scanner: inout JSONScanner) throws(JSONError) {
    if scanner.matches(name, "tokenizer_class") {
      tokenizerClass = try Self.text(&scanner)
    } else if scanner.matches(name, "add_prefix_space") {
      addsPrefixSpace = try Self.flag(&scanner)
    } else if scanner.matches(name, "add_bos_token") {
      addsBOS = try Self.flag(&scanner)
    } else if scanner.matches(name, "add_eos_token") {
      addsEOS = try Self.flag(&scanner)
    } else if scanner.matches(name, "added_tokens_decoder"), try scanner.kind() == .object {
      var tokens: [AddedTokenDefinition] = []
      try scanner.object { (name, scanner) throws(JSONError) in
        // The id is a string that contains a number
        let digits = UnsafeBufferPointer(rebasing: scanner.bytes[name.range])
        guard let id = Int(String(decoding: digits, as: UTF8.self)) else {
          throw scanner.failure("expected an id", at: name.range.lowerBound)
        }
        let checked = try Self.checkedID(id, scanner)
        if var token = try Self.token(&scanner, isSpecial: false) {
          token.id = checked
          tokens.append(token)
        }
      }
      decoder = tokens.sorted { ($0.id ?? 0) < ($1.id ?? 0) }
    } else {
      try readSpecialToken(name, &scanner)
    }
  }

  /// Reads a member of tokenizer_config.json or special_tokens_map.json if it is a special token.
  private mutating func readSpecialToken(
    _ name: JSONScanner.Text, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    let isList = scanner.matches(name, "additional_special_tokens") || scanner.matches(name, "extra_special_tokens")
    if let key = Self.names.first(where: { scanner.matches(name, $0) }) {
      namedTokens.insert(key)
      specialTokens[key] = try Self.token(&scanner, isSpecial: true)
    } else if isList, try scanner.kind() == .array {
      var tokens: [AddedTokenDefinition] = []
      try scanner.array { (scanner) throws(JSONError) in
        if let token = try Self.token(&scanner, isSpecial: true) { tokens.append(token) }
      }
      additionalTokens = tokens
    } else {
      _ = try scanner.skipValue(allowsConstants: true)
    }
  }

  /// Reads a token that is given as its text or as an object; returns nil for any other value.
  private static func token(
    _ scanner: inout JSONScanner, isSpecial: Bool
  ) throws(JSONError) -> AddedTokenDefinition? {
    switch try scanner.kind() {
    case .string:
      let content = Array(try scanner.swiftString().utf8)
      return AddedTokenDefinition(content: content, id: nil, isSpecial: isSpecial, isNormalized: !isSpecial)
    case .object:
      var token = AddedTokenDefinition(content: [], id: nil, isSpecial: isSpecial, isNormalized: !isSpecial)
      var isNormalized: Bool?
      try scanner.object { (name, scanner) throws(JSONError) in
        if scanner.matches(name, "content") {
          token.content = Array(try text(&scanner)?.utf8 ?? "".utf8)
        } else if scanner.matches(name, "special") {
          token.isSpecial = try flag(&scanner) ?? false || isSpecial
        } else if scanner.matches(name, "normalized") {
          isNormalized = try flag(&scanner)
        } else if scanner.matches(name, "lstrip") {
          token.stripsLeft = try flag(&scanner) ?? false
        } else if scanner.matches(name, "rstrip") {
          token.stripsRight = try flag(&scanner) ?? false
        } else if scanner.matches(name, "single_word") {
          token.isSingleWord = try flag(&scanner) ?? false
        } else {
          _ = try scanner.skipValue()
        }
      }
      token.isNormalized = isNormalized ?? !token.isSpecial
      return token.content.isEmpty ? nil : token
    default:
      _ = try scanner.skipValue(allowsConstants: true)
      return nil
    }
  }

  private static func checkedID(_ id: Int, _ scanner: JSONScanner) throws(JSONError) -> Int {
    guard (0..<Vocabulary.limit).contains(id) else {
      throw scanner.failure("the id \(id) is out of range (0 to \(Vocabulary.limit - 1))")
    }
    return id
  }

  /// Reads an id, or the first id of a list; returns nil for any other value.
  private static func firstID(_ scanner: inout JSONScanner) throws(JSONError) -> Int? {
    switch try scanner.kind() {
    case .number: return Int(exactly: try scanner.double())
    case .array:
      var first: Int?
      try scanner.array { (scanner) throws(JSONError) in
        let isNumber = try scanner.kind() == .number
        if first == nil, isNumber {
          first = Int(exactly: try scanner.double())
        } else {
          _ = try scanner.skipValue()
        }
      }
      return first
    default:
      _ = try scanner.skipValue(allowsConstants: true)
      return nil
    }
  }

  private static func text(_ scanner: inout JSONScanner) throws(JSONError) -> String? {
    guard try scanner.kind() == .string else {
      _ = try scanner.skipValue(allowsConstants: true)
      return nil
    }
    return try scanner.swiftString()
  }

  private static func flag(_ scanner: inout JSONScanner) throws(JSONError) -> Bool? {
    guard try scanner.kind() == .boolean else {
      _ = try scanner.skipValue(allowsConstants: true)
      return nil
    }
    return try scanner.boolean()
  }
}

import JSON
import Platform

/// The settings in the files beside tokenizer.json or vocab.json: tokenizer_config.json, special_tokens_map.json,
/// added_tokens.json, config.json and generation_config.json, with the precedence of transformers 5.24
/// (`PreTrainedTokenizerBase._from_pretrained`):
///
/// - If tokenizer_config.json has `added_tokens_decoder`, special_tokens_map.json and added_tokens.json are ignored.
/// - Otherwise the tokens in special_tokens_map.json replace those in tokenizer_config.json, except its list of extra
///   tokens.
/// - tokenizer_config.json names the class; config.json (`tokenizer_class`, then `model_type`) if it does not.
///
/// `bos_token_id` and `eos_token_id` of generation_config.json and config.json are used if no file names the token.
struct TokenizerFiles {
  /// `tokenizer_class`, without the suffix `Fast`.
  private(set) var tokenizerClass: String?
  /// `model_type` of config.json.
  private(set) var modelType: String?
  /// tokenizer_config.json has `auto_map`: the class is code of the folder, which is not run.
  private var hasOwnCode = false
  /// `add_prefix_space`
  private(set) var addsPrefixSpace: Bool?
  /// `legacy` of Llama's class: each part between added tokens gets a prefix space, not only the first.
  private(set) var isLegacy: Bool?
  /// `do_lower_case` and `keep_accents` of ALBERT's class
  private(set) var lowercases: Bool?
  private(set) var keepsAccents: Bool?
  /// `extra_ids` of T5's class: the number of tokens `<extra_id_N>`.
  private(set) var extraIDs = 100
  /// The tokens `bos_token`, `eos_token`, `unk_token`, `pad_token` and so on, by these names. A token that is null is
  /// missing here.
  private(set) var specialTokens: [String: AddedTokenDefinition] = [:]
  /// The members of `specialTokens` that the files set, null included.
  private(set) var namedTokens: Set<String> = []
  private var bosTokenID: Int?
  private var eosTokenID: Int?
  private var decoder: [AddedTokenDefinition]?
  private var legacyTokens: [AddedTokenDefinition] = []
  private var additionalTokens: [AddedTokenDefinition] = []
  /// True if tokenizer_config.json has the list `additionalTokens`.
  private var hasExtraTokens = false
  /// The members of `specialTokens` that are not in `names`, in the order of the files.
  private var furtherNames: [String] = []

  /// The files that are read.
  static let fileNames: [Path] = [
    "config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
  ]

  /// No files.
  init() {}

  /// Reads the files of a folder; any of them may be missing.
  init(folder: Path) throws(TokenizerError) {
    var configClass: String?
    for name: Path in ["config.json", "generation_config.json"] {
      try Self.read(name, in: folder) { (scanner) throws(JSONError) in
        try scanner.object { (name, scanner) throws(JSONError) in
          if scanner.matches(name, "model_type") {
            modelType = try Self.text(&scanner) ?? modelType
          } else if scanner.matches(name, "tokenizer_class") {
            configClass = try Self.text(&scanner)
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
    tokenizerClass = (tokenizerClass ?? configClass).map { $0.hasSuffix("Fast") ? String($0.dropLast(4)) : $0 }
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

  /// True if the class is code of the folder that transformers does not replace.
  var requiresOwnCode: Bool {
    hasOwnCode && !(modelType.map(TokenizerClass.typesWithWrongNames.contains) ?? false)
  }

  /// The class of the folder. Nil if no file names one.
  var className: String? {
    TokenizerClass.chosenName(tokenizerClass, modelType: modelType, hasOwnCode: hasOwnCode)
  }

  /// Returns the tokens to add to a vocabulary, in the order of transformers: by id, the special tokens by name, and
  /// the others.
  ///
  /// - Parameters:
  ///   - tokenizerClass: The class, which has default tokens.
  ///   - defined: The added tokens of tokenizer.json, which have precedence.
  ///   - pieces: The added tokens that tokenizer.model defines.
  func addedTokens(
    of tokenizerClass: TokenizerClass?, defined: [AddedTokenDefinition] = [], pieces: [AddedTokenDefinition]? = nil
  ) -> [AddedTokenDefinition] {
    let named = (Self.names + furtherNames).compactMap { specialToken($0, of: tokenizerClass) }
    var others = additionalTokens
    if !hasExtraTokens {
      if let pieces { others = pieces }
      if !others.contains(where: { $0.content.starts(with: "<extra_id_".utf8) }) {
        others += (tokenizerClass?.extraTokens(self) ?? []).map { AddedTokenDefinition(special: $0) }
      }
    }
    var known = Set(defined.map(\.content))
    let byID = decoder ?? legacyTokens.filter { !known.contains($0.content) }
    known.formUnion(byID.map(\.content))
    let names = Set(named.map(\.content))
    return (byID + (named + others).filter { !known.contains($0.content) }).map { token in
      var token = token
      token.isSpecial = token.isSpecial || names.contains(token.content)
      return token
    }
  }

  /// Returns the special token with this name, such as `bos_token`: the token in the files, or the default of the
  /// class.
  func specialToken(_ name: String, of tokenizerClass: TokenizerClass?) -> AddedTokenDefinition? {
    if namedTokens.contains(name) { return specialTokens[name] }
    return tokenizerClass?.specialTokens[name].map { AddedTokenDefinition(special: $0) }
  }

  /// The tokens by id that replace the names of pieces (`added_tokens_decoder`).
  var tokensByID: [AddedTokenDefinition] { decoder ?? legacyTokens }

  /// Returns the settings with what these files change.
  func applied(
    to settings: Tokenizer.Settings, _ tokenizerClass: TokenizerClass?, of vocabulary: some TokenTable,
    _ addedTokens: [AddedTokens.Token]
  ) -> Tokenizer.Settings {
    var settings = settings
    func id(_ name: String, _ configured: Int? = nil) -> Int? {
      if let content = specialToken(name, of: tokenizerClass)?.content {
        return addedTokens.first {
          $0.content?.elementsEqual(content) ?? vocabulary.bytes(of: Int($0.id))?.elementsEqual(content) ?? false
        }.map { Int($0.id) }
      }
      return configured.flatMap { vocabulary.bytes(of: $0) == nil ? nil : $0 }
    }
    if settings.tokensBefore.isEmpty, settings.tokensAfter.isEmpty {
      settings.tokensBefore = tokenizerClass?.tokenBefore.flatMap { id($0) }.map { [$0] } ?? []
      settings.tokensAfter = tokenizerClass?.tokenAfter.flatMap { id($0) }.map { [$0] } ?? []
    }
    settings.bosTokenID = id("bos_token", settings.tokensBefore.isEmpty ? bosTokenID : nil)
    settings.eosTokenID = id("eos_token", settings.tokensAfter.isEmpty ? eosTokenID : nil)
    for name in Self.standardNames {
      settings.namedTokens[name] = specialToken(name, of: tokenizerClass)?.content
    }
    return settings
  }

  // MARK: - Reading

  /// The names of special tokens in the order of transformers.
  private static let standardNames = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]
  /// With those of Code Llama's class.
  private static let names =
    standardNames + ["prefix_token", "middle_token", "suffix_token", "eot_token", "fill_token"]

  /// Far more than published models have, which is 100.
  private static let maxExtraIDs = 10_000

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
    } else if scanner.matches(name, "legacy") {
      isLegacy = try Self.flag(&scanner) ?? false
    } else if scanner.matches(name, "do_lower_case") {
      lowercases = try Self.flag(&scanner) ?? false
    } else if scanner.matches(name, "keep_accents") {
      keepsAccents = try Self.flag(&scanner)
    } else if scanner.matches(name, "extra_ids"), try scanner.kind() == .number {
      let count = try scanner.integer()
      guard (0...Self.maxExtraIDs).contains(count) else {
        throw scanner.failure("\"extra_ids\" is \(count) (0 to \(Self.maxExtraIDs) allowed)")
      }
      extraIDs = count
    } else if scanner.matches(name, "auto_map") {
      try readAutoMap(&scanner)
    } else if scanner.matches(name, "add_bos_token") || scanner.matches(name, "add_eos_token") {
      _ = try scanner.skipValue(allowsConstants: true)  // options of bpe-encode, and not the names of tokens
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
      let isObject = try scanner.kind() == .object
      let isList = Self.isListOfTokens(name, scanner) && !isObject
      try readSpecialToken(name, &scanner)
      hasExtraTokens = hasExtraTokens || isList
    }
  }

  private mutating func readAutoMap(_ scanner: inout JSONScanner) throws(JSONError) {
    guard try scanner.kind() == .object else {
      hasOwnCode = try scanner.kind() == .array
      _ = try scanner.skipValue()
      return
    }
    try scanner.object { (name, scanner) throws(JSONError) in
      if scanner.matches(name, "AutoTokenizer") { hasOwnCode = true }
      _ = try scanner.skipValue()
    }
  }

  private static func isListOfTokens(_ name: JSONScanner.Text, _ scanner: JSONScanner) -> Bool {
    scanner.matches(name, "additional_special_tokens") || scanner.matches(name, "extra_special_tokens")
  }

  /// Reads a member of tokenizer_config.json or special_tokens_map.json if it is a special token: one of `names`, or
  /// any other member whose name ends in `_token` and whose value is a token, or a list.
  private mutating func readSpecialToken(
    _ name: JSONScanner.Text, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    if Self.isListOfTokens(name, scanner) {
      try readSpecialTokens(&scanner)
    } else if let key = Self.names.first(where: { scanner.matches(name, $0) }) {
      namedTokens.insert(key)
      specialTokens[key] = try Self.token(&scanner, isSpecial: true)
    } else if UnsafeBufferPointer(rebasing: scanner.bytes[name.range]).suffix(6).elementsEqual("_token".utf8) {
      try readFurtherToken(name, &scanner)
    } else {
      _ = try scanner.skipValue(allowsConstants: true)
    }
  }

  private mutating func readFurtherToken(
    _ name: JSONScanner.Text, _ scanner: inout JSONScanner
  ) throws(JSONError) {
    guard let token = try Self.token(&scanner, isSpecial: true) else { return }
    let key = String(decoding: UnsafeBufferPointer(rebasing: scanner.bytes[name.range]), as: UTF8.self)
    if namedTokens.insert(key).inserted { furtherNames.append(key) }
    specialTokens[key] = token
  }

  /// Reads `additional_special_tokens` or `extra_special_tokens`: a list, or an object of names and tokens.
  private mutating func readSpecialTokens(_ scanner: inout JSONScanner) throws(JSONError) {
    switch try scanner.kind() {
    case .array:
      var tokens: [AddedTokenDefinition] = []
      try scanner.array { (scanner) throws(JSONError) in
        if let token = try Self.token(&scanner, isSpecial: true) { tokens.append(token) }
      }
      if !hasExtraTokens { additionalTokens = tokens }
    case .object:
      try scanner.object { (name, scanner) throws(JSONError) in try readFurtherToken(name, &scanner) }
    default: _ = try scanner.skipValue(allowsConstants: true)
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
      throw scanner.failure(VocabularyError.outOfRange(id).reason)
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

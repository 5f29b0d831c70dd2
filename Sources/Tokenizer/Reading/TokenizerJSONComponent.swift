import JSON

/// A normalizer, pre-tokenizer, post-processor or decoder of tokenizer.json, with the members that are used here.
struct TokenizerJSONComponent {
  private(set) var type = ""
  let offset: Int
  /// The parts of a `Sequence`.
  private(set) var parts: [TokenizerJSONComponent] = []

  // Members of `ByteLevel`
  private(set) var addPrefixSpace: Bool?
  private(set) var useRegex = true
  // Members of `Digits`
  private(set) var individualDigits: Bool?
  // Members of `Split`
  private(set) var pattern: String?
  private(set) var behavior: String?
  private(set) var isInverted = false
  // Member of `CharDelimiterSplit`
  private(set) var delimiter: String?
  // Members of `Metaspace` (also `add_prefix_space`)
  private(set) var replacement: String?
  private(set) var prependScheme: String?
  private(set) var splits = true
  // Member of `Precompiled`, in base64
  private(set) var charactersMap: String?
  // Members of the decoder `Strip` (also `content`)
  private(set) var start = 0
  private(set) var stop = 0
  // Members of `Replace` (also `pattern`), `Prepend`, and the normalizer `Strip`
  private(set) var literalPattern: String?
  private(set) var content: String?
  private(set) var prefix: String?
  private(set) var stripsLeft = false
  private(set) var stripsRight = false
  // Members of `TemplateProcessing`, `RobertaProcessing` and `BertProcessing`: the special tokens before and after a
  // single text, and their ids
  private(set) var tokensBefore: [String] = []
  private(set) var tokensAfter: [String] = []
  private(set) var specialTokenIDs: [String: [Int]] = [:]

  init(_ scanner: inout JSONScanner, depth: Int = 0) throws(JSONError) {
    scanner.skipWhiteSpace()
    offset = scanner.position
    try scanner.object { (name, scanner) throws(JSONError) in
      if scanner.matches(name, "type") {
        type = try scanner.swiftString()
      } else if scanner.matches(name, "add_prefix_space") {
        addPrefixSpace = try scanner.boolean()
      } else if scanner.matches(name, "use_regex") {
        useRegex = try scanner.boolean()
      } else if scanner.matches(name, "individual_digits") {
        individualDigits = try scanner.boolean()
      } else if scanner.matches(name, "pattern"), try scanner.kind() == .object {
        try scanner.object { (kind, scanner) throws(JSONError) in
          let text = try scanner.swiftString()
          if scanner.matches(kind, "Regex") { pattern = text }
          if scanner.matches(kind, "String") { literalPattern = text }
        }
      } else if scanner.matches(name, "behavior") {
        behavior = try scanner.swiftString()
      } else if scanner.matches(name, "invert") {
        isInverted = try scanner.boolean()
      } else if scanner.matches(name, "single"), try scanner.kind() == .array {
        try readTemplate(&scanner)
      } else if scanner.matches(name, "special_tokens"), try scanner.kind() == .object {
        try scanner.object { (name, scanner) throws(JSONError) in
          var nameAsValue = JSONScanner(scanner.bytes, position: name.range.lowerBound - 1)
          specialTokenIDs[try nameAsValue.swiftString()] = try Self.readIDs(&scanner)
        }
      } else if scanner.matches(name, "cls"), try scanner.kind() == .array {
        tokensBefore = [try readTokenAndID(&scanner)]
      } else if scanner.matches(name, "sep"), try scanner.kind() == .array {
        tokensAfter = [try readTokenAndID(&scanner)]
      } else if scanner.matches(name, "content"), try scanner.kind() == .string {
        content = try scanner.swiftString()
      } else if scanner.matches(name, "prepend"), try scanner.kind() == .string {
        prefix = try scanner.swiftString()
      } else if scanner.matches(name, "strip_left") {
        stripsLeft = try scanner.boolean()
      } else if scanner.matches(name, "strip_right") {
        stripsRight = try scanner.boolean()
      } else if scanner.matches(name, "delimiter") {
        delimiter = try scanner.swiftString()
      } else if scanner.matches(name, "replacement") {
        replacement = try scanner.swiftString()
      } else if scanner.matches(name, "prepend_scheme") {
        prependScheme = try scanner.swiftString()
      } else if scanner.matches(name, "split") {
        splits = try scanner.boolean()
      } else if scanner.matches(name, "precompiled_charsmap"), try scanner.kind() == .string {
        charactersMap = try scanner.swiftString()
      } else if scanner.matches(name, "start"), try scanner.kind() == .number {
        start = try scanner.integer()
      } else if scanner.matches(name, "stop"), try scanner.kind() == .number {
        stop = try scanner.integer()
      } else if Self.lists.contains(where: { scanner.matches(name, $0) }) {
        guard depth < Self.maxDepth else {
          throw scanner.unsupported("a \"Sequence\" at depth \(depth + 1)", at: offset)
        }
        try scanner.array { (scanner) throws(JSONError) in
          guard parts.count < Self.maxParts else {
            throw scanner.unsupported("a sequence of more than \(Self.maxParts) parts", at: offset)
          }
          parts.append(try TokenizerJSONComponent(&scanner, depth: depth + 1))
        }
      } else {
        _ = try scanner.skipValue()
      }
    }
  }

  /// The maximum number of parts, far more than published tokenizers have.
  private static let maxParts = 64
  private static let maxDepth = 8

  /// The member that contains the parts, for the four kinds of `Sequence`.
  private static let lists = ["normalizers", "pretokenizers", "processors", "decoders"]

  /// The parts of a `Sequence`, and of each `Sequence` in it, or else the component itself.
  var steps: [TokenizerJSONComponent] { type == "Sequence" ? parts.flatMap(\.steps) : [self] }

  /// Reads the special tokens of a template such as
  /// `[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}]`.
  private mutating func readTemplate(_ scanner: inout JSONScanner) throws(JSONError) {
    var isAfterText = false
    try scanner.array { (scanner) throws(JSONError) in
      try scanner.object { (kind, scanner) throws(JSONError) in
        guard scanner.matches(kind, "SpecialToken") else {
          isAfterText = true
          _ = try scanner.skipValue()
          return
        }
        try scanner.object { (name, scanner) throws(JSONError) in
          guard scanner.matches(name, "id") else {
            _ = try scanner.skipValue()
            return
          }
          let token = try scanner.swiftString()
          if isAfterText { tokensAfter.append(token) } else { tokensBefore.append(token) }
        }
      }
    }
  }

  /// Reads `ids` of an entry such as `{"id":"<s>","ids":[1],"tokens":["<s>"]}`.
  private static func readIDs(_ scanner: inout JSONScanner) throws(JSONError) -> [Int] {
    var ids: [Int] = []
    try scanner.object { (name, scanner) throws(JSONError) in
      guard scanner.matches(name, "ids") else {
        _ = try scanner.skipValue()
        return
      }
      try scanner.array { (scanner) throws(JSONError) in ids.append(try scanner.integer()) }
    }
    return ids
  }

  /// Reads a pair such as `["<s>",0]` and returns the token.
  private mutating func readTokenAndID(_ scanner: inout JSONScanner) throws(JSONError) -> String {
    var token = ""
    try scanner.array { (scanner) throws(JSONError) in
      if try scanner.kind() == .string {
        token = try scanner.swiftString()
      } else {
        specialTokenIDs[token] = [try scanner.integer()]
      }
    }
    return token
  }
}

extension JSONScanner {
  /// Returns the error for a setting that would change the ids and is not supported.
  func unsupported(_ what: String, at offset: Int) -> JSONError {
    failure("\(what) is not supported", at: offset)
  }
}

import JSON

/// A normalizer, pre-tokenizer, post-processor or decoder of tokenizer.json, with the members that matter here.
struct TokenizerJSONComponent {
  private(set) var type = ""
  let offset: Int
  /// Of a `Sequence`, whose parts are no sequences themselves, or are refused for it.
  private(set) var parts: [TokenizerJSONComponent] = []

  // Of `ByteLevel`
  private(set) var addPrefixSpace: Bool?
  private(set) var useRegex = true
  // Of `Digits`
  private(set) var individualDigits: Bool?
  // Of `Split`
  private(set) var pattern: String?
  private(set) var behavior: String?
  private(set) var isInverted = false
  // Of `TemplateProcessing`: the special token with which a text begins
  private(set) var firstToken: String?

  init(_ scanner: inout JSONScanner, isPart: Bool = false) throws(JSONError) {
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
        }
      } else if scanner.matches(name, "behavior") {
        behavior = try scanner.swiftString()
      } else if scanner.matches(name, "invert") {
        isInverted = try scanner.boolean()
      } else if scanner.matches(name, "single"), try scanner.kind() == .array {
        firstToken = try Self.readFirstToken(&scanner)
      } else if !isPart, Self.lists.contains(where: { scanner.matches(name, $0) }) {
        try scanner.array { (scanner) throws(JSONError) in
          guard parts.count < Self.maxParts else {
            throw scanner.unsupported("a sequence of more than \(Self.maxParts) parts", at: offset)
          }
          parts.append(try TokenizerJSONComponent(&scanner, isPart: true))
        }
      } else {
        _ = try scanner.skipValue()
      }
    }
  }

  /// Far more than any tokenizer has.
  private static let maxParts = 64

  /// What the parts are called in the four kinds of `Sequence`.
  private static let lists = ["normalizers", "pretokenizers", "processors", "decoders"]

  /// The component, or the parts that it consists of.
  var steps: [TokenizerJSONComponent] { type == "Sequence" ? parts : [self] }

  /// From a template such as `[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}]`.
  private static func readFirstToken(_ scanner: inout JSONScanner) throws(JSONError) -> String? {
    var token: String?
    var isFirst = true
    try scanner.array { (scanner) throws(JSONError) in
      try scanner.object { (kind, scanner) throws(JSONError) in
        guard isFirst, scanner.matches(kind, "SpecialToken") else {
          _ = try scanner.skipValue()
          return
        }
        try scanner.object { (name, scanner) throws(JSONError) in
          if scanner.matches(name, "id") { token = try scanner.swiftString() } else { _ = try scanner.skipValue() }
        }
      }
      isFirst = false
    }
    return token
  }
}

extension JSONScanner {
  /// The refusal of what would change the ids and is not known here, by its name.
  func unsupported(_ what: String, at offset: Int) -> JSONError {
    failure("\(what) is not supported; byte-level BPE as GPT-2, Llama 3 and Qwen 2 have it is", at: offset)
  }
}

import JSON

/// A normalizer, pre-tokenizer, post-processor or decoder of tokenizer.json, with the members that are used here.
struct TokenizerJSONComponent {
  private(set) var type = ""
  let offset: Int
  /// The parts of a `Sequence`. A `Sequence` within a `Sequence` has no parts and is rejected because of its type.
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
  // `TemplateProcessing`: the special token at the start of the template for a single text
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

  /// The maximum number of parts, far more than published tokenizers have.
  private static let maxParts = 64

  /// The member that contains the parts, for the four kinds of `Sequence`.
  private static let lists = ["normalizers", "pretokenizers", "processors", "decoders"]

  /// The parts of a `Sequence`, or else the component itself.
  var steps: [TokenizerJSONComponent] { type == "Sequence" ? parts : [self] }

  /// Reads the first special token of a template such as
  /// `[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}]`.
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
  /// Returns the error for a setting that would change the ids and is not supported.
  func unsupported(_ what: String, at offset: Int) -> JSONError {
    failure("\(what) is not supported (supported: byte-level BPE as in GPT-2, Llama 3 and Qwen 2)", at: offset)
  }
}

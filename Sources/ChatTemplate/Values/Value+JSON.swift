import JSON

/// A value that a template reads, for use outside of this module.
public struct TemplateValue {
  let value: Value

  init(_ value: Value) { self.value = value }

  public static var null: TemplateValue { TemplateValue(.none) }
  public static func boolean(_ flag: Bool) -> TemplateValue { TemplateValue(.boolean(flag)) }
  /// Text of the template, such as a special token.
  public static func text(_ bytes: some Collection<UInt8>) -> TemplateValue {
    TemplateValue(.text(MarkedText(utf8: bytes, isInput: false)))
  }

  /// Reads a JSON value as Python's `json` module does. Its strings are marked as input. Integers of more than 64 bits,
  /// unpaired surrogates and deep nesting are errors.
  public init(json scanner: inout JSONScanner) throws(JSONError) { value = try Value(json: &scanner, depth: 0) }

  /// Reads an object whose members are variables.
  public static func members(json scanner: inout JSONScanner) throws(JSONError) -> [(
    name: String, value: TemplateValue
  )] {
    var members: [(name: String, value: TemplateValue)] = []
    try scanner.object { (name, scanner) throws(JSONError) in
      let name = try MarkedText(json: name, scanner)
      members.append((name.string, try TemplateValue(json: &scanner)))
    }
    return members
  }

  /// Reads the messages of a conversation, as transformers prepares them (`_normalize_chat_messages`,
  /// `_alias_reasoning_fields`): members that are null are left out, and the text of an assistant's reasoning, which
  /// has three names, is given to the template by all of them.
  public static func messages(json scanner: inout JSONScanner) throws(JSONError) -> TemplateValue {
    var messages: [Value] = []
    guard try scanner.kind() == .array else { throw scanner.failure("\"messages\" must be an array of objects") }
    try scanner.array { (scanner) throws(JSONError) in
      guard try scanner.kind() == .object else { throw scanner.failure("a message must be an object") }
      guard case .dictionary(let message) = try Value(json: &scanner, depth: 1) else { return }
      messages.append(.dictionary(normalized(message)))
    }
    guard !messages.isEmpty else { throw scanner.failure("\"messages\" is empty") }
    return TemplateValue(.list(List(.list, messages)))
  }

  private static func normalized(_ message: Dictionary) -> Dictionary {
    var members: [(key: MarkedText, value: Value)] = []
    for (key, value) in message.members {
      if case .none = value { continue }
      if case .text(let key) = key { members.append((key, value)) }
    }
    let names = ["reasoning_content", "thinking", "reasoning"].map { MarkedText($0) }
    for name in names {
      guard let reasoning = members.first(where: { $0.key == name })?.value else { continue }
      return Dictionary([(names[1], reasoning)] + members + [(names[0], reasoning)])
    }
    return Dictionary(members)
  }
}

extension Value {
  fileprivate init(json scanner: inout JSONScanner, depth: Int) throws(JSONError) {
    guard depth < Limits.valueDepth - 1 else {
      throw scanner.failure("nested too deeply for a template: at most \(Limits.valueDepth) levels are supported")
    }
    switch try scanner.kind() {
    case .null:
      try scanner.null()
      self = .none
    case .boolean: self = .boolean(try scanner.boolean())
    case .string: self = .text(try MarkedText(json: try scanner.string(), scanner))
    case .number: self = try Self.number(&scanner)
    case .array:
      var elements: [Value] = []
      try scanner.array { (scanner) throws(JSONError) in elements.append(try Value(json: &scanner, depth: depth + 1)) }
      self = .list(List(.list, elements))
    case .object:
      var members: [(key: MarkedText, value: Value)] = []
      try scanner.object { (name, scanner) throws(JSONError) in
        let name = try MarkedText(json: name, scanner)
        members.append((name, try Value(json: &scanner, depth: depth + 1)))
      }
      self = .dictionary(Dictionary(members))
    }
  }

  private static func number(_ scanner: inout JSONScanner) throws(JSONError) -> Value {
    var copy = scanner
    let range = try scanner.number()
    let text = scanner.bytes[range]
    guard !text.contains(where: { [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains($0) }) else {
      return .float(try copy.double())
    }
    guard let number = Int(String(decoding: text, as: UTF8.self)) else {
      throw scanner.failure("an integer of more than 64 bits is not supported in a template", at: range.lowerBound)
    }
    return .integer(number)
  }
}

extension MarkedText {
  fileprivate init(json text: JSONScanner.Text, _ scanner: JSONScanner) throws(JSONError) {
    var characters: [UInt8] = []
    guard scanner.decode(text, into: &characters) else {
      throw scanner.failure("a string contains an unpaired surrogate", at: text.range.lowerBound)
    }
    self.init(utf8: characters, isInput: true)
  }
}

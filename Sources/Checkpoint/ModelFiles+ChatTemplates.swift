import JSON
import Platform

/// A chat template of a model.
public struct ChatTemplateSource: Sendable {
  /// The name by which the template is selected: `default` unless the model has several.
  public let name: String
  /// The place of the template, for messages: a file, and the key in it.
  public let place: String
  /// The template, in Jinja.
  public let text: String

  /// The name of a model's main template.
  public static let defaultName = "default"

  /// Reads a template from a file of its own.
  public init(file path: Path, name: String = ChatTemplateSource.defaultName) throws(CheckpointError) {
    let file = try mapFile(path)
    self.init(name: name, place: "\(path)", text: try Self.text(file.characters, path))
    withExtendedLifetime(file) {}
  }

  fileprivate init(name: String, place: String, text: String) {
    self.name = name
    self.place = place
    self.text = text
  }

  fileprivate static func text(
    _ bytes: UnsafeBufferPointer<UInt8>, _ path: Path
  ) throws(CheckpointError) -> String {
    guard isUTF8(bytes.span) else { throw .unusable(file: path, reason: "the chat template is not valid UTF-8") }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension ModelFiles {
  /// Returns the chat templates of the model.
  ///
  /// In a folder, by the precedence of transformers 5.24: `chat_template.jinja` and the files in
  /// `additional_chat_templates`; or else `chat_template` of tokenizer_config.json, a text or a list of texts with
  /// names; or else `chat_template` of chat_template.json, which older processors have. In a GGUF file,
  /// `tokenizer.chat_template` and `tokenizer.chat_template.NAME`.
  public func chatTemplates() throws(CheckpointError) -> [ChatTemplateSource] {
    if let gguf { return try gguf.chatTemplates() }
    let folder = location.path
    var templates: [ChatTemplateSource] = []
    let file = folder.appending("chat_template.jinja")
    if lexists(file) { templates.append(try ChatTemplateSource(file: file)) }
    let others = folder.appending("additional_chat_templates")
    for name in entries(ofFolder: others) where name.hasSuffix(".jinja") {
      templates.append(
        try ChatTemplateSource(file: others.appending(name), name: String(name.text.dropLast(".jinja".count))))
    }
    if templates.isEmpty { templates = try Self.templates(in: folder.appending("tokenizer_config.json")) }
    if templates.isEmpty { templates = try Self.templates(in: folder.appending("chat_template.json")) }
    return templates
  }

  /// Returns the templates in the member `chat_template` of a JSON file; an empty array if the file is missing.
  private static func templates(in path: Path) throws(CheckpointError) -> [ChatTemplateSource] {
    guard lexists(path) else { return [] }
    let file = try mapFile(path)
    defer { withExtendedLifetime(file) {} }
    var templates: [ChatTemplateSource] = []
    var scanner = JSONScanner(file.characters)
    do {
      try scanner.object { (name, scanner) throws(JSONError) in
        guard scanner.matches(name, "chat_template") else {
          _ = try scanner.skipValue(allowsConstants: true)
          return
        }
        templates = try Self.templates(&scanner, "\(path)")
      }
      try scanner.end()
    } catch { throw .unusable(file: path, reason: "\(error)") }
    return templates
  }

  private static func templates(
    _ scanner: inout JSONScanner, _ path: String
  ) throws(JSONError) -> [ChatTemplateSource] {
    func source(_ name: String, _ text: String) -> ChatTemplateSource {
      let suffix = name == ChatTemplateSource.defaultName ? "" : " \"\(excerpt(name))\""
      return ChatTemplateSource(name: name, place: "\(path): chat_template\(suffix)", text: text)
    }
    switch try scanner.kind() {
    case .null:
      try scanner.null()
      return []
    case .string: return [source(ChatTemplateSource.defaultName, try scanner.swiftString())]
    default: break
    }
    var templates: [ChatTemplateSource] = []
    try scanner.array { (scanner) throws(JSONError) in
      var (name, text): (String?, String?)
      try scanner.object { (member, scanner) throws(JSONError) in
        if scanner.matches(member, "name") {
          name = try scanner.swiftString()
        } else if scanner.matches(member, "template") {
          text = try scanner.swiftString()
        } else {
          _ = try scanner.skipValue()
        }
      }
      guard let name, let text else { throw scanner.failure("a chat template requires \"name\" and \"template\"") }
      templates.append(source(name, text))
    }
    return templates
  }
}

extension GGUF {
  fileprivate func chatTemplates() throws(CheckpointError) -> [ChatTemplateSource] {
    let key = "tokenizer.chat_template"
    var templates: [ChatTemplateSource] = []
    if let text = try chatTemplate(key) {
      templates.append(ChatTemplateSource(name: ChatTemplateSource.defaultName, place: "\(path): \(key)", text: text))
    }
    for other in keys(withPrefix: key + ".") {
      guard let text = try chatTemplate(other) else { continue }
      templates.append(
        ChatTemplateSource(
          name: String(other.dropFirst(key.utf8.count + 1)), place: "\(path): \(excerpt(other))", text: text))
    }
    return templates
  }

  private func chatTemplate(_ key: String) throws(CheckpointError) -> String? {
    try string(key) { (bytes) throws(CheckpointError) in try ChatTemplateSource.text(bytes, path) }
  }
}

import Checkpoint
import Foundation
import Platform
import TestSupport
import Testing

/// The places of chat templates, by the precedence of transformers.
@Suite struct ChatTemplateSourceTests {
  private func templates(_ files: [String: String]) throws -> [String] {
    let folder = try Folder()
    for (name, text) in files { try folder.write(name, text) }
    do {
      return try ModelFiles(ModelLocation(folder: Path(folder.path))).chatTemplates().map { "\($0.name)=\($0.text)" }
    } catch { return [folder.message(error)] }
  }

  @Test(
    arguments: [
      ([:], []),
      (["tokenizer_config.json": #"{"x":NaN,"chat_template":"A"}"#], ["default=A"]),
      (["tokenizer_config.json": #"{"chat_template":null}"#], []),
      (
        [
          "tokenizer_config.json":
            #"{"chat_template":[{"name":"default","template":"A"},{"template":"B","name":"rag"}]}"#
        ],
        ["default=A", "rag=B"]
      ),
      (["tokenizer_config.json": #"{"chat_template":"A"}"#, "chat_template.jinja": "B"], ["default=B"]),
      (
        ["tokenizer_config.json": #"{"chat_template":"A"}"#, "additional_chat_templates/rag.jinja": "C"], ["rag=C"]
      ),
      (
        [
          "chat_template.jinja": "B", "additional_chat_templates/rag.jinja": "C",
          "additional_chat_templates/x.txt": "D",
        ],
        ["default=B", "rag=C"]
      ),
      (["chat_template.json": #"{"chat_template":"P"}"#, "tokenizer_config.json": "{}"], ["default=P"]),
      (
        ["chat_template.json": #"{"chat_template":"P"}"#, "tokenizer_config.json": #"{"chat_template":"A"}"#],
        ["default=A"]
      ),
      (
        ["tokenizer_config.json": #"{"chat_template":[{"name":"a"}]}"#],
        [#"tokenizer_config.json: byte 31: a chat template requires "name" and "template""#]
      ),
      (
        ["tokenizer_config.json": #"{"chat_template":5}"#],
        [#"tokenizer_config.json: byte 18: expected an array, found "5""#]
      ),
    ] as [([String: String], [String])])
  func readsTheTemplatesOfAFolder(_ example: (files: [String: String], templates: [String])) throws {
    #expect(try templates(example.files) == example.templates)
  }

  @Test func rejectsTextThatIsNotUTF8() throws {
    let folder = try Folder()
    try folder.write("chat_template.jinja", Data([0xFF]))
    let error = #expect(throws: CheckpointError.self) {
      try ModelFiles(ModelLocation(folder: Path(folder.path))).chatTemplates()
    }
    #expect(error.map(folder.message) == "chat_template.jinja: the chat template is not valid UTF-8")
  }

  @Test func readsTheTemplatesOfAGGUFFile() throws {
    let folder = try Folder()
    let long = String(repeating: "x", count: 5000)
    let builder = GGUFBuilder.gpt2.with {
      $0.values += [
        ("tokenizer.chat_template", .string(long)), ("tokenizer.chat_template.tool_use", .string("T")),
        ("tokenizer.chat_templates", .strings(["tool_use"])),
      ]
    }
    try folder.write("m.gguf", builder.data)
    let templates = try ModelFiles(ModelLocation(file: Path(folder.path + "/m.gguf"))).chatTemplates()
    #expect(templates.map(\.name) == ["default", "tool_use"] && templates.map(\.text) == [long, "T"])
    #expect(templates.last?.place == folder.path + "/m.gguf: tokenizer.chat_template.tool_use")
  }
}

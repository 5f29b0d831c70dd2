import ChatTemplate
import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import Platform
import Tokenizer

/// Applies the chat templates of a model to records with `messages`.
final class Chat: Sendable {
  private struct Template: Sendable {
    let template: ChatTemplate
    let place: String
    let controlTokens: ControlTokens

    init(_ source: ChatTemplateSource, _ tokenizer: Tokenizer) throws {
      do throws(TemplateError) { template = try ChatTemplate(source.text) } catch {
        throw ToolError(.badData, "\(source.place), \(error)")
      }
      place = source.place
      controlTokens = tokenizer.controlTokens(template.mentions)
    }
  }

  private let template: Template
  /// The template for records with `tools`, if the model has a separate one.
  private let toolTemplate: Template?
  private let specialTokens: [String: [UInt8]]
  private let addsGenerationPrompt: Bool

  /// Opens the template that `--chat-template` names, or else those of the model.
  init(_ arguments: Arguments, _ model: ModelFiles, _ tokenizer: Tokenizer) throws {
    addsGenerationPrompt = !arguments.has(.noGenerationPrompt)
    specialTokens = tokenizer.namedTokens
    let name = arguments.text(.chatTemplate)
    if let name, name.contains("/") || name.hasSuffix(".jinja"), let path = arguments.path(.chatTemplate) {
      template = try Template(ChatTemplateSource(file: path), tokenizer)
      toolTemplate = nil
      return
    }
    let sources = try model.chatTemplates()
    func source(_ name: String) -> ChatTemplateSource? { sources.first { $0.name == name } }
    let names = sources.map { excerpt($0.name) }.joined(separator: ", ")
    guard let chosen = source(name ?? ChatTemplateSource.defaultName) else {
      if sources.isEmpty {
        throw ToolError(
          .badData,
          "\(model.location.path): this model has no chat template; --chat-template FILE.jinja gives one")
      }
      throw ToolError(
        .badData,
        name.map {
          "this model has no chat template \"\(excerpt($0))\" (it has \(names)); the name of a file contains a slash or ends "
            + "in .jinja"
        } ?? "this model has several chat templates and no default: --chat-template selects one of \(names)")
    }
    template = try Template(chosen, tokenizer)
    toolTemplate = try name == nil ? source("tool_use").map { try Template($0, tokenizer) } : nil
  }

  /// Returns the text of a record's conversation, and the parts of it that come from the record.
  func render(_ record: Record) throws -> (text: [UInt8], input: InputText) {
    guard var messages = try record.value(of: "messages") else { throw RecordError("\"messages\" is missing") }
    var variables = specialTokens.mapValues { TemplateValue.text($0) }
    variables["add_generation_prompt"] = .boolean(addsGenerationPrompt)
    if var scanner = try record.value(of: "chat_template_kwargs") {
      for (name, value) in try TemplateValue.members(json: &scanner) { variables[name] = value }
    }
    variables["messages"] = try .messages(json: &messages)
    for name in ["tools", "documents"] {
      variables[name] = .null
      if var scanner = try record.value(of: name) { variables[name] = try TemplateValue(json: &scanner) }
    }
    let template = try record.has("tools") ? toolTemplate ?? template : template
    do throws(TemplateError) {
      let rendered = try template.template.render(variables, inputSize: record.line.count)
      return (rendered.bytes, InputText(rendered.inputRanges, template.controlTokens))
    } catch { throw RecordError("\(template.place), \(error)") }
  }
}

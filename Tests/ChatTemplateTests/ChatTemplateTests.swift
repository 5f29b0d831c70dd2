import ChatTemplate
import Foundation
import JSON
import Testing

/// Renders a template with variables from JSON.
func render(_ template: String, _ variables: String = "{}", messages: String? = nil) throws -> RenderedText {
  var values: [String: TemplateValue] = [:]
  try Array(variables.utf8).withUnsafeBufferPointer {
    var scanner = JSONScanner($0)
    for (name, value) in try TemplateValue.members(json: &scanner) { values[name] = value }
  }
  if let messages {
    try Array(messages.utf8).withUnsafeBufferPointer {
      var scanner = JSONScanner($0)
      values["messages"] = try .messages(json: &scanner)
    }
  }
  return try ChatTemplate(template).render(values, inputSize: variables.utf8.count)
}

func text(_ rendered: RenderedText) -> String { String(decoding: rendered.bytes, as: UTF8.self) }

/// Small templates with their texts by jinja2, from Scripts/reference/template_cases.py.
@Suite struct LanguageTests {
  struct Case: Decodable, CustomStringConvertible {
    let template: String
    let text: String?
    var description: String { template }
  }

  static let lines = try! String(
    contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/cases.jsonl"),
    encoding: .utf8
  ).split(separator: "\n")
  static let cases = lines.dropFirst().map { try! JSONDecoder().decode(Case.self, from: Data($0.utf8)) }
  /// The first line is `{"variables": {…}}`.
  static let variables = String(lines[0].dropFirst(#"{"variables": "#.count).dropLast())

  @Test func fixtureHasTexts() { #expect(Self.cases.filter { $0.text != nil }.count > 90) }

  @Test(arguments: cases)
  func rendersAsJinja2(_ example: Case) throws {
    guard let expected = example.text else {
      #expect(throws: TemplateError.self) { try render(example.template, Self.variables) }
      return
    }
    #expect(try text(render(example.template, Self.variables)) == expected)
  }
}

@Suite struct ChatTemplateTests {
  private func error(_ template: String, _ variables: String = "{}") -> String? {
    do {
      _ = try render(template, variables)
      return nil
    } catch { return "\(error)" }
  }

  @Test(arguments: [
    ("a\n{% block x %}", "line 2: the statement \"block\" is not implemented"),
    ("{% include 'x' %}", "line 1: the statement \"include\" is not implemented"),
    ("\n\n{{ 'a'|urlize }}", "line 3: the filter \"urlize\" is not implemented"),
    ("{{ 'a' is filter }}", "line 1: the test \"filter\" is not implemented"),
    ("{{ 'a'.encode() }}", "line 1: the method \"encode\" of texts is not implemented"),
    ("{{ cycler('a') }}", "line 1: the function \"cycler\" is not implemented"),
    ("{{ '\\N{DASH}' }}", "line 1: \\N in a string is not implemented"),
    ("{{ 9223372036854775807 + 1 }}", "line 1: an integer of more than 64 bits is not supported"),
    (
      "{{ [].append(1) }}",
      "line 1: a template cannot change a list: the method \"append\" is refused, as by jinja2's sandbox"
    ),
  ])
  func namesWhatIsNotImplemented(_ example: (template: String, message: String)) {
    #expect(error(example.template) == example.message)
  }

  @Test func templateErrorsAreItsMessage() {
    #expect(error("\n{{ raise_exception('Roles must alternate') }}") == "line 2: Roles must alternate")
  }

  @Test(arguments: [
    "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
    "{% set ns = namespace(a='xy') %}{% for i in range(100) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
    "{{ 'a' * 1000000000000 }}", "{{ [0] * 1000000000000 }}", "{{ range(1000000) }}", "{{ 'x'|indent(1000000000) }}",
    "{{ '%1000000000d' % 5 }}", "{{ ('a' * 1000000).count('a' * 1000 ~ 'b') }}", "{{ 'a'.center(10000000000) }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% set ns = namespace(a=[]) %}{% for i in range(1000) %}{% set ns.a = [ns.a] %}{% endfor %}",
    "{{ " + String(repeating: "(", count: 10000), "{{ 1" + String(repeating: "+1", count: 10000) + " }}",
    "{{ a" + String(repeating: ".b", count: 10000) + " }}", String(repeating: "{% if a %}", count: 10000),
    "{{ " + String(repeating: "not ", count: 10000) + "1 }}", "{{ " + String(repeating: "[", count: 10000) + " }}",
  ])
  func limitsTimeTextAndDepth(_ template: String) {
    let start = ContinuousClock.now
    #expect(throws: TemplateError.self) { try render(template) }
    #expect(ContinuousClock.now - start < .seconds(20))
  }

  @Test func cyclesOfNamespacesAreFreed() throws {
    #expect(try text(render("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns.a.a is defined }}")) == "True")
  }

  @Test func messagesAreNormalizedAsInTransformers() throws {
    let template = "{% for m in messages %}{{ m }};{% endfor %}"
    #expect(
      try text(render(template, messages: #"[{"role":"user","content":null,"name":"x"}]"#))
        == "{'role': 'user', 'name': 'x'};")
    #expect(
      try text(render(template, messages: #"[{"role":"assistant","thinking":"t"}]"#))
        == "{'thinking': 't', 'role': 'assistant', 'reasoning_content': 't'};")
  }

  @Test(arguments: [
    ("[]", "\"messages\" is empty"), ("{}", "\"messages\" must be an array of objects"),
    ("[1]", "a message must be an object"), (#"["x"]"#, "a message must be an object"),
    (#"[{"content":"\ud800"}]"#, "a string contains an unpaired surrogate"),
    (#"[{"n":123456789012345678901234567890}]"#, "an integer of more than 64 bits is not supported in a template"),
    (
      "[{\"a\":" + String(repeating: "[", count: 200) + String(repeating: "]", count: 200) + "}]",
      "nested too deeply for a template: at most 120 levels are supported"
    ),
  ])
  func rejectsMessages(_ example: (json: String, message: String)) {
    let error = #expect(throws: JSONError.self) { try render("", messages: example.json) }
    #expect(error?.reason == example.message)
  }

  // MARK: - Marks

  /// Returns the text with brackets around the parts that come from the input.
  private func marked(_ template: String, _ variables: String) throws -> String {
    let rendered = try render(template, variables)
    var bytes = rendered.bytes
    for range in rendered.inputRanges.reversed() {
      bytes.insert(UInt8(ascii: "]"), at: range.upperBound)
      bytes.insert(UInt8(ascii: "["), at: range.lowerBound)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(arguments: [
    ("a{{ x }}b", "a[é x]b"), ("{{ '<' + x + '>' }}", "<[é x]>"), ("{{ x|upper }}{{ x[0] }}{{ x[::-1] }}", "[É Xéx é]"),
    ("{{ x|tojson }}", "\"[é x]\""), ("{{ [x, 1] }}", "['[é x]', 1]"), ("{{ {'k': x}|tojson }}", "{\"k\": \"[é x]\"}"),
    ("{{ x.split()|join('-') }}", "[é]-[x]"), ("{{ 'a b'.replace('b', x) }}", "a [é x]"),
    ("{{ x.replace('x', 'y') }}", "[é ]y"), ("{{ '%s!' % x }}{{ '{}'.format(x) }}", "[é x]![é x]"),
    ("{% set y %}<{{ x }}>{% endset %}{{ y|trim }}", "<[é x]>"), ("{{ x|indent(2, true) }}", "  [é x]"),
    ("{% macro f(a) %}{{ a }}.{% endmacro %}{{ f(x) }}", "[é x]."), ("{{ x|e }}{{ o.k|e }}", "[é x&lt;]"),
    ("{% for c in x %}{{ c }}{% endfor %}{{ x ~ '' }}{{ x|string|trim|title }}", "[é xé xÉ X]"),
    ("{{ o }}{{ o|tojson }}", "{'[k]': '[<]'}{\"[k]\": \"[<]\"}"), ("{{ n }}{{ x == 'é x' }}", "5True"),
    ("{{ x.center(7, '*') }}{{ x|truncate(1, true, '', 0) }}", "**[é x]**[é]"),
  ])
  func marksTheInput(_ example: (template: String, text: String)) throws {
    #expect(try marked(example.template, #"{"x":"é x","n":5,"o":{"k":"<"}}"#) == example.text)
  }

  @Test func mentionsTextAndStringsOfTheTemplate() throws {
    let template = try ChatTemplate("<a>{{ '<b>' + x['<c>'] }}{# <d> #}")
    func mentions(_ text: String) -> Bool { template.mentions(Array(text.utf8)) }
    #expect(mentions("<a>") && mentions("<b>") && mentions("<c>") && !mentions("<d>") && !mentions("<a><b>"))
  }
}

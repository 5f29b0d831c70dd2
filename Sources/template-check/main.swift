import ChatTemplate
import JSON
import JSONLines
import Platform

// template-check < FILE: renders a chat template for each line of standard input, an object with "template",
// "variables" and "tokens", which are variables too but text of the template. Prints {"text":…,"input":…}, the ranges
// of the text that come from "variables", or {"error":…}. For the comparison with jinja2; not installed.

func fail(_ message: String) -> Never {
  let line = Array("template-check: \(message)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
  exit(65)
}

func render(_ line: UnsafeBufferPointer<UInt8>) throws -> RenderedText {
  let record = try Record(line)
  var variables: [String: TemplateValue] = [:]
  if var scanner = try record.value(of: "variables") {
    for (name, value) in try TemplateValue.members(json: &scanner) { variables[name] = value }
  }
  if var scanner = try record.value(of: "messages") { variables["messages"] = try .messages(json: &scanner) }
  if var scanner = try record.value(of: "tokens") {
    try scanner.object { (name, scanner) throws(JSONError) in
      let name = String(decoding: scanner.bytes[name.range], as: UTF8.self)
      variables[name] = .text(try scanner.swiftString().utf8)
    }
  }
  let source = String(decoding: try record.string("template") ?? [], as: UTF8.self)
  return try ChatTemplate(source).render(variables, inputSize: line.count)
}

do {
  var reader = LineReader(descriptor: STDIN_FILENO, path: "standard input", delimiter: UInt8(ascii: "\n"))
  let output = ByteBuffer()
  while let line = try reader.next(willWait: {}) {
    do {
      let text = try render(line)
      output.append("{\"text\":")
      output.append(jsonString: text.bytes)
      output.append(",\"input\":[")
      for (index, range) in text.inputRanges.enumerated() {
        output.append("\(index > 0 ? "," : "")[\(range.lowerBound),\(range.upperBound)]")
      }
      output.append("]}\n")
    } catch {
      output.append("{\"error\":")
      output.append(jsonString: "\(error)")
      output.append("}\n")
    }
    _ = write(STDOUT_FILENO, output.bytes.baseAddress!, output.count)
    output.removeAll()
  }
} catch { fail("\(error)") }

import ChatTemplate
import JSON
import Platform

extension FuzzTarget {
  /// A chat template and an object of variables, separated by a NUL byte: rendering ends in a short time, the text is
  /// UTF-8, and a character of the variables that the template does not have is in the ranges of the input.
  static let template = FuzzTarget("template", longestInput: 2000) { input in
    let separator = input.firstIndex(of: 0) ?? input.count
    let source = String(decoding: input[..<separator], as: UTF8.self)
    let line = UnsafeBufferPointer(rebasing: input[min(separator + 1, input.count)...])
    let start = processorSeconds()
    try checkTemplate(source, line)
    let seconds = processorSeconds() - start
    // Limits.steps take two seconds without the sanitizer.
    try expect(seconds < 10, "\(seconds) seconds")
  }
}

private func checkTemplate(_ source: String, _ line: UnsafeBufferPointer<UInt8>) throws {
  var variables: [String: TemplateValue] = [:]
  var scanner = JSONScanner(line)
  guard let template = try? ChatTemplate(source), let members = try? TemplateValue.members(json: &scanner) else {
    return
  }
  for (name, value) in members { variables[name] = value }
  let text: RenderedText
  do throws(TemplateError) {
    text = try template.render(variables, inputSize: line.count)
  } catch {
    let lines = source.unicodeScalars.count { $0 == "\n" || $0 == "\r" } + 1
    return try expect(1...lines ~= error.line, "an error in line \(error.line) of \(lines)")
  }
  try expect(isUTF8(text.bytes.span), "the text is not UTF-8")
  var end = -1
  for range in text.inputRanges {
    try expect(range.lowerBound > end && !range.isEmpty && range.upperBound <= text.bytes.count, "a range at \(range)")
    end = range.upperBound
  }
  // No escape sequence of the template is U+E000, and no operation makes it of another character
  let mark = Array("\u{E000}".utf8)
  guard !source.contains("\\"), !source.contains("\u{E000}") else { return }
  for index in text.bytes.indices where text.bytes[index...].starts(with: mark) {
    try expect(text.inputRanges.contains { $0.contains(index) }, "a character of the input at \(index) is not marked")
  }
}

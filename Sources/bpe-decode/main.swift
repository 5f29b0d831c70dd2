import CommandLineTool
import JSON
import JSONLines
import Tokenizer

run(.bpeDecode) { arguments, output in
  guard !(arguments.has(.follow) && arguments.has(.jsonOutput)) else {
    throw ToolError(.usage, "--follow writes a growing text, --json writes records: choose one")
  }
  let tokenizer = try arguments.tokenizer()
  let check = Lazy { tokenizer }
  let filter = Filter(arguments, output)
  let terminator: UInt8? =
    arguments.has(.noNewline) ? nil : arguments.has(.nullTerminatedOutput) ? 0 : UInt8(ascii: "\n")

  /// The bytes of the record's ids.
  func text(of ids: ArraySlice<Int>) -> [UInt8] {
    var text: [UInt8] = []
    for id in ids { if let bytes = tokenizer.bytes(of: id) { text.append(contentsOf: bytes) } }
    return text
  }
  func ids(of record: Record) throws -> [Int] {
    try record.checkVocabulary(check)
    return try record.ids(inVocabularyOf: tokenizer.vocabularySize)
  }

  if arguments.has(.jsonOutput) {
    try filter.forEachRecord { record in
      let text = text(of: try ids(of: record)[...])
      let isText = text.withUnsafeBufferPointer { isUTF8($0) }
      record.write(to: output.buffer, [isText ? .set("text") { $0.append(jsonString: text) } : .drop("text")])
      try output.endLine()
    }
  } else if arguments.has(.follow) {
    var growing = GrowingText(terminator: terminator)
    try filter.forEachRecord { record in
      try growing.show(try ids(of: record), output, text)
    } orWrite: {
      try growing.finish(output)
    }
    try growing.finish(output)
  } else {
    try filter.forEachRecord { record in
      output.buffer.append(text(of: try ids(of: record)[...]))
      try output.endLine(terminator)
    } orWrite: {
      try output.endLine(terminator)
    }
  }
  return filter.status
}

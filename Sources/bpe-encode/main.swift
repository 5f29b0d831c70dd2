import CommandLineTool
import JSONLines
import Tokenizer

run(.bpeEncode) { arguments, output in
  let encoding = try Encoding(arguments, try arguments.tokenizer())
  let filter = Filter(arguments, output)
  func encode(_ record: Record) throws {
    guard let text = try record.string("text") else { throw RecordError("there is no \"text\"") }
    try text.withUnsafeBufferPointer { try encoding.write($0, in: record, to: output) }
  }

  if arguments.has(.jsonInput), arguments.has(.encodeTable) {
    try filter.forEachRecord(encode) { try output.endLine() }
  } else if arguments.has(.jsonInput) {
    try filter.forEachRecord(encode)
  } else {
    let delimiter: UInt8? =
      arguments.has(.wholeInput) ? nil : arguments.has(.nullTerminated) ? 0 : UInt8(ascii: "\n")
    try filter.forEachLine(delimiter: delimiter) { text in
      try encoding.write(text, to: output)
    } orWrite: { _, message in
      if arguments.has(.encodeTable) {
        try filter.reportError(message)
        try output.endLine()
      } else {
        try filter.writeError(message)
      }
    }
  }
  return filter.status
}

import CommandLineTool
import JSONLines
import Tokenizer

run(.bpeEncode) { arguments, output in
  let encoding = try Encoding(arguments, try arguments.tokenizer())
  let filter = Filter(arguments, output)
  if arguments.has(.jsonInput) {
    try filter.forEachRecord { record in
      guard let text = try record.string("text") else { throw RecordError("there is no \"text\"") }
      try text.withUnsafeBufferPointer { try encoding.write($0, in: record, to: output) }
    }
  } else {
    let delimiter: UInt8? =
      arguments.has(.wholeInput) ? nil : arguments.has(.nullTerminated) ? 0 : UInt8(ascii: "\n")
    try filter.forEachLine(delimiter: delimiter) { text in
      try encoding.write(text, to: output)
    } orWrite: { _, message in
      try filter.writeError(message)
    }
  }
  return filter.status
}

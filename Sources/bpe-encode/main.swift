import CommandLineTool
import JSON
import JSONLines
import Tokenizer

toolMain(.bpeEncode) { arguments, output in
  let tokenizer = try Tokenizer(arguments.modelFiles(), arguments)
  for warning in tokenizer.warnings { arguments.note(warning) }
  let fingerprint = tokenizer.fingerprintText
  let isDisplay = arguments.has(.encodeTable) || arguments.has(.colour)
  let doubleBOS = DoubleBOSNote(tokenizer, arguments)
  // A display is short, and its blank lines depend on the texts before, so it uses one thread.
  let workers = try Workers(isDisplay ? 1 : arguments.threadCount) {
    try Encoding(arguments, tokenizer, fingerprint, doubleBOS)
  }
  let filter = Filter(arguments, output)
  func encode(_ encoding: Encoding, _ record: Record, _ output: ByteBuffer) throws {
    guard let text = try record.string("text") else { throw RecordError("\"text\" is missing") }
    try text.withUnsafeBufferPointer { try encoding.write($0, in: record, to: output) }
  }

  if arguments.has(.jsonInput), isDisplay {
    try filter.forEachRecord { record in
      try encode(workers.first, record, output.buffer)
      try output.endLine(nil)
    } orWrite: {
      try output.endLine()
    }
  } else if arguments.has(.jsonInput) {
    try filter.forEachRecord(workers, encode)
  } else {
    let delimiter: UInt8? =
      arguments.has(.wholeInput) ? nil : arguments.has(.nullTerminated) ? 0 : UInt8(ascii: "\n")
    let file = TextFile(arguments)
    filter.prepareText = file.prepare
    try filter.forEachLine(of: .text(delimiter: delimiter), workers) { encoding, text, output in
      try encoding.write(text, to: output)
    } orWrite: { _, message in
      if isDisplay {
        try filter.reportError(message)
        try output.endLine()
      } else {
        try filter.writeError(message)
      }
    }
  }
  return filter.status
}

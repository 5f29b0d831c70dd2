import CommandLineTool
import JSON
import JSONLines
import Tokenizer

toolMain(.bpeEncode) { arguments, output in
  let model = try arguments.modelFiles()
  let tokenizer = try Tokenizer(model, arguments)
  for warning in tokenizer.warnings { arguments.note(warning) }
  let fingerprint = tokenizer.fingerprintText
  let isDisplay = arguments.has(.encodeTable) || arguments.has(.colour)
  let doubleBOS = DoubleBOSNote(tokenizer, arguments)
  for option in [Option.chatTemplate, .noGenerationPrompt] where arguments.has(option) && !arguments.has(.chat) {
    throw ToolError(.usage, "--\(option.name) requires --chat")
  }
  let chat = try arguments.has(.chat) ? Chat(arguments, model, tokenizer) : nil
  // A display is short, and its blank lines depend on the texts before, so it uses one thread.
  let workers = try Workers(isDisplay ? 1 : arguments.threadCount) {
    try Encoding(arguments, tokenizer, fingerprint, doubleBOS, chat)
  }
  let filter = Filter(arguments, output)
  func encode(_ encoding: Encoding, _ record: Record, _ output: ByteBuffer) throws {
    try encoding.write(record, to: output)
  }

  let readsRecords = arguments.has(.jsonInput) || chat != nil
  if readsRecords, isDisplay {
    try filter.forEachRecord { record in
      try encode(workers.first, record, output.buffer)
      try output.endLine(nil)
    } orWrite: {
      try output.endLine()
    }
  } else if readsRecords {
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

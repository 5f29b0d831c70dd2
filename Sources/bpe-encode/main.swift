import CommandLineTool
import JSON
import JSONLines
import Synchronization
import Tokenizer

toolMain(.bpeEncode) { arguments, output in
  let tokenizer = try arguments.tokenizer(for: .encoding)
  let fingerprint = tokenizer.fingerprintText
  let isForPeople = arguments.has(.encodeTable) || arguments.has(.colour)
  // What is for people is short, and tables know of those before them
  let hasNotedBeginning = Atomic(false)
  let workers = try Workers(isForPeople ? 1 : arguments.threadCount) {
    try Encoding(arguments, tokenizer, fingerprint) { token in
      guard !hasNotedBeginning.exchange(true, ordering: .relaxed) else { return }
      let name = tokenizer.bytes(of: token).map { String(decoding: $0, as: UTF8.self) } ?? "\(token)"
      arguments.note("a text begins with \(name) already, and --bos puts another one before it")
    }
  }
  let filter = Filter(arguments, output)
  func encode(_ encoding: Encoding, _ record: Record, _ output: ByteBuffer) throws {
    guard let text = try record.string("text") else { throw RecordError("there is no \"text\"") }
    try text.withUnsafeBufferPointer { try encoding.write($0, in: record, to: output) }
  }

  if arguments.has(.jsonInput), isForPeople {
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
      if isForPeople {
        try filter.reportError(message)
        try output.endLine()
      } else {
        try filter.writeError(message)
      }
    }
  }
  return filter.status
}

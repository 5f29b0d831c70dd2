import CommandLineTool
import JSON
import JSONLines
import Tokenizer

toolMain(.bpeDecode) { arguments, output in
  let files = try arguments.modelFiles()
  let tokenizer = try ByteLevelTokenizer(files, for: .decoding)
  let vocabulary = ModelVocabulary { tokenizer }
  let vocabularySize = files.vocabularySize(tokenizer)
  let filter = Filter(arguments, output)
  let terminator: UInt8? =
    arguments.has(.noNewline) ? nil : arguments.has(.nullTerminatedOutput) ? 0 : UInt8(ascii: "\n")

  let skipsSpecial = arguments.has(.skipSpecial)
  let writesNewOnly = arguments.has(.newText)

  /// Returns the bytes of the ids.
  func text(of ids: ArraySlice<Int>) -> [UInt8] {
    var text: [UInt8] = []
    for id in ids where !skipsSpecial || !tokenizer.isSpecial(id) {
      if let bytes = tokenizer.bytes(of: id) { text.append(contentsOf: bytes) }
    }
    return text
  }
  func ids(of record: Record) throws -> [Int] {
    try vocabulary.check(record)
    return try record.ids(inVocabularyOf: vocabularySize)
  }
  /// Returns the number of ids that are not written.
  func omittedCount(of record: Record, _ ids: [Int]) throws -> Int {
    guard writesNewOnly else { return 0 }
    guard let prompt = try record.prompt() else { throw RecordError("\"prompt\" is missing; lm-step adds it") }
    return min(prompt, ids.count)
  }

  if arguments.has(.jsonOutput) {
    try filter.forEachRecord { record in
      let text = text(of: try ids(of: record)[...])
      let isText = isUTF8(text.span)
      let changes: [Record.Change] = [isText ? .set("text") { $0.append(jsonString: text) } : .drop("text")]
      record.write(to: output.buffer, try changes + vocabulary.addition(to: record))
      try output.endLine()
    }
  } else if arguments.has(.follow) {
    var stream = TextStream(terminator: terminator)
    do {
      try filter.forEachRecord { record in
        let ids = try ids(of: record)
        try stream.write(ids, from: omittedCount(of: record, ids), output, text)
      } orWrite: {
        try stream.finish(output)
      }
    } catch {
      try stream.finish(output)  // writes an incomplete character
      throw error
    }
    try stream.finish(output)
  } else {
    try filter.forEachRecord { record in
      let ids = try ids(of: record)
      output.buffer.append(text(of: ids[try omittedCount(of: record, ids)...]))
      try output.endLine(terminator)
    } orWrite: {
      try output.endLine(terminator)
    }
  }
  return filter.status
}

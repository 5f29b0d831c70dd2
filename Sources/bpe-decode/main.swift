import CommandLineTool
import JSON
import JSONLines
import Tokenizer

toolMain(.bpeDecode) { arguments, output in
  let files = try arguments.modelFiles()
  let tokenizer = try Tokenizer(files, for: .decoding)
  let vocabulary = ModelVocabulary { tokenizer }
  let vocabularySize = files.vocabularySize(tokenizer)
  let omitsSpecial = arguments.has(.noSpecial)
  let filter = Filter(arguments, output)
  let terminator: UInt8? =
    arguments.has(.noNewline) ? nil : arguments.has(.nullTerminatedOutput) ? 0 : UInt8(ascii: "\n")
  let writesNewOnly = arguments.has(.newText)

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
      let text = tokenizer.decode(try ids(of: record), omitsSpecial: omitsSpecial)
      let isText = isUTF8(text.span)
      let changes: [Record.Change] = [isText ? .set("text") { $0.append(jsonString: text) } : .drop("text")]
      record.write(to: output.buffer, try changes + vocabulary.addition(to: record))
      try output.endLine()
    }
  } else if arguments.has(.follow) {
    var stream = TextStream(tokenizer, omitsSpecial: omitsSpecial, terminator: terminator)
    do {
      try filter.forEachRecord { record in
        let ids = try ids(of: record)
        try stream.write(ids, from: omittedCount(of: record, ids), output)
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
      let omitted = ids[..<(try omittedCount(of: record, ids))]
      let text = tokenizer.decode(ids, omitsSpecial: omitsSpecial)
      output.buffer.append(Array(text.dropFirst(tokenizer.decode(omitted, omitsSpecial: omitsSpecial).count)))
      try output.endLine(terminator)
    } orWrite: {
      try output.endLine(terminator)
    }
  }
  return filter.status
}

import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import LanguageModel
import Platform
import Tokenizer

toolMain(.lmInfo) { arguments, output in
  if arguments.has(.list) {
    for name in ModelLocation.knownNames {
      output.buffer.append(name.description)
      try output.endLine()
    }
    return .success
  }
  if arguments.has(.listFamilies) {
    let rows =
      [("model_type", "GGUF", "models")]
      + ModelDefinition.modelNames.map { ($0.modelType, $0.architecture ?? "-", $0.name) }
    for row in rows {
      output.buffer.append("\(padded(row.0, 13))\(padded(row.1, 12))\(row.2)")
      try output.endLine()
    }
    return .success
  }
  let name = arguments.path(.model) ?? arguments.operands.first.map(Path.init)
  let files = try ModelFiles(ModelLocation.find(name))
  let definition = try ModelDefinition(files)  // before the weights: its errors are the more helpful ones
  let facts = try ModelFacts(Checkpoint(files), definition, fingerprint: fingerprint(files, arguments))
  if arguments.has(.jsonRecord) {
    facts.writeRecord(to: output.buffer)
    try output.endLine()
  } else {
    for line in facts.lines {
      output.buffer.append("\(padded(line.name, 16))\(line.value)")
      try output.endLine()
    }
  }
  return .success
}

/// Returns the fingerprint of the model's vocabulary. A model without a supported tokenizer, whose ids come from other
/// programs, has none.
func fingerprint(_ files: ModelFiles, _ arguments: Arguments) throws -> String? {
  do { return try Tokenizer(files, for: .decoding).fingerprintText } catch {
    if case .unreadable? = (error as? TokenizerError)?.cause { throw error }
    arguments.note("the tokenizer is not supported: \(error)")
    return nil
  }
}

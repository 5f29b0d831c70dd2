import Checkpoint
import CommandLineTool
import JSON
import JSONLines
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
  let name = arguments.path(.model) ?? arguments.operands.first.map(Path.init)
  let files = try ModelFiles(ModelLocation.find(name))
  let facts = try ModelFacts(Checkpoint(files), ByteLevelTokenizer(files, for: .decoding))
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

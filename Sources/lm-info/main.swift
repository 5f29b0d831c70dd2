import Checkpoint
import CommandLineTool
import JSON
import JSONLines

run(.lmInfo) { arguments, output in
  if arguments.has(.list) {
    for name in ModelLocation.knownNames {
      output.buffer.append(name)
      try output.endLine()
    }
    return .success
  }
  let facts = try ModelFacts(try Checkpoint(arguments.modelLocation()), try arguments.tokenizer(for: .decoding))
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

import CommandLineTool
import JSONLines

run(.lmStep) { arguments, output in
  let stepper = try Stepper(arguments)
  let filter = Filter(arguments, output)
  let count = arguments.integer(.count) ?? 1
  var hasWork = false

  try filter.forEachRecord { record in
    guard try !record.has("done") else {
      output.buffer.append(record.line)
      return try output.endLine()
    }
    hasWork = true
    var sequence = try stepper.begin(record)
    for _ in 0..<count where sequence.done == nil {
      try stepper.step(&sequence)
      if arguments.has(.each) {
        sequence.write(to: output.buffer)
        try output.endLine()
        try output.flush()  // the next token takes a while
      }
    }
    guard !arguments.has(.each) || sequence.isUntouched else { return }
    sequence.write(to: output.buffer)
    try output.endLine()
    try output.flush()
  }
  if filter.status == .success, arguments.has(.exitStatus), !hasWork { return .nothingToDo }
  return filter.status
}

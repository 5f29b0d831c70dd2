import CommandLineTool
import JSONLines

run(.lmStep) { arguments, output in
  let stepper = try Stepper(arguments)
  let filter = Filter(arguments, output)
  filter.whileWaiting = stepper.prepare
  try filter.forEachRun { record in
    try stepper.begin(record, in: filter)
  } while: {
    stepper.hasRoom(besides: $0, for: $1)
  } _: { sequences, refuse in
    try stepper.grow(sequences, output, told: filter.madeTokens, refuse)
  }
  if filter.status == .success, arguments.has(.exitStatus), !stepper.hadWork { return .nothingToDo }
  return filter.status
}

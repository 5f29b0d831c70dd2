import CommandLineTool
import JSONLines

toolMain(.lmStep) { arguments, output in
  let stepper = try Stepper(arguments)
  let filter = Filter(arguments, output)
  filter.beforeBlockingRead = stepper.prepare
  try filter.forEachBatch { record in
    try stepper.begin(record, in: filter)
  } while: {
    stepper.hasRoom(besides: $0, for: $1)
  } _: { sequences, refuse in
    try stepper.grow(sequences, output, told: filter.madeTokens, refuse)
  }
  if filter.status == .success, arguments.has(.exitStatus), !stepper.hadWork { return .nothingToDo }
  return filter.status
}

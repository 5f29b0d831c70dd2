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
  } _: { sequences, reject in
    try stepper.grow(sequences, output, countTokens: filter.countTokens, reject)
  }
  if filter.status == .success, arguments.has(.exitStatus), !stepper.hadWork { return .nothingToDo }
  return filter.status
}

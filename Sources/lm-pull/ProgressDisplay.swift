import Checkpoint
import CommandLineTool
import Hub
import Platform

/// A progress line on the terminal for a download: the received part, the speed, and the remaining time.
final class ProgressDisplay {
  /// True if standard error is a terminal and progress is not disabled.
  let isShown: Bool
  private var file: RemoteFile?
  /// The time when this process started the download, and the number of bytes received before.
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

  /// Ends the progress line with a newline, so that other output can follow.
  func end() {
    guard file != nil else { return }
    file = nil
    if !line.isEmpty { writeToStandardError("\n") }
    line = ""
  }

  /// Returns the progress line, such as `model.safetensors  [=====     ]  53 %  290.5 MB of 548.1 MB  31.0 MB/s
  /// 0:08`.
  private func description(of file: RemoteFile, _ count: Int, at now: Double) -> String {
    let share = file.size == 0 ? 100 : Int(Double(count) / Double(file.size) * 100)
    let seconds = now - begin.time
    let rate = seconds > 0.5 ? Double(count - begin.count) / seconds : 0
    var facts =
      "\(padded("\(share)", 3, right: true)) %  \(formattedByteCount(count)) of \(formattedByteCount(file.size))"
    if rate > 0 {
      let left = Int(Double(file.size - count) / rate)
      let seconds = padded("\(left % 60)", 2, right: true).replacing(" ", with: "0")
      facts += "  \(formattedByteCount(Int(rate)))/s  \(left / 60):\(seconds)"
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

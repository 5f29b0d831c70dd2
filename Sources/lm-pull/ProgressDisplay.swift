import Checkpoint
import CommandLineTool
import Hub
import Platform

/// The progress of a pull: a line on the terminal that is drawn again and again, or a line every ten seconds if
/// standard error is a file or a pipe.
final class ProgressDisplay {
  private enum Style {
    case none, terminal, log
  }

  private let style: Style
  private let name: String
  private let start = monotonicSeconds()
  /// The number of received bytes at times of the last seconds.
  private var samples: [(time: Double, count: Int)] = []
  private var last: PullProgress?
  private var lastDrawn = 0.0
  private var lastLogged = monotonicSeconds()
  private var isDrawn = false
  private var hasShown = false
  /// The files and bytes of downloads that ended before the last one began.
  private var finished = (files: 0, bytes: 0)

  /// True if pip may show its progress.
  var isOnTerminal: Bool { style == .terminal }

  private static let erase = "\r\u{1B}[K"
  private static let drawingInterval = 0.1
  private static let loggingInterval = 10.0
  /// The time in seconds over which the rate is averaged.
  private static let rateInterval = 5.0

  init(_ arguments: Arguments) {
    name = arguments.tool.name
    let isTerminal = isatty(STDERR_FILENO) == 1 && environmentVariable("TERM").map { $0 != "dumb" } ?? false
    let isHidden = arguments.has(.quiet) || HubEnvironment.isTrue("HF_HUB_DISABLE_PROGRESS_BARS")
    style = isHidden ? .none : isTerminal ? .terminal : .log
  }

  func show(_ progress: PullProgress) {
    guard style != .none else { return }
    let now = monotonicSeconds()
    if let last, progress.bytesDone < last.bytesDone || progress.byteCount != last.byteCount { begin(after: last) }
    if samples.isEmpty { samples = [(now, progress.bytesBefore)] }
    let isEnd = progress.filesDone == progress.fileCount && progress.fileCount > 0
    let isNew = last.map { Self.kind($0.phase) != Self.kind(progress.phase) } ?? true
    last = progress
    if now - (samples.last?.time ?? 0) > 0.2 {
      samples.append((now, progress.bytesDone))
      while samples.count > 2, now - samples[1].time > Self.rateInterval { samples.removeFirst() }
    }
    switch style {
    case .none: break
    case .terminal:
      guard now - lastDrawn >= Self.drawingInterval || isEnd || isNew else { return }
      lastDrawn = now
      let width = (Terminal.width(of: STDERR_FILENO) ?? 80) - 1
      let line = Self.line(progress, rate: rate(at: now), width: width)
      writeToStandardError(Self.erase + line)
      (isDrawn, hasShown) = (true, true)
    case .log:
      guard now - lastLogged >= Self.loggingInterval else { return }
      lastLogged = now
      hasShown = true
      warn("\(name): \(Self.line(progress, rate: rate(at: now), width: 200))")
    }
  }

  /// Begins the next download of the same pull.
  private func begin(after last: PullProgress) {
    if last.phase != .verifying || last.filesDone == last.fileCount {
      finished.files += last.filesDone
      finished.bytes += max(0, last.bytesDone - last.bytesBefore)
    }
    samples = []
  }

  /// Erases the line, so that a message can be written.
  func erase() {
    if isDrawn { writeToStandardError(Self.erase) }
    isDrawn = false
  }

  /// Writes a last line with what was fetched, if progress was shown.
  func end() {
    erase()
    guard hasShown, let last, last.bytesDone > last.bytesBefore else { return }
    begin(after: last)
    let seconds = monotonicSeconds() - start
    let rate = formattedByteCount(Int(Double(finished.bytes) / max(seconds, 0.001)))
    warn(
      "\(name): fetched \(Self.counted(finished.files)), \(formattedByteCount(finished.bytes)) in "
        + "\(Self.time(Int(seconds))) (\(rate)/s)")
  }

  /// Writes that the received bytes are kept.
  func interrupt() {
    erase()
    guard style != .none else { return }
    let kept = last.map { $0.bytesDone > 0 ? "\(formattedByteCount($0.bytesDone)) are kept; " : "" } ?? ""
    warn("\(name): interrupted; \(kept)the same command continues")
  }

  /// The number of bytes per second in the last seconds; nil if it is not known yet.
  private func rate(at now: Double) -> Int? {
    guard let first = samples.first, let last = samples.last, last.time - first.time > 0.5 else { return nil }
    return Int(Double(last.count - first.count) / (last.time - first.time))
  }

  private static func kind(_ phase: PullProgress.Phase) -> Int {
    switch phase {
    case .receiving: 0
    case .verifying: 1
    case .stalled: 2
    case .waiting: 3
    }
  }

  private static func counted(_ files: Int) -> String { "\(files) \(files == 1 ? "file" : "files")" }

  /// Returns a time as `0:08` or `1:02:03`.
  private static func time(_ seconds: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(seconds % 60))" : "\(minutes):\(two(seconds % 60))"
  }

  /// Returns the longest of several descriptions that fits, such as
  /// `3/9 files  [=====     ]   53 %  290.5 MB of 548.1 MB  31.0 MB/s  0:08 left  model.safetensors`.
  static func line(_ progress: PullProgress, rate: Int?, width: Int) -> String {
    let share = progress.byteCount == 0 ? 100 : Int(Double(progress.bytesDone) / Double(progress.byteCount) * 100)
    let percent = "\(padded("\(share)", 3, right: true)) %"
    let (done, all) = (formattedByteCount(progress.bytesDone), formattedByteCount(progress.byteCount))
    let files = "\(progress.filesDone)/\(progress.fileCount) files"
    var (speed, state): (String?, String?)
    switch progress.phase {
    case .receiving:
      if let rate, rate > 0 {
        speed = "\(formattedByteCount(rate))/s"
        state = time((progress.byteCount - progress.bytesDone) / rate)
      }
    case .verifying: state = "verifying"
    case .stalled(let seconds): state = "no data for \(seconds) s"
    case .waiting(let seconds): state = "retry in \(seconds) s"
    }
    if progress.byteCount == 0 { return String((state ?? "").prefix(width)) }
    let left = progress.phase == .receiving ? state.map { "\($0) left" } : state
    func joined(_ parts: String?...) -> String { parts.compactMap { $0 }.joined(separator: "  ") }
    func bar(_ length: Int) -> String {
      let full = length * min(max(share, 0), 100) / 100
      return "[\(String(repeating: "=", count: full))\(String(repeating: " ", count: length - full))]"
    }
    let file = progress.file.isEmpty ? nil : escaped(progress.file.utf8)
    let candidates = [
      joined(files, bar(20), percent, "\(done) of \(all)", speed, left, file),
      joined(files, bar(20), percent, "\(done) of \(all)", speed, left),
      joined(files, percent, "\(done) of \(all)", speed, left), joined(percent, "\(done) of \(all)", speed, state),
      joined(percent, "\(done) of \(all)", state), joined(percent, done, state), joined(percent, state),
    ]
    return candidates.first { columns($0) <= width } ?? String(percent.prefix(max(width, 0)))
  }
}

import Platform

/// The capabilities of standard output.
public struct Terminal {
  /// The number of columns; nil if the output does not go to a screen: it is then not truncated.
  public let width: Int?
  /// True on a terminal, unless `$TERM` is `dumb`, and if `$CLICOLOR_FORCE` is set (https://bixense.com/clicolors).
  public let showsBars: Bool
  /// No colours if `$NO_COLOR` is set (https://no-color.org); otherwise as for bars.
  public let palette: Palette
  /// Whether colours can be any of 2^24 (`$COLORTERM` is `truecolor` or `24bit`), not only those of a palette.
  public let hasTrueColour: Bool
  /// Whether the locale's encoding is UTF-8. If not, only ASCII is written.
  public let isUTF8: Bool

  /// The available colours.
  public enum Palette {
    case none, eight, many
  }

  package init(width: Int?, showsBars: Bool, palette: Palette, hasTrueColour: Bool = false, isUTF8: Bool) {
    self.width = width
    self.showsBars = showsBars
    self.palette = palette
    self.hasTrueColour = hasTrueColour
    self.isUTF8 = isUTF8
  }

  public static func standardOutput() -> Terminal {
    func isSet(_ name: String) -> Bool { environmentVariable(name) != nil }
    let isTerminal = isatty(STDOUT_FILENO) == 1
    let isForced = environmentVariable("CLICOLOR_FORCE").map { $0 != "0" } ?? false
    let kind = environmentVariable("TERM") ?? "dumb"
    let isDisplay = isForced || isTerminal && kind != "dumb"
    let palette: Palette =
      if !isDisplay || isSet("NO_COLOR") {
        .none
      } else {
        kind.contains("256color") || isSet("COLORTERM") ? .many : .eight
      }
    return Terminal(
      width: isTerminal || isForced ? width(of: STDOUT_FILENO) ?? declaredColumns ?? 80 : nil, showsBars: isDisplay,
      palette: palette,
      hasTrueColour: palette == .many && ["truecolor", "24bit"].contains(environmentVariable("COLORTERM") ?? ""),
      isUTF8: localeIsUTF8)
  }

  /// Returns the number of columns of a terminal; nil if `descriptor` is not a terminal or its width is unknown.
  public static func width(of descriptor: Int32) -> Int? {
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
  }

  /// The number of columns for text that is wrapped, such as `--help`: `$COLUMNS`, or else the width of the terminal
  /// that is standard output, or else 80. At most 100, because longer lines are hard to read.
  static var textWidth: Int { min(declaredColumns ?? width(of: STDOUT_FILENO) ?? 80, 100) }

  private static var declaredColumns: Int? { environmentVariable("COLUMNS").flatMap { Int($0) }.map { max($0, 1) } }

  /// Returns a bar of at most `width` columns, in eighths of a column if the terminal can show them.
  ///
  /// - Parameter fraction: the length as a fraction of `width`, 0 to 1.
  public func bar(_ fraction: Float, _ width: Int) -> String {
    guard isUTF8 else { return String(repeating: "#", count: Int((fraction * Float(width)).rounded())) }
    let eighths = Int((fraction * Float(width) * 8).rounded())
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
  }

  /// Returns `text` truncated to at most `width` columns. If it was truncated, its last character is an ellipsis, or
  /// `~` in ASCII.
  public func cut(_ text: String, to width: Int) -> String {
    guard columns(text) > width else { return text }
    let mark = isUTF8 ? "…" : "~"
    var kept = ""
    for scalar in text.unicodeScalars {
      let longer = kept + String(scalar)
      if columns(longer) >= width { break }
      kept = longer
    }
    return width > 0 ? kept + mark : ""
  }
}

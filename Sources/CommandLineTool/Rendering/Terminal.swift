import Platform

/// What the place that standard output goes to can show.
public struct Terminal {
  /// Columns; nil where the output does not go to a screen, and nothing has to be cut.
  public let width: Int?
  /// True on a terminal, unless `$TERM` is `dumb`, and if `$CLICOLOR_FORCE` is set (https://bixense.com/clicolors).
  public let showsBars: Bool
  /// No colours if `$NO_COLOR` is set (https://no-color.org); otherwise as for bars.
  public let palette: Palette
  /// Whether characters outside ASCII arrive.
  public let isUTF8: Bool

  /// The colours there are.
  public enum Palette {
    case none, eight, many
  }

  package init(width: Int?, showsBars: Bool, palette: Palette, isUTF8: Bool) {
    self.width = width
    self.showsBars = showsBars
    self.palette = palette
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
      palette: palette, isUTF8: localeIsUTF8)
  }

  /// What the terminal says of its width, if it is one and says anything.
  public static func width(of descriptor: Int32) -> Int? {
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
  }

  private static var declaredColumns: Int? { environmentVariable("COLUMNS").flatMap { Int($0) }.map { max($0, 1) } }

  /// Text with at most `width` columns, the last of them an ellipsis where something is missing.
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

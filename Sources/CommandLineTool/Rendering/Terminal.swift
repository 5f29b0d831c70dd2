import Platform

/// What the screen can show.
public struct Terminal {
  /// Columns.
  public let width: Int
  /// Whether bars (and colours) are wanted: on a terminal, unless `$NO_COLOR` is set (https://no-color.org).
  public let showsBars: Bool
  /// Whether characters outside ASCII arrive.
  public let isUTF8: Bool

  /// Standard output's terminal; 80 columns where it is none and `$COLUMNS` does not tell.
  public static func standardOutput() -> Terminal {
    var size = winsize()
    let isTerminal = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    let declared = environmentVariable("COLUMNS").flatMap { Int($0) }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(environmentVariable).first?.lowercased() ?? ""
    return Terminal(
      width: max(20, isTerminal ? Int(size.ws_col) : declared ?? 80),
      showsBars: isatty(STDOUT_FILENO) == 1 && environmentVariable("NO_COLOR") == nil,
      isUTF8: locale.contains("utf-8") || locale.contains("utf8"))
  }
}

/// A token's text for a table: what would not show, or would disturb the table, is escaped; quotation marks make spaces
/// visible. Bytes that are no character are shown as `\xE2`.
public func printable(_ bytes: UnsafeBufferPointer<UInt8>, isUTF8: Bool) -> String {
  var text = "\""
  func escape(_ byte: UInt8) {
    text += "\\x" + String(byte >> 4, radix: 16, uppercase: true) + String(byte & 15, radix: 16, uppercase: true)
  }
  guard let decoded = String(validating: bytes, as: UTF8.self) else {
    for byte in bytes {
      if byte > 0x20, byte < 0x7F { text.unicodeScalars.append(Unicode.Scalar(byte)) } else { escape(byte) }
    }
    return text + "\""
  }
  for scalar in decoded.unicodeScalars {
    switch scalar {
    case "\"", "\\": text += "\\\(scalar)"
    case "\n": text += "\\n"
    case "\t": text += "\\t"
    case "\r": text += "\\r"
    case " "..."~": text.unicodeScalars.append(scalar)
    default:
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
        text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      default:
        if isUTF8 {
          text.unicodeScalars.append(scalar)
        } else {
          text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        }
      }
    }
  }
  return text + "\""
}

/// Text brought to a width by spaces.
public func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
  let space = String(repeating: " ", count: max(0, width - columns(text)))
  return right ? space + text : text + space
}

/// How many columns of a terminal the text takes: East Asian wide characters and emoji take two, combining marks none.
public func columns(_ text: String) -> Int {
  text.unicodeScalars.reduce(0) { count, scalar in
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return count
    default: return count + (isWide(scalar) ? 2 : 1)
    }
  }
}

/// The blocks of Unicode's East Asian Width W and F that tokens are likely to come from.
private func isWide(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
    0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
    0x1F900...0x1F9FF, 0x20000...0x3FFFD:
    true
  default: false
  }
}

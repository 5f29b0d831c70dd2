import Platform

// All output to standard error is written by the functions in this file.

extension Arguments {
  /// Writes a note, which is not an error, to standard error, unless `--quiet` is given.
  public func note(_ message: String) {
    if !has(.quiet) { warn("\(tool.name): \(message)") }
  }
}

/// Writes a line to standard error. Control characters, which a file or a record can put into the message, are escaped,
/// so that they cannot break the line or control the terminal.
public func warn(_ message: String) {
  let text = escaped(shortened(message).utf8)
  writeToStandardError((Progress.isPossible ? Progress.eraseLine : "") + text + "\n")
}

/// Returns the message, or its first 600 and last 300 bytes if it has more than 1,000: it may quote a file or a record.
func shortened(_ message: String) -> String {
  let bytes = message.utf8
  guard bytes.count > maximumMessageSize else { return message }
  let (head, tail) = (
    String(decoding: bytes.prefix(600), as: UTF8.self), String(decoding: bytes.suffix(300), as: UTF8.self)
  )
  return "\(head)… (\(bytes.count - 900) bytes omitted) …\(tail)"
}

private let maximumMessageSize = 1000  // bytes; the longest message without quotations has half as many

/// Writes text to standard error, in ASCII if the locale is not UTF-8. Write errors are ignored.
public func writeToStandardError(_ text: String) {
  let bytes = Array((localeIsUTF8 ? text : asciiOnly(text)).utf8)
  _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// True if the environment names a UTF-8 locale. As in setlocale(3), the first variable that is set decides.
let localeIsUTF8: Bool = {
  let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(environmentVariable).first?.lowercased() ?? ""
  return locale.contains("utf-8") || locale.contains("utf8")
}()

/// Replaces typographic characters with their ASCII forms, and escapes all other characters outside ASCII as `\u{E9}`.
package func asciiOnly(_ text: String) -> String {
  guard text.utf8.contains(where: { $0 >= 0x80 }) else { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case _ where scalar.isASCII: result.unicodeScalars.append(scalar)
    case "…": result += "..."
    case "–", "‑", "−": result += "-"
    case "—": result += "--"
    case "“", "”", "„": result += "\""
    case "‘", "’", "‚": result += "'"
    case "×": result += "x"
    case "→": result += "->"
    case "≥": result += ">="
    case "≤": result += "<="
    case "\u{A0}", "\u{202F}": result += " "
    default: result += "\\u{\(hexadecimal(scalar.value, uppercase: true))}"
    }
  }
  return result
}

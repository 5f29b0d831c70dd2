import Platform

/// Returns bytes in a form that is visible and safe on a terminal: `\n`, `\u{1B}` for control and other invisible
/// characters, `\xE2` for a byte that is not part of valid UTF-8. Unless `isUTF8`, all characters that are not ASCII
/// are escaped as well.
public func visible(_ bytes: UnsafeBufferPointer<UInt8>, isUTF8: Bool) -> String {
  escaped(bytes, isUTF8: isUTF8)
}

/// Returns the same as `visible` between quotation marks, so that spaces at the ends can be seen.
public func quoted(_ bytes: UnsafeBufferPointer<UInt8>, isUTF8: Bool) -> String {
  "\"" + escaped(bytes, isUTF8: isUTF8, marks: "\"\\") + "\""
}

/// Returns text padded with spaces to a number of columns: after it, or before it if `right`.
public func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
  let space = String(repeating: " ", count: max(0, width - columns(text)))
  return right ? space + text : text + space
}

/// Returns the number of terminal columns of a text: two for a wide character, zero for a combining mark.
///
/// `wcwidth` depends on the locale of the process and differs between systems.
public func columns(_ text: String) -> Int {
  text.unicodeScalars.reduce(0) { count, scalar in
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: count
    default: count + (0x1160...0x11FF ~= scalar.value ? 0 : isWide(scalar) ? 2 : 1)  // Hangul jamo
    }
  }
}

/// Returns whether the East Asian Width of a character is W or F (Unicode Standard Annex 11): the blocks of East Asian
/// scripts and of full-width forms, and characters that are shown as emoji by default, except the regional indicators
/// of flags.
private func isWide(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case ..<0x1100, 0x1F1E6...0x1F1FF: false
  case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
    0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18CFF, 0x1AFF0...0x1B2FB,
    0x20000...0x3FFFD:
    true
  default: scalar.properties.isEmojiPresentation
  }
}

import Platform

/// Bytes as a person can see them: what would not show, or would steer the terminal, is escaped, as `\n`, `\u{1B}`, or
/// `\xE2` where a byte belongs to no character; so is what is not ASCII, unless `isUTF8`.
public func visible(_ bytes: UnsafeBufferPointer<UInt8>, isUTF8: Bool) -> String {
  escaped(bytes, isUTF8: isUTF8)
}

/// The same between quotation marks, which make spaces visible.
public func quoted(_ bytes: UnsafeBufferPointer<UInt8>, isUTF8: Bool) -> String {
  "\"" + escaped(bytes, isUTF8: isUTF8, marks: "\"\\") + "\""
}

/// Text brought to a width by spaces.
public func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
  let space = String(repeating: " ", count: max(0, width - columns(text)))
  return right ? space + text : text + space
}

/// How many columns of a terminal the text takes: wide characters two, combining marks none.
///
/// The system's `wcwidth` would know, but only in the locale of the process, and not alike everywhere.
public func columns(_ text: String) -> Int {
  text.unicodeScalars.reduce(0) { count, scalar in
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: count
    default: count + (0x1160...0x11FF ~= scalar.value ? 0 : isWide(scalar) ? 2 : 1)  // vowels within a Hangul syllable
    }
  }
}

/// East Asian Width W or F (Unicode Standard Annex 11): the blocks of East Asian scripts and of full-width forms, and
/// what is shown as an emoji by itself, but for the letters that flags are spelled with.
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

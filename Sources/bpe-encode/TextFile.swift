import CommandLineTool
import Platform

/// Notes about invisible bytes in text files: carriage returns, a byte-order mark, UTF-16. All of them are valid input,
/// but they produce unexpected tokens, so the first byte of each kind is reported.
final class TextFile {
  private let note: (String) -> Void
  /// True if each text is a line; false if it is separated by NUL bytes or is a whole file.
  private let isLines: Bool
  private let convertsLineEnds: Bool
  private var hasNotedCarriageReturn = false

  init(_ arguments: Arguments) {
    note = arguments.note
    isLines = !arguments.has(.wholeInput) && !arguments.has(.nullTerminated)
    convertsLineEnds = arguments.has(.crlf)
  }

  /// Writes notes about a text, and returns it without a byte-order mark.
  func prepare(
    _ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, place: () -> String
  ) -> UnsafeBufferPointer<UInt8> {
    noteCarriageReturn(text, place)
    guard isFirst else { return text }
    if let encoding = utf16Encoding(of: text.span) {
      note(
        "\(place()): this looks like UTF-16, but is encoded byte by byte (iconv -f \(encoding) -t UTF-8 converts a file)"
      )
    }
    guard text.starts(with: [0xEF, 0xBB, 0xBF]) else { return text }
    guard isLines else {
      note("\(place()): the byte-order mark at the start is encoded as part of the text")
      return text
    }
    note("\(place()): the byte-order mark at the start is omitted")
    return UnsafeBufferPointer(rebasing: text.dropFirst(3))
  }

  private func noteCarriageReturn(_ text: UnsafeBufferPointer<UInt8>, _ place: () -> String) {
    guard !convertsLineEnds, !hasNotedCarriageReturn, hasCarriageReturn(text, atEnd: isLines) else { return }
    hasNotedCarriageReturn = true
    note("\(place()): the carriage return at the end of a line is encoded as part of the text; --crlf omits it")
  }
}

/// Returns whether the text has a carriage return before a newline, or, if it is a line, at its end.
func hasCarriageReturn(_ text: UnsafeBufferPointer<UInt8>, atEnd isLine: Bool) -> Bool {
  if isLine { return text.last == UInt8(ascii: "\r") }
  var rest = UnsafeRawBufferPointer(text)
  while let base = rest.baseAddress, let found = memchr(base, Int32(UInt8(ascii: "\r")), rest.count) {
    rest = UnsafeRawBufferPointer(rebasing: rest[(base.distance(to: found) + 1)...])
    if rest.first == UInt8(ascii: "\n") { return true }
  }
  return false
}

/// Returns the text without carriage returns before newlines, and, if it is a line, without a carriage return at its
/// end.
func withoutCarriageReturns(_ text: UnsafeBufferPointer<UInt8>, atEnd isLine: Bool) -> [UInt8] {
  text.indices.compactMap { index in
    let isLast = index == text.count - 1
    let isLineEnd = text[index] == UInt8(ascii: "\r") && (isLast ? isLine : text[index + 1] == UInt8(ascii: "\n"))
    return isLineEnd ? nil : text[index]
  }
}

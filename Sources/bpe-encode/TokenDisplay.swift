import CommandLineTool
import JSON
import Tokenizer

/// Displays tokens as a table, or as the text with the tokens distinguished by background colours.
struct TokenDisplay {
  enum Form { case table, colouredText }

  private let tokenizer: Tokenizer
  private let form: Form
  private let terminal = Terminal.standardOutput()
  private var count = 0

  init(_ tokenizer: Tokenizer, _ form: Form) {
    self.tokenizer = tokenizer
    self.form = form
  }

  /// Appends the display of a text's tokens, with the line end.
  mutating func write(_ ids: [Int32], to output: ByteBuffer) {
    switch form {
    case .table:
      if count > 0 { output.append(UInt8(ascii: "\n")) }  // a blank line between the tables of two texts
      writeTable(ids, to: output)
    case .colouredText: writeText(ids, to: output)
    }
    count += 1
  }

  private func writeTable(_ ids: [Int32], to output: ByteBuffer) {
    let idWidth = max(2, ids.map { String($0).count }.max() ?? 0)
    func write(_ id: String, _ token: String) {
      let shown = terminal.width.map { terminal.cut(token, to: max(1, $0 - idWidth - 2)) } ?? token
      output.append("\(padded(id, idWidth, right: true))  \(shown)\n")
    }
    write("id", "token")
    for id in ids {
      guard let bytes = tokenizer.bytes(of: Int(id)) else { continue }
      write("\(id)", quoted(bytes, isUTF8: terminal.isUTF8))
    }
  }

  /// Writes each token on a background that differs from its neighbors' or, without colours, with `|` between tokens.
  /// A character whose bytes are in several tokens is written when it is complete: underlined, on the background of the
  /// last of these tokens, or after the `|` marks that would be inside it.
  private func writeText(_ ids: [Int32], to output: ByteBuffer) {
    var tail: [UInt8] = []  // the first bytes of an incomplete character
    for (index, id) in ids.enumerated() {
      if index > 0, terminal.palette == .none { output.append(UInt8(ascii: "|")) }
      let bytes = tail + (tokenizer.bytes(of: Int(id)).map(Array.init) ?? [])
      let incomplete = index == ids.count - 1 ? 0 : incompleteUTF8Suffix(bytes.span)
      let complete = bytes.dropLast(incomplete)
      let shared = tail.isEmpty ? 0 : min(complete.count, firstLength(bytes))
      write(complete.prefix(shared), background: index, isUnderlined: true, to: output)
      write(complete.dropFirst(shared), background: index, to: output)
      tail = bytes.suffix(incomplete)
    }
    output.append(UInt8(ascii: "\n"))
  }

  /// Returns the number of bytes of the first character.
  private func firstLength(_ bytes: [UInt8]) -> Int {
    bytes.isEmpty ? 0 : utf8SequenceLength(bytes.span, at: 0) ?? 1
  }

  /// Writes a part of the text. A newline is written as a visible symbol followed by a newline.
  private func write(
    _ bytes: ArraySlice<UInt8>, background index: Int, isUnderlined: Bool = false, to output: ByteBuffer
  ) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      let isLast = number == lines.count - 1
      let text = line.withUnsafeBufferPointer { visible($0, isUTF8: terminal.isUTF8) }
      let shown = isLast ? text : text + (terminal.isUTF8 ? "↵" : "\\n")
      if !shown.isEmpty {
        if let colours = colours(index) {
          output.append("\u{1B}[\(isUnderlined ? "4;" : "")\(colours)m\(shown)\u{1B}[0m")
        } else {
          output.append(shown)
        }
      }
      if !isLast { output.append(UInt8(ascii: "\n")) }
    }
  }

  /// Returns the parameters of the control sequence Select Graphic Rendition (ECMA-48) for a token: black on a light
  /// background, so that the contrast is at least 4.5:1 in light and dark themes. Of the eight basic colours, cyan,
  /// yellow, green and white are light enough.
  private func colours(_ index: Int) -> String? {
    switch terminal.palette {
    case .none: nil
    case .eight: "30;" + ["46", "43", "42", "47"][index % 4]
    case .many: "38;5;16;48;5;" + ["189", "194", "223", "217", "153"][index % 5]
    }
  }
}

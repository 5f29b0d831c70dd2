import JSON
import JSONLines
import Platform

/// Writes rows of tab-separated or comma-separated values with a header, in a form that R's read_tsv and read_csv and
/// pandas read without options: a field with a separator or a quotation mark is quoted as in RFC 4180, and a missing
/// value is NA. Each row is one line: in a field, line ends and other control characters are written as `\n`, `\u{1B}`.
///
/// The first column, `record`, is the number of the record in the input, from 1. Then follow the scalar members of the
/// first record, except those that the tools write, and then the columns of the tool.
public struct DelimitedText {
  /// The value of a field.
  public enum Field {
    case text([UInt8])
    case number(Float?)
    case integer(Int?)
  }

  private let separator: UInt8
  private let columns: [String]
  private let output: Output
  private let note: (String) -> Void
  /// The names of the leading columns; nil before the first record.
  private var leading: [[UInt8]]?
  private var hasNotedOtherMembers = false

  /// - Parameters:
  ///   - separator: a tab or a comma.
  ///   - columns: the columns of the tool.
  public init(separator: UInt8, columns: [String], _ arguments: Arguments, _ output: Output) {
    (self.separator, self.columns, self.output, note) = (separator, columns, output, arguments.note)
  }

  /// Writes the rows of a record, and before the first rows the header.
  ///
  /// - Parameter index: the index of the record in the input, from 0.
  /// - Throws: an error of the record, before anything is written; or `ToolError`.
  public mutating func write(_ rows: [[Field]], of record: Record, index: Int) throws {
    let scalars = try record.scalars().filter { scalar in !Self.ownMembers.contains { $0.elementsEqual(scalar.name) } }
    if leading == nil {
      leading = scalars.map(\.name)
      try writeHeader()
    }
    let names = leading ?? []
    if !hasNotedOtherMembers, let other = scalars.first(where: { !names.contains($0.name) }) {
      hasNotedOtherMembers = true
      note("record \(index + 1): \"\(escaped(other.name))\" is not a member of the first record, so it has no column")
    }
    let values = names.map { name in
      scalars.first { $0.name == name }?.value.map(Field.text) ?? .integer(nil)
    }
    for row in rows {
      output.buffer.append("\(index + 1)")
      for field in values + row {
        output.buffer.append(separator)
        append(field)
      }
      try output.endLine()
    }
  }

  /// Writes the header if there was no record.
  public mutating func finish() throws {
    guard leading == nil else { return }
    leading = []
    try writeHeader()
  }

  private func writeHeader() throws {
    output.buffer.append("record")
    for name in (leading ?? []) + columns.map({ Array($0.utf8) }) {
      output.buffer.append(separator)
      append(.text(name))
    }
    try output.endLine()
  }

  private func append(_ field: Field) {
    switch field {
    case .number(nil), .integer(nil): output.buffer.append("NA")
    case .number(let number?): output.buffer.append(json: number)
    case .integer(let number?): output.buffer.append(json: number)
    case .text(let bytes):
      let isPlain = isUTF8(bytes.span) && !bytes.contains { $0 < 0x20 || $0 == 0x7F }
      let text = isPlain ? bytes : Array(escaped(bytes).utf8)
      guard text.contains(where: { $0 == separator || $0 == UInt8(ascii: "\"") }) else {
        return output.buffer.append(text)
      }
      output.buffer.append("\"")
      output.buffer.append(text.flatMap { $0 == UInt8(ascii: "\"") ? [$0, $0] : [$0] })
      output.buffer.append("\"")
    }
  }

  /// The scalar members that the tools write; a column for them would repeat the text in each row.
  private static let ownMembers = ["text", "vocab", "seed", "prompt", "done", "position"].map { Array($0.utf8) }
}

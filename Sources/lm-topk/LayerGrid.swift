import CommandLineTool
import JSON
import JSONLines
import Sampling
import Tokenizer

/// Displays records of `lm-logits --layers` as tables: layers down, positions across.
func displayGrid(_ filter: Filter, _ arguments: Arguments, _ output: Output) throws {
  let files = try arguments.modelFiles()
  let tokenizer = try Tokenizer(files, for: .decoding)
  let vocabulary = ModelVocabulary { tokenizer }
  let vocabularySize = files.vocabularySize(tokenizer)
  var grid = LayerGrid(tokenizer)
  try filter.forEachRecord { record in
    try vocabulary.check(record)
    let ids = try record.ids(inVocabularyOf: vocabularySize)
    guard let id = ids.last else { return }
    guard var layer = try record.value(of: "layer") else {
      throw RecordError("\"layer\" is missing; lm-logits --layers adds it")
    }
    let cell = LayerGrid.Cell(
      layer: try layer.integer(), position: ids.count - 1, id: id,
      best: try record.mostLikely(ofVocabulary: vocabularySize))
    if !grid.continues(with: cell) { try grid.write(to: output) }
    grid.add(cell)
  } orWrite: {
  }
  try grid.write(to: output)
}

extension Record {
  /// Returns the most likely token, from `topk` or from `logits`.
  fileprivate func mostLikely(ofVocabulary size: Int) throws -> (id: Int, p: Float) {
    if let logits = try logits() {
      try requireLogits(logits.count, ofVocabulary: size)
      return try logits.withUnsafeBufferPointer { logits in
        try requireFinite(logits)
        let best = Distribution(logits).mostLikely
        return (best.id, best.p)
      }
    }
    guard var scanner = try value(of: "topk") else {
      throw RecordError("\"topk\" is missing; lm-logits --top-k adds it")
    }
    var (id, p): (Int?, Float?)
    if try scanner.beginArray() {
      try scanner.object { (name, scanner) throws(JSONError) in
        if scanner.matches(name, "id") {
          id = try scanner.integer()
        } else if scanner.matches(name, "p") {
          p = try scanner.float()
        } else {
          _ = try scanner.skipValue()
        }
      }
    }
    guard let id, let p, 0..<size ~= id, 0...1 ~= p else {
      throw RecordError("\"topk\"[0] has no valid \"id\" and \"p\"")
    }
    return (id, p)
  }
}

/// A table of the most likely token after each layer (rows) at each position (columns). Columns that do not fit the
/// terminal follow in further tables.
struct LayerGrid {
  struct Cell {
    let layer: Int
    let position: Int
    /// The token at the position.
    let id: Int
    /// The most likely next token.
    let best: (id: Int, p: Float)
  }

  private let tokenizer: Tokenizer
  private let terminal = Terminal.standardOutput()
  private var cells: [Cell] = []
  private var count = 0  // of tables

  init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  /// Returns whether a cell follows the last one in the same table: in the next column or in a later row.
  func continues(with cell: Cell) -> Bool {
    guard let last = cells.last else { return true }
    return cell.layer > last.layer || cell.layer == last.layer && cell.position > last.position
  }

  mutating func add(_ cell: Cell) { cells.append(cell) }

  /// Writes the table and begins a new one.
  mutating func write(to output: Output) throws {
    defer { cells = [] }
    guard !cells.isEmpty else { return }
    let layers = Set(cells.map(\.layer)).sorted()
    let labelWidth = max(5, layers.map { String($0).count }.max() ?? 0)
    let columns = Set(cells.map(\.position)).sorted().map(column)
    var rest = columns[...]
    while !rest.isEmpty {
      if count > 0 { try output.endLine() }
      count += 1
      var used = labelWidth
      var shown: [Column] = []
      while let column = rest.first, shown.isEmpty || used + 1 + column.width <= terminal.width ?? .max {
        shown.append(column)
        used += 1 + column.width
        rest.removeFirst()
      }
      try writeLine([padded("layer", labelWidth)] + shown.map(\.heading), to: output)
      for layer in layers {
        let fields = shown.map { $0.fields[layer] ?? padded("", $0.width) }
        try writeLine([padded("\(layer)", labelWidth, right: true)] + fields, to: output)
      }
    }
  }

  /// Writes a line without white space at its end.
  private func writeLine(_ fields: [String], to output: Output) throws {
    let line = fields.joined(separator: " ")
    output.buffer.append(String(line.reversed().drop { $0 == " " }.reversed()))
    try output.endLine()
  }

  private struct Column {
    let width: Int
    let heading: String
    /// The field of each layer, padded to the width.
    let fields: [Int: String]
  }

  private static let longestToken = 14

  private func column(_ position: Int) -> Column {
    let cells = cells.filter { $0.position == position }
    let heading = name(cells[0].id)
    let names = cells.map { name($0.best.id) }
    let nameWidth = ([heading] + names).map { columns($0) }.max() ?? 0
    let showsNumbers = terminal.palette == .none
    let fields = zip(cells, names).map { cell, name in
      let percent = padded(fixedPoint(cell.best.p * 100, decimals: 0), 3, right: true)
      return (cell.layer, coloured(padded(name, nameWidth) + (showsNumbers ? " \(percent)" : ""), cell.best.p))
    }
    let width = nameWidth + (showsNumbers ? 4 : 0)
    return Column(
      width: width, heading: padded(heading, width), fields: Dictionary(fields, uniquingKeysWith: { first, _ in first })
    )
  }

  private func name(_ id: Int) -> String {
    terminal.cut(tokenizer.bytes(of: id).map { quoted($0, isUTF8: terminal.isUTF8) } ?? "", to: Self.longestToken)
  }

  /// Returns text on a background for a probability: black on greens, so that the contrast is at least 4.5:1 in light
  /// and dark themes.
  private func coloured(_ text: String, _ p: Float) -> String {
    let level = [0.1, 0.25, 0.5, 0.75].lastIndex { p >= $0 }
    guard let level else { return text }
    switch terminal.palette {
    case .none: return text
    case .eight: return "\u{1B}[30;\([47, 46, 43, 42][level])m\(text)\u{1B}[0m"
    case .many: return "\u{1B}[38;5;16;48;5;\([194, 157, 120, 77][level])m\(text)\u{1B}[0m"
    }
  }
}

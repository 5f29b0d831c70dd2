import CommandLineTool
import JSON
import JSONLines
import Sampling
import Tokenizer

extension LayerGrid.Cell {
  /// Reads a record of `lm-logits --layers`.
  ///
  /// - Parameter ids: the ids of the record; not empty.
  init(_ record: Record, _ ids: [Int], vocabularySize: Int) throws {
    guard var layer = try record.value(of: "layer") else {
      throw RecordError("\"layer\" is missing; lm-logits --layers adds it")
    }
    self.init(
      layer: try layer.integer(), position: ids.count - 1, id: ids[ids.count - 1],
      best: try record.mostLikely(ofVocabulary: vocabularySize))
  }
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

  init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  /// Returns whether a cell follows the last one in the same table: in the next column or in a later row.
  func continues(with cell: Cell) -> Bool {
    guard let last = cells.last else { return true }
    return cell.layer > last.layer || cell.layer == last.layer && cell.position > last.position
  }

  mutating func add(_ cell: Cell) { cells.append(cell) }

  /// Writes the cells as tables, and begins a new one.
  ///
  /// - Parameter beginTable: called before each table.
  mutating func write(to output: Output, _ beginTable: () throws -> Void) throws {
    defer { cells = [] }
    guard !cells.isEmpty else { return }
    let layers = Set(cells.map(\.layer)).sorted()
    let labelWidth = max(5, layers.map { String($0).count }.max() ?? 0)
    let columns = Set(cells.map(\.position)).sorted().map(column)
    var rest = columns[...]
    while !rest.isEmpty {
      try beginTable()
      var used = labelWidth
      var shown: [Column] = []
      while let column = rest.first, shown.isEmpty || used + 1 + column.width <= terminal.width ?? .max {
        shown.append(column)
        used += 1 + column.width
        rest.removeFirst()
      }
      try output.writeGridLine(([padded("layer", labelWidth)] + shown.map(\.heading)).joined(separator: " "))
      for layer in layers {
        let fields = shown.map { $0.fields[layer] ?? padded("", $0.width) }
        try output.writeGridLine(([padded("\(layer)", labelWidth, right: true)] + fields).joined(separator: " "))
      }
    }
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
      return (cell.layer, terminal.shaded(padded(name, nameWidth) + (showsNumbers ? " \(percent)" : ""), cell.best.p))
    }
    let width = nameWidth + (showsNumbers ? 4 : 0)
    return Column(
      width: width, heading: padded(heading, width), fields: Dictionary(fields, uniquingKeysWith: { first, _ in first })
    )
  }

  private func name(_ id: Int) -> String {
    terminal.cut(tokenizer.bytes(of: id).map { quoted($0, isUTF8: terminal.isUTF8) } ?? "", to: Self.longestToken)
  }
}

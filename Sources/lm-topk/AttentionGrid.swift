import CommandLineTool
import JSON
import JSONLines
import Tokenizer

/// A table of the attention weights of a head in percent: a row for each token, and in it the weights of the token and
/// of the tokens before it. Columns that do not fit the terminal follow in further tables.
struct AttentionGrid {
  /// The member `attentions` of a record has one such object for each head.
  struct Head {
    let layer: Int
    let head: Int
    /// A row for each token: the weights of the tokens up to it.
    let weights: [[Float]]
  }

  private let tokenizer: Tokenizer
  private let terminal = Terminal.standardOutput()

  init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  /// Reads the member `attentions`; nil if it is missing.
  ///
  /// - Throws: `JSONError` or `RecordError` if it is not an array of heads with the weights of as many tokens as there
  ///   are ids.
  static func heads(of record: Record, _ ids: [Int]) throws -> [Head]? {
    guard var scanner = try record.value(of: "attentions") else { return nil }
    var heads: [(layer: Int?, head: Int?, weights: [[Float]])] = []
    try scanner.array { (scanner) throws(JSONError) in
      var (layer, head): (Int?, Int?)
      var weights: [[Float]] = []
      try scanner.object { (name, scanner) throws(JSONError) in
        if scanner.matches(name, "layer") {
          layer = try scanner.integer()
        } else if scanner.matches(name, "head") {
          head = try scanner.integer()
        } else if scanner.matches(name, "weights") {
          try scanner.array { (scanner) throws(JSONError) in weights.append(try scanner.floats()) }
        } else {
          _ = try scanner.skipValue()
        }
      }
      heads.append((layer, head, weights))
    }
    return try heads.enumerated().map { index, object in
      guard let layer = object.layer, let head = object.head else {
        throw RecordError("\"attentions\"[\(index)] has no \"layer\" and \"head\"")
      }
      let place = "\"attentions\"[\(index)].\"weights\""
      guard object.weights.count == ids.count else {
        throw RecordError("\(place) has \(object.weights.count) rows, but \"ids\" has \(ids.count) tokens")
      }
      for (row, weights) in object.weights.enumerated() {
        guard weights.count == row + 1 else {
          throw RecordError("\(place)[\(row)] has \(weights.count) numbers; it must have \(row + 1)")
        }
        guard weights.allSatisfy({ 0...1 ~= $0 }) else {
          throw RecordError("\(place)[\(row)] has a number that is not from 0 to 1")
        }
      }
      return Head(layer: layer, head: head, weights: object.weights)
    }
  }

  private static let longestToken = 14

  /// Writes the tables of a head.
  ///
  /// - Parameter beginTable: called before each table.
  func write(_ head: Head, _ ids: [Int], to output: Output, _ beginTable: () throws -> Void) throws {
    let width = terminal.width ?? .max
    let names = ids.map { id in
      terminal.cut(
        tokenizer.bytes(of: id).map { quoted($0, isUTF8: terminal.isUTF8) } ?? "",
        to: min(Self.longestToken, max(3, width / 4)))
    }
    let numberWidth = String(ids.count - 1).count
    let nameWidth = names.map { columns($0) }.max() ?? 0
    let cellWidth = max(3, numberWidth + 1)  // `100` is the widest percentage
    let labelWidth = numberWidth + nameWidth + 2
    let count = max(1, (width - labelWidth) / cellWidth)
    func cell(_ text: String) -> String { padded(text, cellWidth, right: true) }
    for first in stride(from: 0, to: ids.count, by: min(count, ids.count)) {
      try beginTable()
      let shown = first..<min(ids.count, first + min(count, ids.count))
      try output.writeGridLine("layer \(head.layer), head \(head.head): attention in %")
      try output.writeGridLine(
        padded("", labelWidth) + shown.map { cell("\($0)") }.joined())
      for row in first..<ids.count {
        let weights = head.weights[row]
        let cells = shown.clamped(to: 0..<row + 1).map { position in
          let percent = Int((weights[position] * 100).rounded())
          return terminal.shaded(cell(percent == 0 ? "." : "\(percent)"), weights[position])
        }
        try output.writeGridLine(
          "\(padded("\(row)", numberWidth, right: true)) \(padded(names[row], nameWidth)) \(cells.joined())")
      }
    }
  }
}

import CommandLineTool
import JSON
import JSONLines
import Sampling
import Tokenizer

/// The form of the records with the logits of a position, as the options request.
struct PositionRecord {
  private let k: Int?
  private let isBase64: Bool
  private let writesAllPositions: Bool
  private let tokenizer: Lazy<Tokenizer>

  init(_ arguments: Arguments, _ tokenizer: Lazy<Tokenizer>) {
    k = arguments.integer(.topKOnly)
    isBase64 = arguments.has(.base64)
    writesAllPositions = arguments.has(.everyPosition)
    self.tokenizer = tokenizer
  }

  /// Writes the record of a position.
  ///
  /// - Parameters:
  ///   - layer: the number of layers before the output head; nil for all layers.
  ///   - vocabulary: the change that adds `vocab`.
  func write(
    _ logits: UnsafeBufferPointer<Float>, of record: Record, _ ids: [Int], position: Int, layer: Int? = nil,
    _ vocabulary: [Record.Change], to output: Output
  ) throws {
    var changes: [Record.Change] = []
    if writesAllPositions {
      changes = [.set("ids") { $0.append(json: ids[...position]) }, .set("position") { $0.append(json: position) }]
    }
    if let layer { changes.append(.set("layer") { $0.append(json: layer) }) }
    if let k {
      let (candidates, tokenizer) = (Distribution(logits).mostLikely(k), try tokenizer())
      changes += vocabulary + [.drop("logits"), .set("topk") { $0.append(candidates, tokenizer) }]
    } else {
      changes.append(.set("logits") { [isBase64] in isBase64 ? $0.append(base64: logits) : $0.append(json: logits) })
      changes += vocabulary
    }
    if writesAllPositions { changes += [.drop("text")] + Record.Change.staleWithOtherSequence }
    record.write(to: output.buffer, changes)
    try output.endLine()
  }
}

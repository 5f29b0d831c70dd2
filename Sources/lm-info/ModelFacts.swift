import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import Tokenizer

/// What there is to say of a model, for people and as a record.
struct ModelFacts {
  private let checkpoint: Checkpoint
  private let fingerprint: String
  /// Each weight counted once.
  private let parameters: Int
  /// The element types of the weights, those with most elements first: `BF16`, or `F16, F32`.
  private let precision: String

  init(_ checkpoint: Checkpoint, _ tokenizer: ByteLevelTokenizer) throws {
    self.checkpoint = checkpoint
    fingerprint = tokenizer.fingerprintText
    let tensors = try checkpoint.modelTensors()
    parameters = tensors.reduce(0) { $0 + $1.count }
    var counts: [String: Int] = [:]
    for tensor in tensors { counts[tensor.type.rawValue, default: 0] += tensor.count }
    precision = counts.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.map(\.key).joined(separator: ", ")
  }

  var lines: [(name: String, value: String)] {
    let c = checkpoint.configuration
    return [
      ("model", checkpoint.location.name),
      ("architecture", c.modelType),
      ("parameters", grouped(parameters)),
      ("layers", "\(c.n_layer)"),
      ("heads", "\(c.n_head) of width \(c.headWidth)"),
      ("width", "\(c.n_embd), feed-forward \(c.n_inner)"),
      ("context length", grouped(c.contextLength)),
      ("vocabulary", "\(grouped(c.vocabularySize)) tokens, \(fingerprint)"),
      ("precision", precision),
      ("size", "\(grouped(checkpoint.byteCount)) bytes"),
    ] + checkpoint.files.map { ("file", $0) }
  }

  func writeRecord(to output: ByteBuffer) {
    let c = checkpoint.configuration
    Record().write(
      to: output,
      [
        .set("model") { $0.append(jsonString: checkpoint.location.name) },
        .set("architecture") { $0.append(jsonString: c.modelType) },
        .set("parameters") { $0.append(json: parameters) },
        .set("n_layer") { $0.append(json: c.n_layer) },
        .set("n_head") { $0.append(json: c.n_head) },
        .set("n_embd") { $0.append(json: c.n_embd) },
        .set("n_inner") { $0.append(json: c.n_inner) },
        .set("n_positions") { $0.append(json: c.contextLength) },
        .set("vocab_size") { $0.append(json: c.vocabularySize) },
        .set("vocab") { $0.append(jsonString: fingerprint) },
        .set("precision") { $0.append(jsonString: precision) },
        .set("bytes") { $0.append(json: checkpoint.byteCount) },
        .set("files") { output in
          for (index, file) in checkpoint.files.enumerated() {
            output.append(index == 0 ? "[" : ",")
            output.append(jsonString: file)
          }
          output.append("]")
        },
      ])
  }
}

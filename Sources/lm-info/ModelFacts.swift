import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import LanguageModel
import Platform

/// The output of lm-info for a model, as lines of text and as a record.
struct ModelFacts {
  private let checkpoint: Checkpoint
  private let shape: ModelShape
  /// The fingerprint of the vocabulary; nil if the tokenizer is not supported.
  private let fingerprint: String?
  /// The number of weights. Tied embeddings are counted once.
  private let parameters: Int
  /// The element types of the weights in descending order of their number of elements: `BF16`, or `Q4_1, Q8_0, F32`.
  private let precision: String

  init(_ checkpoint: Checkpoint, _ definition: ModelDefinition, fingerprint: String?) throws {
    (self.checkpoint, shape) = (checkpoint, definition.shape)
    self.fingerprint = fingerprint
    let tensors = try definition.weights(checkpoint)
    parameters = tensors.reduce(0) { $0 + $1.count }
    var counts: [String: Int] = [:]
    for tensor in tensors { counts[tensor.type.rawValue, default: 0] += tensor.count }
    precision = counts.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.map(\.key).joined(separator: ", ")
  }

  var lines: [(name: String, value: String)] {
    let (s, phrases) = (shape, ShapePhrases(shape))
    let kvHeads = s.kvHeads == s.heads ? "" : ", \(s.kvHeads) key-value heads"
    return [
      ("model", "\(checkpoint.location.name)"),
      ("architecture", s.modelType),
      ("parameters", withThousandsSeparators(parameters)),
      ("layers", "\(s.layers)"),
      ("heads", "\(s.heads) of width \(s.headDim)\(kvHeads)"),
      ("width", "\(s.width), feed-forward \(s.ffnWidth)"),
      ("positions", phrases.positions),
      ("attention", phrases.attention),
      ("norms", phrases.norms),
      ("activation", phrases.activation),
      ("context length", withThousandsSeparators(s.contextLength)),
      ("vocabulary", withThousandsSeparators(s.vocabularySize) + " tokens" + (fingerprint.map { ", " + $0 } ?? "")),
      ("precision", precision),
      ("size", size),
    ] + checkpoint.files.map { ("file", "\($0)") }
  }

  /// `5,334,248 bytes`, or `5,334,248 bytes in 3 files`
  private var size: String {
    let count = checkpoint.files.count
    return "\(withThousandsSeparators(checkpoint.byteCount)) bytes" + (count == 1 ? "" : " in \(count) files")
  }

  /// Appends the record. Its members have the names of `config.json` in transformers; `n_head_kv` is ggml's name.
  func writeRecord(to output: ByteBuffer) {
    let s = shape
    var changes: [Record.Change] = [
      .set("model") { $0.append(jsonString: checkpoint.location.name.text) },
      .set("architecture") { $0.append(jsonString: s.modelType) },
      .set("parameters") { $0.append(json: parameters) },
      .set("n_layer") { $0.append(json: s.layers) },
      .set("n_head") { $0.append(json: s.heads) },
      .set("n_head_kv") { $0.append(json: s.kvHeads) },
      .set("head_dim") { $0.append(json: s.headDim) },
      .set("n_embd") { $0.append(json: s.width) },
      .set("n_inner") { $0.append(json: s.ffnWidth) },
      .set("norm") { $0.append(jsonString: s.norm.rawValue) },
      .set("qk_norm") { $0.append(jsonString: s.queryKeyNorm.rawValue) },
      .set("activation") { $0.append(jsonString: s.activation.name) },
      .set("gated") { $0.append(s.isGated ? "true" : "false") },
      .set("positions") { $0.append(jsonString: ShapePhrases(s).positionKind) },
    ]
    if let rope = s.ropes.first {
      changes.append(.set("rope_theta") { $0.append(json: Float(rope.base)) })
      changes.append(.set("rope_type") { $0.append(jsonString: rope.scalingName) })
      changes.append(.set("rotary_dim") { $0.append(json: rope.rotaryDim) })
    }
    if s.ropes.count > 1 {
      changes.append(.set("rope_local_theta") { $0.append(json: Float(s.ropes[1].base)) })
    }
    if let window = s.attention.lazy.compactMap(\.window).first {
      changes.append(.set("sliding_window") { $0.append(json: window) })
      let layers = s.attention.indices.filter { s.attention[$0].window != nil }
      changes.append(.set("sliding_layers") { $0.append(json: layers) })
    }
    changes += [
      .set("n_positions") { $0.append(json: s.contextLength) },
      .set("vocab_size") { $0.append(json: s.vocabularySize) },
      .set("eos_token_id") { $0.append(json: s.eosTokenIDs) },
      .set("precision") { $0.append(jsonString: precision) },
      .set("bytes") { $0.append(json: checkpoint.byteCount) },
      .set("files") { output in
        for (index, file) in checkpoint.files.enumerated() {
          output.append(index == 0 ? "[" : ",")
          output.append(jsonString: file.text)
        }
        output.append("]")
      },
    ]
    if let fingerprint { changes.append(.set("vocab") { $0.append(jsonString: fingerprint) }) }
    Record().write(to: output, changes)
  }
}

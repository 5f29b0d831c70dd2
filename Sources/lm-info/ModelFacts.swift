import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import Platform
import Tokenizer

/// The output of lm-info for a model, as lines of text and as a record.
struct ModelFacts {
  private let checkpoint: Checkpoint
  private let fingerprint: String
  /// The number of weights. Tied embeddings are counted once.
  private let parameters: Int
  /// The element types of the weights in descending order of their number of elements: `BF16`, or `Q4_1, Q8_0, F32`.
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

  /// The rotary embeddings; nil for models with learned position embeddings.
  private var rope: RoPEConfiguration? {
    guard case .llama(let configuration) = checkpoint.configuration else { return nil }
    return configuration.rope
  }

  var lines: [(name: String, value: String)] {
    let c = checkpoint.configuration
    let kvHeads = c.kvHeads == c.heads ? "" : ", \(c.kvHeads) key-value heads"
    let ropeLines = rope.map { [("RoPE base", text(of: $0.base) + scalingText(of: $0))] } ?? []
    return [
      ("model", "\(checkpoint.location.name)"),
      ("architecture", c.modelType),
      ("parameters", withThousandsSeparators(parameters)),
      ("layers", "\(c.layers)"),
      ("heads", "\(c.heads) of width \(c.headDim)\(kvHeads)"),
      ("width", "\(c.width), feed-forward \(c.ffnWidth)"),
    ] + ropeLines + [
      ("context length", withThousandsSeparators(c.contextLength)),
      ("vocabulary", "\(withThousandsSeparators(c.vocabularySize)) tokens, \(fingerprint)"),
      ("precision", precision),
      ("size", "\(withThousandsSeparators(checkpoint.byteCount)) bytes"),
    ] + checkpoint.files.map { ("file", "\($0)") }
  }

  private func text(of number: Double) -> String { Int(exactly: number).map(withThousandsSeparators) ?? "\(number)" }

  private func scalingText(of rope: RoPEConfiguration) -> String {
    switch rope.scaling {
    case .none: ""
    case .linear(let factor): ", scaled linearly by \(text(of: factor))"
    case .llama3(let scaling):
      ", scaled as Llama 3 by \(text(of: scaling.factor)) from "
        + "\(withThousandsSeparators(scaling.originalContextLength)) positions"
    case .frequencyFactors: ", scaled by the file's rope_freqs.weight"
    }
  }

  /// Appends the record. Its members have the names of `config.json` in transformers; `n_head_kv` is ggml's name.
  func writeRecord(to output: ByteBuffer) {
    let c = checkpoint.configuration
    var changes: [Record.Change] = [
      .set("model") { $0.append(jsonString: checkpoint.location.name.text) },
      .set("architecture") { $0.append(jsonString: c.modelType) },
      .set("parameters") { $0.append(json: parameters) },
      .set("n_layer") { $0.append(json: c.layers) },
      .set("n_head") { $0.append(json: c.heads) },
      .set("n_head_kv") { $0.append(json: c.kvHeads) },
      .set("head_dim") { $0.append(json: c.headDim) },
      .set("n_embd") { $0.append(json: c.width) },
      .set("n_inner") { $0.append(json: c.ffnWidth) },
    ]
    if let rope {
      changes.append(.set("rope_theta") { $0.append(json: Float(rope.base)) })
      changes.append(.set("rope_type") { $0.append(jsonString: scalingName(of: rope)) })
    }
    changes += [
      .set("n_positions") { $0.append(json: c.contextLength) },
      .set("vocab_size") { $0.append(json: c.vocabularySize) },
      .set("vocab") { $0.append(jsonString: fingerprint) },
      .set("eos_token_id") { $0.append(json: c.eosTokenIDs) },
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
    Record().write(to: output, changes)
  }

  private func scalingName(of rope: RoPEConfiguration) -> String {
    switch rope.scaling {
    case .none: "default"
    case .linear: "linear"
    case .llama3, .frequencyFactors: "llama3"  // llama.cpp's converter writes frequency factors for this type only
    }
  }
}

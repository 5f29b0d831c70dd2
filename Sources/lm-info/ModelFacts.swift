import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import Platform
import Tokenizer

/// What there is to say of a model, for people and as a record.
struct ModelFacts {
  private let checkpoint: Checkpoint
  private let fingerprint: String
  /// Each weight counted once.
  private let parameters: Int
  /// The element types of the weights, those with most elements first: `BF16`, or `Q4_1, Q8_0, F32`.
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

  /// nil for models that learned their positions.
  private var rotaryEmbedding: RotaryEmbedding? {
    guard case .llama(let configuration) = checkpoint.configuration else { return nil }
    return configuration.rotaryEmbedding
  }

  var lines: [(name: String, value: String)] {
    let c = checkpoint.configuration
    let shared = c.n_head_kv == c.n_head ? "" : ", \(c.n_head_kv) of keys and values"
    let rotation = rotaryEmbedding.map { [("rotary base", text(of: $0.base) + scalingText(of: $0))] } ?? []
    return [
      ("model", "\(checkpoint.location.name)"),
      ("architecture", c.modelType),
      ("parameters", grouped(parameters)),
      ("layers", "\(c.n_layer)"),
      ("heads", "\(c.n_head) of width \(c.headWidth)\(shared)"),
      ("width", "\(c.n_embd), feed-forward \(c.n_inner)"),
    ] + rotation + [
      ("context length", grouped(c.contextLength)),
      ("vocabulary", "\(grouped(c.vocabularySize)) tokens, \(fingerprint)"),
      ("precision", precision),
      ("size", "\(grouped(checkpoint.byteCount)) bytes"),
    ] + checkpoint.files.map { ("file", "\($0)") }
  }

  private func text(of number: Double) -> String { Int(exactly: number).map(grouped) ?? "\(number)" }

  private func scalingText(of rotation: RotaryEmbedding) -> String {
    switch rotation.scaling {
    case .none: ""
    case .linear(let factor): ", scaled linearly by \(text(of: factor))"
    case .llama3(let scaling):
      ", scaled as Llama 3 by \(text(of: scaling.factor)) from \(grouped(scaling.originalContextLength)) positions"
    case .divisors: ", scaled by the file's rope_freqs.weight"
    }
  }

  /// Under the names that transformers has for them, or ggml.
  func writeRecord(to output: ByteBuffer) {
    let c = checkpoint.configuration
    var changes: [Record.Change] = [
      .set("model") { $0.append(jsonString: checkpoint.location.name.text) },
      .set("architecture") { $0.append(jsonString: c.modelType) },
      .set("parameters") { $0.append(json: parameters) },
      .set("n_layer") { $0.append(json: c.n_layer) },
      .set("n_head") { $0.append(json: c.n_head) },
      .set("n_head_kv") { $0.append(json: c.n_head_kv) },
      .set("head_dim") { $0.append(json: c.headWidth) },
      .set("n_embd") { $0.append(json: c.n_embd) },
      .set("n_inner") { $0.append(json: c.n_inner) },
    ]
    if let rotation = rotaryEmbedding {
      changes.append(.set("rope_theta") { $0.append(json: Float(rotation.base)) })
      changes.append(.set("rope_type") { $0.append(jsonString: scalingName(of: rotation)) })
    }
    changes += [
      .set("n_positions") { $0.append(json: c.contextLength) },
      .set("vocab_size") { $0.append(json: c.vocabularySize) },
      .set("vocab") { $0.append(jsonString: fingerprint) },
      .set("eos_token_id") { $0.append(json: c.endOfTextTokens) },
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

  private func scalingName(of rotation: RotaryEmbedding) -> String {
    switch rotation.scaling {
    case .none: "default"
    case .linear: "linear"
    case .llama3, .divisors: "llama3"  // the converter writes divisors for this type alone
    }
  }
}

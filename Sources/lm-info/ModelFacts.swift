import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import Tokenizer

/// What there is to say of a model, for people and as a record.
struct ModelFacts {
  private let checkpoint: Checkpoint
  private let tokenizer: ByteLevelTokenizer

  init(_ checkpoint: Checkpoint, _ tokenizer: ByteLevelTokenizer) {
    self.checkpoint = checkpoint
    self.tokenizer = tokenizer
  }

  var lines: [(name: String, value: String)] {
    let c = checkpoint.configuration
    return [
      ("model", checkpoint.location.name),
      ("architecture", c.modelType),
      ("parameters", grouped(checkpoint.parameterCount)),
      ("layers", "\(c.n_layer)"),
      ("heads", "\(c.n_head) of width \(c.headWidth)"),
      ("width", "\(c.n_embd), feed-forward \(c.n_inner)"),
      ("context length", grouped(c.n_positions)),
      ("vocabulary", "\(grouped(c.vocabularySize)) tokens, \(tokenizer.fingerprintText)"),
      ("precision", checkpoint.precision),
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
        .set("parameters") { $0.append(json: checkpoint.parameterCount) },
        .set("n_layer") { $0.append(json: c.n_layer) },
        .set("n_head") { $0.append(json: c.n_head) },
        .set("n_embd") { $0.append(json: c.n_embd) },
        .set("n_inner") { $0.append(json: c.n_inner) },
        .set("n_positions") { $0.append(json: c.n_positions) },
        .set("vocab_size") { $0.append(json: c.vocabularySize) },
        .set("vocab") { $0.append(jsonString: tokenizer.fingerprintText) },
        .set("precision") { $0.append(jsonString: checkpoint.precision) },
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

import Checkpoint
import LanguageModel

/// Phrases that describe the settings of a model.
struct ShapePhrases {
  private let shape: ModelShape

  init(_ shape: ModelShape) { self.shape = shape }

  /// The kind of positions, for the record.
  var positionKind: String {
    shape.ropes.isEmpty ? shape.attention.contains { !$0.slopes.isEmpty } ? "alibi" : "learned" : "rope"
  }

  /// `RoPE of base 10,000 (16 of 64 elements)`
  var positions: String {
    guard let first = shape.ropes.first else { return positionKind == "alibi" ? "ALiBi" : "learned embeddings" }
    var phrase =
      "RoPE of base " + shape.ropes.map { withThousandsSeparators($0.base) }.joined(separator: ", with windows ")
    if first.rotaryDim < shape.headDim { phrase += ", \(first.rotaryDim) of \(shape.headDim) elements" }
    if let scaling = first.scalingDescription { phrase += ", \(scaling)" }
    let plain = shape.attention.count { $0.rope == nil }
    return plain == 0 ? phrase : phrase + ", in \(shape.layers - plain) of \(shape.layers) layers"
  }

  /// `all positions`, or `512 positions in 15 of 18 layers`
  var attention: String {
    let windows = shape.attention.compactMap(\.window)
    var phrase = "all positions"
    if let window = windows.first {
      let count = windows.count == shape.layers ? "all" : "\(windows.count) of \(shape.layers)"
      phrase = "windows of \(withThousandsSeparators(window)) positions in \(count) layers"
    }
    if let cap = shape.attention.first?.softcap { phrase += ", scores up to \(withThousandsSeparators(Double(cap)))" }
    if let cap = shape.logitSoftcap { phrase += ", logits up to \(withThousandsSeparators(Double(cap)))" }
    if shape.hasParallelResidual { phrase += ", parallel to the feed-forward layer" }
    return phrase
  }

  /// `RMSNorm, of queries and keys`
  var norms: String {
    var phrase = shape.norm == .layerNorm ? "LayerNorm" : "RMSNorm"
    if !shape.normsHaveWeights { phrase += " without weights" }
    if shape.hasSandwichNorms { phrase += " before and after each part" }
    if shape.normsFollow { phrase += " after each part" }
    switch shape.queryKeyNorm {
    case .none: return phrase
    case .perHead: return phrase + ", of the queries and keys of each head"
    case .allHeads: return phrase + ", of all queries and keys"
    }
  }

  /// `silu, gated`
  var activation: String { shape.activation.name + (shape.isGated ? ", gated" : "") }
}

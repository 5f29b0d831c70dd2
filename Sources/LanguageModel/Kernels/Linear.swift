import Checkpoint
import Threads

/// A linear layer (projection): weights, and an optional bias.
struct Linear {
  let weight: WeightMatrix
  var layout = Layout.outputsByInputs
  var bias: WeightVector?  // (out)

  /// The layout of the weights.
  enum Layout {
    /// `[in, out]`: `Conv1D` in transformers (GPT-2).
    case inputsByOutputs
    /// `[out, in]`: `Linear` in torch, and all matrices in GGUF.
    case outputsByInputs
  }

  var outputs: Int { layout == .inputsByOutputs ? weight.columns : weight.rows }
}

extension Linear {
  /// Returns the parts of a fused projection, as views.
  ///
  /// The weight rows are `groups` groups, and each group consists of parts of `sizes` rows: for example queries, keys
  /// and values of one head. The result has the first part of each group, then the second part of each group, and so
  /// on. So `linear(_:adjacent:into:_:)` of the result gives contiguous queries, keys and values of all heads, with the
  /// bits of the fused projection:
  ///
  ///     // GPT-NeoX, BLOOM: weights (heads, 3, headDim, in)
  ///     split(groups: heads, sizes: [headDim, headDim, headDim])
  ///     // Falcon: weights (kvHeads, queries per group + 2, headDim, in)
  ///     split(groups: kvHeads, sizes: [heads / kvHeads * headDim, headDim, headDim])
  ///
  /// - Precondition: weights are [out, in], and `out` is `groups` times the sum of `sizes`; sizes are positive.
  func split(groups: Int, sizes: [Int]) -> [Linear] {
    let groupRows = sizes.reduce(0, +)
    precondition(layout == .outputsByInputs && groups > 0 && sizes.allSatisfy { $0 > 0 })
    precondition(groupRows > 0 && outputs % groupRows == 0 && outputs / groupRows == groups)
    var parts: [Linear] = []
    var offset = 0  // in a group
    for size in sizes {
      for group in 0..<groups {
        let start = group * groupRows + offset
        let rows = start..<start + size
        parts.append(Linear(weight: weight.rows(rows), layout: layout, bias: bias?.part(rows)))
      }
      offset += size
    }
    return parts
  }
}

/// Computes output (n, out) = epilogue(input (n, in) · weights + bias).
func linear(_ input: Matrix, _ projection: Linear, into output: Matrix, _ epilogue: Epilogue, _ pool: ThreadPool) {
  switch projection.layout {
  case .inputsByOutputs: matmulNN(input, projection, into: output, epilogue, pool)
  case .outputsByInputs: matmulNT(input, [projection], into: output, epilogue, pool)
  }
}

/// Computes several projections of the same input (n, in). Their outputs are adjacent columns of `output` (n, sum of
/// out).
///
/// - Precondition: all weights are [out, in].
func linear(_ input: Matrix, adjacent projections: [Linear], into output: Matrix, _ pool: ThreadPool) {
  matmulNT(input, projections, into: output, .store, pool)
}

import Threads

/// An affine map of rows: weights and bias.
struct LinearMap {
  enum Layout {
    /// (in, out): GPT-2's `Conv1D`.
    case inputsFirst
    /// (out, in): everything else.
    case outputsFirst
  }

  let weight: WeightMatrix
  var layout = Layout.outputsFirst
  var bias: WeightVector?  // (out)

  var outputs: Int { layout == .inputsFirst ? weight.columns : weight.rows }
}

/// output (n, out) = completion(map(input (n, in)))
func linear(
  _ input: Matrix, _ map: LinearMap, into output: Matrix, _ completion: Completion, _ pool: ThreadPool
) {
  switch map.layout {
  case .inputsFirst: columnProduct(input, map, into: output, completion, pool)
  case .outputsFirst: rowProduct(input, [map], into: output, completion, pool)
  }
}

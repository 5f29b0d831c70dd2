import Checkpoint
import Threads

/// An affine map of rows: weights, and a bias if it has one.
struct Linear {
  let weight: WeightMatrix
  /// All but GPT-2's `Conv1D` lie [out, in].
  var layout = GPT2Configuration.MatrixLayout.outputsByInputs
  var bias: WeightVector?  // (out)

  var outputs: Int { layout == .inputsByOutputs ? weight.columns : weight.rows }
}

/// output (n, out) = completion(map(input (n, in)))
func linear(_ input: Matrix, _ map: Linear, into output: Matrix, _ completion: Completion, _ pool: ThreadPool) {
  switch map.layout {
  case .inputsByOutputs: matmulNN(input, map, into: output, completion, pool)
  case .outputsByInputs: matmulNT(input, [map], into: output, completion, pool)
  }
}

/// The same for several maps of one input, all [out, in], whose outputs lie side by side.
func linear(_ input: Matrix, sideBySide maps: [Linear], into output: Matrix, _ pool: ThreadPool) {
  matmulNT(input, maps, into: output, .store, pool)
}

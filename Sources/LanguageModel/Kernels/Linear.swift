import Checkpoint
import Threads

/// A linear layer (projection): weights, and an optional bias.
struct Linear {
  let weight: WeightMatrix
  /// The layout of the weights: [out, in], except [in, out] for GPT-2's `Conv1D`.
  var layout = GPT2Configuration.MatrixLayout.outputsByInputs
  var bias: WeightVector?  // (out)

  var outputs: Int { layout == .inputsByOutputs ? weight.columns : weight.rows }
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

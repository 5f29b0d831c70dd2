/// What one architecture is beside the others: all of a transformer but what happens between positions, which is
/// attention and its cache, and the same for all. `Transformer` calls these in their order, the two parts of a block once
/// for every layer.
protocol Architecture {
  /// How many numbers tell a block where a position is in its sequence; none if the embedding says it all.
  var positionWidth: Int { get }

  /// Fills x (n, width) with the embeddings of ids at the positions `first`, `first + 1`, …, and positions
  /// (n, positionWidth) with what `attentionInputs` wants to know of them.
  func embed(_ ids: [Int], at first: Int, into x: Matrix, _ positions: Matrix)

  /// The first part of a block: x (n, width) to queries, keys and values side by side,
  /// (n, (heads + 2 · kvHeads) · headDim).
  func attentionInputs(_ x: Matrix, _ positions: Matrix, layer: Int, into qkv: Matrix)

  /// What the products of queries and keys are multiplied with.
  func attentionScale(layer: Int) -> Float

  /// The second part: adds to x (n, width) what the block makes of the heads' outputs (n, heads · headDim), and the
  /// feed-forward layer.
  func addOutputs(of heads: Matrix, layer: Int, to x: Matrix)

  /// What lies between the last block and the output head: x (n, width) to as many.
  func normalizeOutput(_ x: Matrix, into output: Matrix)
}

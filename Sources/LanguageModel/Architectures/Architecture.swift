/// The part of a transformer that depends on the architecture: everything except attention and the KV cache.
/// `Transformer` calls the methods in the order of their declaration, `projectQKV` and `addAttentionOutputAndMLP` once
/// per layer.
protocol Architecture {
  /// The width of the cosine-sine table of RoPE; 0 if positions are part of the embedding.
  var cosSinWidth: Int { get }

  /// Fills x (n, width) with the embeddings of ids at the positions `first`, `first + 1`, …, and `cosSin` (n,
  /// cosSinWidth) with the rows of the cosine-sine table for these positions.
  func embed(_ ids: [Int], at first: Int, into x: Matrix, _ cosSin: Matrix)

  /// Computes the queries, keys and values of a block: qkv (n, (heads + 2 · kvHeads) · headDim) for x (n, width), after
  /// the norm, with positions applied.
  func projectQKV(_ x: Matrix, _ cosSin: Matrix, layer: Int, into qkv: Matrix)

  /// The factor of the query-key dot products.
  func attentionScale(layer: Int) -> Float

  /// Computes the rest of a block: adds the output projection of the attention heads (n, heads · headDim) to x (n,
  /// width), and then the MLP.
  func addAttentionOutputAndMLP(_ heads: Matrix, layer: Int, to x: Matrix)

  /// Computes the norm between the last block and the output head: output (n, width) for x (n, width).
  func finalNorm(_ x: Matrix, into output: Matrix)
}

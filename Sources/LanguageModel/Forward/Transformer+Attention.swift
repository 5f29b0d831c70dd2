/// An attention head: the index of its layer and its index among the query heads of the layer, both from 0.
public struct AttentionHead: Hashable, Sendable {
  public let layer: Int
  public let head: Int

  public init(layer: Int, head: Int) { (self.layer, self.head) = (layer, head) }
}

extension Transformer {
  /// Computes a sequence up to the last layer of `heads`, and returns the attention weights of each of the heads: the
  /// softmax of its scores.
  ///
  /// The weights of a head are rows of 1, 2, … n numbers, one row after the other. Row p has the weights of the
  /// positions 0 … p for the query at position p; positions before an attention window have the weight 0. A row depends
  /// on the ids up to its position only, unless the model's RoPE depends on the length of the sequence; then all
  /// positions use the RoPE of the whole sequence.
  ///
  ///     let rows = model.attentionWeights(of: ids, heads: [AttentionHead(layer: 0, head: 2)])[0]
  ///     rows[p * (p + 1) / 2 + j]    // the weight of position j for the query at position p
  ///
  /// - Precondition: `ids` and `heads` are not empty, all ids are in the vocabulary, there are at most as many as the
  ///   context length, and the model has the heads.
  public func attentionWeights(of ids: [Int], heads: [AttentionHead]) -> [[Float]] {
    precondition(
      !heads.isEmpty && heads.allSatisfy { 0..<shape.layers ~= $0.layer && 0..<shape.heads ~= $0.head })
    let (segment, probe) = (makeSequence(ids), AttentionProbe(heads))
    _ = runBlocks([ids], [segment], [segment], in: workspace, probe)
    return probe.weights
  }
}

/// Collects the attention weights of some heads while one sequence is computed.
final class AttentionProbe {
  let heads: [AttentionHead]
  /// The weights of each head, as `attentionWeights(of:heads:)` returns them.
  private(set) var weights: [[Float]]
  /// The number of layers that are computed.
  let layers: Int

  init(_ heads: [AttentionHead]) {
    self.heads = heads
    weights = heads.map { _ in [] }
    layers = (heads.map(\.layer).max() ?? -1) + 1
  }

  /// Adds the rows of the queries of a layer (n, at least heads · headDim), whose keys are in the cache.
  func add(_ queries: Matrix, _ segments: [BatchSegment], _ pass: Pass) {
    let indices = heads.indices.filter { heads[$0].layer == pass.layer }
    guard !indices.isEmpty else { return }
    for segment in segments {
      let matrix = pass.workspace.matrix(segment.rows.count, segment.first + segment.rows.count)
      for index in indices {
        attentionWeights(
          queries.rows(segment.rows), first: segment.first, segment.cache, layer: pass.layer, head: heads[index].head,
          heads: pass.shape.heads, pass.shape.attention[pass.layer], into: matrix, pass.pool)
        for row in 0..<matrix.rows {
          let numbers = matrix.row(row)
          for position in 0...segment.first + row { weights[index].append(numbers[position]) }
        }
      }
    }
  }
}

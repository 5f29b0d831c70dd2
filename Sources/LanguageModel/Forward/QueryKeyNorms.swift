/// The norms of queries and keys, which some families apply before RoPE.
enum QueryKeyNorms<N: Norm> {
  /// Each head is normalized. There is one norm for all heads, or one for each.
  case perHead(query: [N], key: [N])
  /// All heads are normalized together.
  case allHeads(query: N, key: N)

  /// Normalizes the queries and keys of one row in place.
  @inline(__always)
  func normalize(_ row: UnsafeMutablePointer<Float>, _ s: ModelShape) {
    let keys = row + s.heads * s.headDim
    switch self {
    case .perHead(let query, let key):
      for head in 0..<s.heads {
        query[query.count == 1 ? 0 : head].normalize(row + head * s.headDim, into: row + head * s.headDim)
      }
      for head in 0..<s.kvHeads {
        key[key.count == 1 ? 0 : head].normalize(keys + head * s.headDim, into: keys + head * s.headDim)
      }
    case .allHeads(let query, let key):
      query.normalize(row, into: row)
      key.normalize(keys, into: keys)
    }
  }
}

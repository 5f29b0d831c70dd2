/// A copy of the keys and values that some positions of a cache have in all layers.
struct PositionContents {
  private let positions: Range<Int>
  /// (positions, layers · heads, headDim + paddedHeadDim)
  private var numbers: [Float] = []

  /// - Precondition: the positions are reserved.
  init(of positions: Range<Int>, _ cache: KeyValueCache) {
    self.positions = positions
    let shape = cache.shape
    numbers.reserveCapacity(positions.count * shape.layers * shape.heads * (shape.headDim + shape.paddedHeadDim))
    for position in positions {
      cache.withHeads(of: position) { key, value in
        for d in 0..<shape.headDim { numbers.append(key[d * laneCount]) }
        for d in 0..<shape.paddedHeadDim { numbers.append(value[d]) }
      }
    }
  }

  /// Writes the keys and values back, except for the first `count` positions.
  func restore(_ cache: KeyValueCache, from count: Int) {
    let shape = cache.shape
    let width = shape.headDim + shape.paddedHeadDim
    var index = count * shape.layers * shape.heads * width
    for position in positions.dropFirst(count) {
      cache.withHeads(of: position) { key, value in
        for d in 0..<shape.headDim { key[d * laneCount] = numbers[index + d] }
        for d in 0..<shape.paddedHeadDim { value[d] = numbers[index + shape.headDim + d] }
        index += width
      }
    }
  }
}

extension KeyValueCache {
  /// Calls `body` with the addresses of the key and the value of a position in each layer and head. The dimensions of a
  /// key are `laneCount` numbers apart.
  fileprivate func withHeads(
    of position: Int, _ body: (_ key: UnsafeMutablePointer<Float>, _ value: UnsafeMutablePointer<Float>) -> Void
  ) {
    let (page, index) = position.quotientAndRemainder(dividingBy: pageLength)
    let block = index / laneCount * shape.headDim * laneCount + index % laneCount
    for layer in 0..<shape.layers {
      for head in 0..<shape.heads {
        withHead(layer, head) { body($0.keys(page) + block, $0.values(page) + index * shape.paddedHeadDim) }
      }
    }
  }
}

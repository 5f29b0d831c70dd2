import Checkpoint
import Threads

/// The keys and values of a sequence's positions so far, for every layer and head, so that the next position is all that
/// has to be computed. Memory grows with the sequence.
///
/// Keys lie in blocks of 16 positions, (headWidth, 16) each: a vector holds one dimension of 16 positions, and the
/// scores of 16 positions need no sum across lanes. Values lie position by position, (positions, headWidth), the width
/// rounded up to a multiple of 16.
public final class KeyValueCache {
  let headWidth: Int
  let paddedHeadWidth: Int
  private let layers: Int
  let heads: Int
  /// Positions that are there.
  public private(set) var count = 0
  private var capacity = 0  // in positions, a multiple of 16
  private var storage = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)

  /// - Parameter keepsLayers: false for a sequence that is computed in one pass and then done with. Each layer then
  ///   overwrites the one before it, and the cache takes the memory of one layer.
  init(_ configuration: GPT2Configuration, keepsLayers: Bool) {
    headWidth = configuration.headWidth
    paddedHeadWidth = paddedCount(headWidth)
    heads = configuration.n_head
    layers = keepsLayers ? configuration.n_layer : 1
  }

  deinit { storage.deallocate() }

  private var keySize: Int { capacity * headWidth }
  private var headSize: Int { capacity * (headWidth + paddedHeadWidth) }

  /// The head's keys: (blocks, headWidth, 16).
  func keys(layer: Int, head: Int) -> UnsafeMutablePointer<Float> {
    precondition(capacity > 0 && head < heads)
    return storage.baseAddress.unsafelyUnwrapped + (layer % layers * heads + head) * headSize  // capacity > 0
  }

  /// The head's values: (positions, paddedHeadWidth).
  func values(layer: Int, head: Int) -> UnsafeMutablePointer<Float> { keys(layer: layer, head: head) + keySize }

  /// Makes room for `total` positions, keeping those that are there.
  func reserve(_ total: Int) {
    guard total > capacity else { return }
    let newCapacity = paddedCount(count == 0 ? total : max(total, capacity + capacity / 2))
    let newHeadSize = newCapacity * (headWidth + paddedHeadWidth)
    let larger = UnsafeMutableBufferPointer<Float>.allocate(capacity: layers * heads * newHeadSize)
    larger.initialize(repeating: 0)  // the lanes and columns of the padding must be numbers
    if count > 0, let source = storage.baseAddress, let target = larger.baseAddress {
      for index in 0..<layers * heads {
        (target + index * newHeadSize).update(from: source + index * headSize, count: keySize)
        (target + index * newHeadSize + newCapacity * headWidth).update(
          from: source + index * headSize + keySize, count: capacity * paddedHeadWidth)
      }
    }
    storage.deallocate()
    (storage, capacity) = (larger, newCapacity)
  }

  /// Stores the keys and values of the positions `first`, `first + 1`, … from qkv (n, 3·n_embd), whose rows hold queries,
  /// keys and values side by side.
  func store(_ qkv: Matrix, layer: Int, first: Int, _ pool: ThreadPool) {
    precondition(first + qkv.rows <= capacity && qkv.columns == 3 * heads * headWidth)
    pool.run(heads, operations: qkv.rows * qkv.columns) { head in
      let (keys, values) = (keys(layer: layer, head: head), values(layer: layer, head: head))
      for row in 0..<qkv.rows {
        let position = first + row
        let key = qkv.row(row) + (heads + head) * headWidth
        let block = keys + position / laneCount * headWidth * laneCount + position % laneCount
        for d in 0..<headWidth { block[d * laneCount] = key[d] }
        (values + position * paddedHeadWidth).update(from: key + heads * headWidth, count: headWidth)
      }
    }
  }

  /// Counts positions whose keys and values have been stored in every layer.
  func append(_ positions: Int) { count += positions }
}

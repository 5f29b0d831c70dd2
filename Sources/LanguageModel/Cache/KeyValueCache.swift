import Checkpoint
import Threads

/// How many positions a page of a cache holds.
let pageLength = 64

/// What the keys and values of a sequence look like in memory and in a cache file.
///
/// They lie in pages of 64 positions. A page holds, for each layer and head, the keys in blocks of 16 positions,
/// (4, headDim, 16), so that a vector holds one dimension of 16 positions and their scores need no sum across lanes;
/// and behind them the values position by position, (64, paddedHeadDim), the width rounded up to a multiple of 16.
struct CacheShape {
  let layers: Int
  let heads: Int  // of keys and values
  let headDim: Int
  var paddedHeadDim: Int { paddedCount(headDim) }
  /// In numbers, as all sizes here.
  var keySize: Int { pageLength * headDim }
  var headSize: Int { pageLength * (headDim + paddedHeadDim) }
  var pageSize: Int { layers * heads * headSize }
}

extension CacheShape {
  init(_ configuration: ModelConfiguration, layers: Int) {
    self.init(layers: layers, heads: configuration.kvHeads, headDim: configuration.headDim)
  }
}

/// The memory of a cache, page by page.
protocol CachePages: AnyObject {
  /// A page, made where there is none yet; those before it have been asked for. It stays as long as this object.
  func page(_ index: Int) -> UnsafeMutablePointer<Float>
}

/// The keys and values of a sequence's positions so far, for every layer and head, so that the next position is all that
/// has to be computed. Memory grows with the sequence.
public final class KeyValueCache {
  let shape: CacheShape
  /// The ids whose keys and values are there.
  public private(set) var ids: [Int] = []
  private var memory: any CachePages
  private var pages: [UnsafeMutablePointer<Float>] = []
  private var file: CacheFile?

  /// - Parameter keepsLayers: false for a sequence that is computed in one pass and then done with. Each layer then
  ///   overwrites the one before it, and the cache takes the memory of one layer.
  convenience init(_ configuration: ModelConfiguration, keepsLayers: Bool) {
    self.init(CacheShape(configuration, layers: keepsLayers ? configuration.layers : 1))
  }

  init(_ shape: CacheShape) {
    self.shape = shape
    memory = AnonymousPages(size: shape.pageSize)
    file = nil
  }

  /// A cache that is kept in a file. It begins with what the file has of the sequence that `begin` names.
  init(_ file: CacheFile) {
    shape = file.shape
    memory = file
    self.file = file
  }

  /// The memory that a cache for so many positions takes, in bytes.
  public static func size(_ configuration: ModelConfiguration, positions: Int) -> Int {
    let shape = CacheShape(configuration, layers: configuration.layers)
    return (positions + pageLength - 1) / pageLength * shape.pageSize * MemoryLayout<Float>.size
  }

  /// Positions that are there.
  public var count: Int { ids.count }

  /// Makes this the cache of the sequence of `ids`: keeps what it has of their beginning. The last of them is left to be
  /// computed, for its logits are not here.
  public func begin(_ ids: [Int]) {
    let common = file.map { $0.prefix(of: ids) } ?? zip(self.ids, ids).prefix { $0 == $1 }.count
    self.ids = Array(ids[..<min(common, ids.count - 1)])
    reserve(self.ids.count)
  }

  /// Makes room for `total` positions.
  func reserve(_ total: Int) {
    while pages.count * pageLength < total { pages.append(memory.page(pages.count)) }
  }

  /// A head's part of the pages, valid until `reserve` is called again.
  func withHead<Result>(_ layer: Int, _ head: Int, _ body: (CacheHead) -> Result) -> Result {
    precondition(!pages.isEmpty && head < shape.heads)
    let offset = (layer % shape.layers * shape.heads + head) * shape.headSize
    return pages.withUnsafeBufferPointer { pages in
      body(CacheHead(pages: pages.baseAddress.unsafelyUnwrapped, offset: offset, shape: shape))  // not empty
    }
  }

  /// Stores the keys and values of the positions `first`, `first + 1`, … from qkv, whose rows hold queries, keys and
  /// values side by side, for one head of keys and values.
  func store(_ qkv: Matrix, layer: Int, head: Int, first: Int) {
    precondition(first + qkv.rows <= pages.count * pageLength && qkv.columns > 2 * shape.heads * shape.headDim)
    let headDim = shape.headDim
    let keys = qkv.columns - 2 * shape.heads * headDim
    withHead(layer, head) { cache in
      for row in 0..<qkv.rows {
        let (page, index) = (first + row).quotientAndRemainder(dividingBy: pageLength)
        let key = qkv.row(row) + keys + head * headDim
        let block = cache.keys(page) + index / laneCount * headDim * laneCount + index % laneCount
        for d in 0..<headDim { block[d * laneCount] = key[d] }
        (cache.values(page) + index * shape.paddedHeadDim).update(
          from: key + shape.heads * headDim, count: headDim)
      }
    }
  }

  /// Whether a position's values are finite in every head.
  func hasFiniteValues(at position: Int, layer: Int) -> Bool {
    let (page, index) = position.quotientAndRemainder(dividingBy: pageLength)
    return (0..<shape.heads).allSatisfy { head in
      withHead(layer, head) {
        isFinite($0.values(page) + index * shape.paddedHeadDim, count: shape.headDim)
      }
    }
  }

  /// False if the file is not as this process left it: then keys and values of any position may be another sequence's.
  var isIntact: Bool { file?.isIntact ?? true }

  /// Empties the cache, and computes without its file from now on.
  func leaveFile() {
    file?.leave()
    (file, memory, pages, ids) = (nil, AnonymousPages(size: shape.pageSize), [], [])
  }

  /// Counts positions whose keys and values have been stored in every layer.
  func append(_ ids: some Collection<Int>) {
    self.ids += ids
    file?.keep(self.ids, from: count - ids.count)
  }
}

/// One head's keys and values.
struct CacheHead {
  fileprivate let pages: UnsafePointer<UnsafeMutablePointer<Float>>
  fileprivate let offset: Int
  let shape: CacheShape

  /// The page's keys: (4, headDim, 16).
  @inline(__always)
  func keys(_ page: Int) -> UnsafeMutablePointer<Float> { pages[page] + offset }

  /// The page's values: (64, paddedHeadDim).
  @inline(__always)
  func values(_ page: Int) -> UnsafeMutablePointer<Float> { pages[page] + offset + shape.keySize }
}

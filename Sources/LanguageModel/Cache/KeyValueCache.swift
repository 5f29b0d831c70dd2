import Checkpoint
import Threads

/// The number of positions in a page of a KV cache.
let pageLength = 64

/// The layout of the keys and values of a sequence in memory and in a cache file.
///
/// A page has 64 positions. For each layer and head a page has the keys in blocks of 16 positions, (4, headDim, 16), so
/// that a vector is one dimension of 16 positions and dot products need no sum across lanes. The values follow the
/// keys, position by position: (64, paddedHeadDim), with the head dimension rounded up to a multiple of 16.
struct CacheShape {
  let layers: Int
  let heads: Int  // heads of keys and values
  let headDim: Int
  var paddedHeadDim: Int { paddedCount(headDim) }
  // Sizes are in float32 numbers.
  var keySize: Int { pageLength * headDim }
  var headSize: Int { pageLength * (headDim + paddedHeadDim) }
  var pageSize: Int { layers * heads * headSize }
}

extension CacheShape {
  init(_ shape: ModelShape, layers: Int) {
    self.init(layers: layers, heads: shape.kvHeads, headDim: shape.headDim)
  }
}

/// The memory of a KV cache, page by page.
protocol CachePages: AnyObject {
  /// Returns a page, and creates it if needed. The page is valid as long as this object.
  ///
  /// - Precondition: all pages before it have been created.
  func page(_ index: Int) -> UnsafeMutablePointer<Float>
}

/// The KV cache of a sequence: the keys and values of its positions for every layer and head, so that only new
/// positions are computed. The memory grows with the sequence.
///
///     cache.reusePrefix(of: ids)
///     try model.forward(Array(ids[cache.count...]), cache, logitsAt: ids.count - 1..<ids.count) { … }
public final class KeyValueCache {
  let shape: CacheShape
  /// The ids whose keys and values are stored.
  public private(set) var ids: [Int] = []
  /// The variants of the model's RoPEs with which the keys are rotated (`RoPE.variant(ofLength:)`); empty means 0 for
  /// each: a model whose frequencies do not depend on the length, or a file, whose keys always have variants 0.
  var ropeVariants: [Int] = []
  private var memory: any CachePages
  private var pages: [UnsafeMutablePointer<Float>] = []
  private var file: CacheFile?
  /// The ids after `ids` whose keys and values are stored but may be dropped: a draft (`acceptDraft`).
  private(set) var draft: [Int] = []
  /// What the pages of the file contained at the positions of the draft.
  private var replaced: PositionContents?

  /// - Parameter keepsLayers: false for a sequence that is computed in one batch only. Then each layer overwrites the
  ///   layer before it, and the cache takes the memory of one layer.
  convenience init(_ shape: ModelShape, keepsLayers: Bool) {
    self.init(CacheShape(shape, layers: keepsLayers ? shape.layers : 1))
  }

  init(_ shape: CacheShape) {
    self.shape = shape
    memory = AnonymousPages(size: shape.pageSize)
    file = nil
  }

  /// Creates a cache that is stored in a file. It is empty until `reusePrefix` verifies positions of the file.
  init(_ file: CacheFile) {
    shape = file.shape
    memory = file
    self.file = file
  }

  /// Returns the memory in bytes that a cache for a number of positions takes.
  public static func size(_ shape: ModelShape, positions: Int) -> Int {
    let shape = CacheShape(shape, layers: shape.layers)
    return (positions + pageLength - 1) / pageLength * shape.pageSize * MemoryLayout<Float>.size
  }

  /// The number of positions whose keys and values are stored.
  public var count: Int { ids.count }

  /// Makes this the cache of the sequence `ids`: keeps the positions of the longest common prefix and drops the rest.
  /// The last id is never part of the prefix, because its logits are not stored and must be computed.
  public func reusePrefix(of ids: [Int]) {
    let common = file.map { $0.verifiedPrefix(of: ids) } ?? zip(self.ids, ids).prefix { $0 == $1 }.count
    self.ids = Array(ids[..<min(common, ids.count - 1)])
    reserve(self.ids.count)
  }

  /// Allocates pages for `total` positions.
  func reserve(_ total: Int) {
    while pages.count * pageLength < total { pages.append(memory.page(pages.count)) }
  }

  /// Calls `body` with the keys and values of one head, which are valid until `reserve` is called again.
  func withHead<Result>(_ layer: Int, _ head: Int, _ body: (CacheHead) -> Result) -> Result {
    precondition(!pages.isEmpty && head < shape.heads)
    let offset = (layer % shape.layers * shape.heads + head) * shape.headSize
    return pages.withUnsafeBufferPointer { pages in
      body(CacheHead(pages: pages.baseAddress.unsafelyUnwrapped, offset: offset, shape: shape))  // not empty
    }
  }

  /// Stores the keys and values of the positions `first`, `first + 1`, … for one head.
  ///
  /// - Parameter qkv: rows of the queries of all heads, then their keys, then their values.
  /// - Precondition: the positions are reserved.
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

  // MARK: Drafts (speculative decoding)

  /// The number of drafted positions that can follow `count` other new positions. In memory there is no limit. In a
  /// file, a draft does not begin a page, because the file would keep its size if the draft is rejected.
  public func draftLimit(after count: Int) -> Int {
    guard file != nil else { return .max }
    return (pageLength - (self.count + count) % pageLength) % pageLength
  }

  /// Prepares positions from `first` on for the keys and values of a draft.
  ///
  /// - Precondition: the positions are reserved, and all before them are stored when the draft is accepted.
  func beginDraft(_ draft: [Int], from first: Int) {
    self.draft = draft
    replaced = file == nil || draft.isEmpty ? nil : PositionContents(of: first..<first + draft.count, self)
  }

  /// Adds the first `count` positions of the draft to the cache, and drops its other positions. Then a file has the
  /// bytes that it has without the draft.
  public func acceptDraft(_ count: Int) {
    precondition(count <= draft.count)
    replaced?.restore(self, from: count)
    let accepted = draft[..<count]
    (draft, replaced) = ([], nil)
    if !accepted.isEmpty { append(accepted) }
  }

  /// Returns true if the values of a position are finite in every head.
  func hasFiniteValues(at position: Int, layer: Int) -> Bool {
    let (page, index) = position.quotientAndRemainder(dividingBy: pageLength)
    return (0..<shape.heads).allSatisfy { head in
      withHead(layer, head) {
        isFinite($0.values(page) + index * shape.paddedHeadDim, count: shape.headDim)
      }
    }
  }

  /// False if another program has changed the file, so that keys and values may belong to another sequence.
  var isIntact: Bool { file?.isIntact ?? true }

  /// Empties the cache and continues in memory, because another program has changed the file.
  func detachFile() {
    file?.reportChange()
    restart()
  }

  /// Empties the cache and continues in memory. A file keeps its positions.
  func restart() {
    (file, memory, pages, ids) = (nil, AnonymousPages(size: shape.pageSize), [], [])
    (draft, replaced) = ([], nil)
  }

  /// Adds positions whose keys and values have been stored in every layer, and commits them to the file.
  func append(_ ids: some Collection<Int>) {
    self.ids += ids
    file?.commit(self.ids, from: count - ids.count)
  }
}

/// A view of the keys and values of one head.
struct CacheHead {
  fileprivate let pages: UnsafePointer<UnsafeMutablePointer<Float>>
  fileprivate let offset: Int
  let shape: CacheShape

  /// Returns the keys of a page: (4, headDim, 16).
  @inline(__always)
  func keys(_ page: Int) -> UnsafeMutablePointer<Float> { pages[page] + offset }

  /// Returns the values of a page: (64, paddedHeadDim).
  @inline(__always)
  func values(_ page: Int) -> UnsafeMutablePointer<Float> { pages[page] + offset + shape.keySize }
}

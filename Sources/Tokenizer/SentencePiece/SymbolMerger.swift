/// A rule that says which adjacent symbols can be joined.
protocol SymbolPairs {
  /// Returns the merge of two symbols, which are `start..<split` and `split..<end` of the text, or a merge of the rank
  /// `noMerge` if they cannot be joined.
  func merge(_ left: Int32, _ right: Int32, _ start: Int, _ split: Int, _ end: Int) -> PairTable.Merge
}

/// Joins symbols: the adjacent pair of the lowest rank first, the leftmost of equal ranks, until no pair can be joined.
///
/// Few symbols are merged with a linear search for the lowest rank, which is faster than a heap; many symbols with a
/// heap, in O(n log n).
///
/// Unsafe pointers: each array has `maxShort` elements, and `ends` and `previous` one more; indices are below the
/// number of symbols.
final class SymbolMerger {
  private static let maxShort = 128
  private static let none = UInt32.max
  /// The number of symbols for which memory is kept.
  private static let maxKept = 1 << 16

  /// A symbol before merging: its id, and its length in bytes.
  private struct Symbol: BitwiseCopyable {
    let id: Int32
    let length: Int32
  }

  /// The symbols to merge, in a growable array.
  private var symbols = UnsafeMutablePointer<Symbol>.allocate(capacity: maxShort)
  private var capacity = maxShort
  private var count = 0

  private let ids = UnsafeMutablePointer<Int32>.allocate(capacity: maxShort)
  /// The start of each symbol in the text.
  private let starts = UnsafeMutablePointer<Int>.allocate(capacity: maxShort + 1)
  /// The index of the next symbol.
  private let ends = UnsafeMutablePointer<UInt8>.allocate(capacity: maxShort + 1)
  private let previous = UnsafeMutablePointer<UInt8>.allocate(capacity: maxShort + 1)
  /// The rank of joining the symbol with the next one, and in the lower eight bits its index; `none` if they cannot be
  /// joined.
  private let keys = UnsafeMutablePointer<UInt32>.allocate(capacity: maxShort)
  /// The id of the joined symbol.
  private let results = UnsafeMutablePointer<Int32>.allocate(capacity: maxShort)

  deinit {
    symbols.deallocate()
    ids.deallocate()
    starts.deallocate()
    ends.deallocate()
    previous.deallocate()
    keys.deallocate()
    results.deallocate()
  }

  /// Removes all symbols, and memory that only a long text needs.
  @inline(__always)
  func removeAll() {
    count = 0
    if capacity > Self.maxKept { resize(to: Self.maxShort) }
  }

  /// Appends a symbol to merge.
  @inline(__always)
  func append(_ id: Int32, length: Int) {
    if count == capacity { resize(to: 2 * capacity) }
    symbols[count] = Symbol(id: id, length: Int32(truncatingIfNeeded: length))
    count &+= 1
  }

  @inline(never)
  private func resize(to newCapacity: Int) {
    let new = UnsafeMutablePointer<Symbol>.allocate(capacity: newCapacity)
    new.update(from: symbols, count: count)
    symbols.deallocate()
    (symbols, capacity) = (new, newCapacity)
  }

  /// Merges the symbols, the first of which begins at `start`, and calls `output` with the results in order: id, start,
  /// end.
  @inline(__always)
  func merge(from start: Int, _ pairs: some SymbolPairs, _ output: (Int32, Int, Int) -> Void) {
    if count <= Self.maxShort {
      mergeFew(from: start, pairs, output)
    } else {
      mergeMany(from: start, pairs, output)
    }
  }

  @inline(__always)
  private func mergeFew(from start: Int, _ pairs: some SymbolPairs, _ output: (Int32, Int, Int) -> Void) {
    let (ids, starts, ends, previous) = (ids, starts, ends, previous)
    let (keys, results, none) = (keys, results, Self.none)
    let (symbols, count) = (symbols, count)

    /// Updates the key of joining the symbol at `index` with the next one.
    @inline(__always) func updateKey(_ index: Int) {
      let split = Int(ends[index])
      guard split < count else {
        keys[index] = none
        return
      }
      let merge = pairs.merge(ids[index], ids[split], starts[index], starts[split], starts[Int(ends[split])])
      results[index] = merge.result
      keys[index] =
        merge.rank == CharacterBPE.noMerge ? none : merge.rank << 8 | UInt32(truncatingIfNeeded: index)
    }

    var position = start
    for index in 0..<count {
      ids[index] = symbols[index].id
      starts[index] = position
      ends[index] = UInt8(truncatingIfNeeded: index &+ 1)
      previous[index] = UInt8(truncatingIfNeeded: index &- 1)
      position &+= Int(symbols[index].length)
    }
    starts[count] = position
    for index in 0..<count { updateKey(index) }
    let padded = (count + 31) & ~31  // a multiple of the unrolled search's step
    for index in count..<padded { keys[index] = none }
    while true {
      var first = none
      for index in 0..<padded { first = min(first, keys[index]) }
      guard first < none else { break }
      let index = Int(first & 0xFF)
      let split = Int(ends[index])
      let end = ends[split]
      ids[index] = results[index]
      ends[index] = end
      keys[split] = none
      previous[Int(end)] = UInt8(truncatingIfNeeded: index)
      updateKey(index)
      if index > 0 { updateKey(Int(previous[index])) }
    }
    var index = 0
    while index < count {
      let end = Int(ends[index])
      output(ids[index], starts[index], starts[end])
      index = end
    }
  }

  /// A symbol of a long text.
  private struct Node: BitwiseCopyable {
    var start: Int
    var id: Int32
    /// The index of the previous symbol, or -1.
    var previous: Int32
    /// The index of the next symbol, or the number of symbols.
    var next: Int32
    /// The rank of joining this symbol with the next one, and the id of the result. `noMerge` if they cannot be joined,
    /// or if this symbol has been joined to the one on its left.
    var rank: UInt32
    var result: Int32
  }

  @inline(never)
  private func mergeMany(from start: Int, _ pairs: some SymbolPairs, _ output: (Int32, Int, Int) -> Void) {
    let count = count
    var nodes: [Node] = []
    nodes.reserveCapacity(count + 1)
    var position = start
    for index in 0..<count {
      let symbol = symbols[index]
      nodes.append(
        Node(
          start: position, id: symbol.id, previous: Int32(index) - 1, next: Int32(index) + 1,
          rank: CharacterBPE.noMerge, result: -1))
      position += Int(symbol.length)
    }
    // A node after the last symbol, for its start
    nodes.append(
      Node(
        start: position, id: -1, previous: Int32(count) - 1, next: Int32(count), rank: CharacterBPE.noMerge, result: -1)
    )
    var waiting = MinHeap<UInt64>()
    func update(_ index: Int) {
      let split = Int(nodes[index].next)
      guard split < count else {
        nodes[index].rank = CharacterBPE.noMerge
        return
      }
      let end = nodes[Int(nodes[split].next)].start
      let merge = pairs.merge(nodes[index].id, nodes[split].id, nodes[index].start, nodes[split].start, end)
      (nodes[index].rank, nodes[index].result) = (merge.rank, merge.result)
      if merge.rank < CharacterBPE.noMerge { waiting.insert(UInt64(merge.rank) << 32 | UInt64(index)) }
    }
    for index in 0..<count { update(index) }
    while let least = waiting.removeLeast() {
      let index = Int(least & 0xFFFF_FFFF)
      guard nodes[index].rank == UInt32(truncatingIfNeeded: least >> 32) else { continue }
      let split = Int(nodes[index].next)
      let next = nodes[split].next
      nodes[index].id = nodes[index].result
      nodes[index].next = next
      nodes[split].rank = CharacterBPE.noMerge
      nodes[Int(next)].previous = Int32(index)
      // The order of the two matters for unused pieces (`sentencepiece`, bpe_model.cc)
      let previous = Int(nodes[index].previous)
      if previous >= 0 { update(previous) }
      update(index)
    }
    var index = 0
    while index < count {
      let next = Int(nodes[index].next)
      output(nodes[index].id, nodes[index].start, nodes[next].start)
      index = next
    }
  }
}

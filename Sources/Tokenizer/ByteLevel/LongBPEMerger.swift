import Platform

/// Merges pre-tokens of any length, in linear time for trained vocabularies and in a fixed amount of memory.
///
/// A pre-token is merged window by window. The text after a window can change only tokens near the end of the window,
/// so the tokens before those are final (`Frontier`), and the next window begins after the last final token. The result
/// is exact: if no merge of the whole pre-token crosses a boundary, both sides are merged as if each were a pre-token.
///
/// Within a window the positions that can be joined are kept in linked lists, one for each rank. The list of the lowest
/// rank is processed from left to right; its merges add positions to the lists of other ranks. In a trained vocabulary
/// these ranks are higher. If one of them is lower, the rest of the window is merged with a heap instead.
///
/// Unsafe pointers: `heads` has an element for each rank; `parts` of a window has an element for each of its bytes.
final class LongBPEMerger {
  /// A range of the window that is a token so far, stored at the index of its first byte.
  private struct Part: BitwiseCopyable {
    /// The start of the previous part.
    var previous: Int32
    /// The end of the part, which is the start of the next one.
    var end: Int32
    /// -1 for a byte without a token.
    var id: Int32
    /// The rank of joining this part with the next one. `noMerge` if they cannot be joined, if the next part is at or
    /// after the frontier, or if this part has been joined to the part on its left.
    var rank: Int32
    /// The previous and the next position in the list of this rank: `none` at the ends of the list. `nextInList` is
    /// `unlisted` if the part is in no list.
    var previousInList: Int32
    var nextInList: Int32
  }

  private struct Window {
    let text: UnsafePointer<UInt8>
    let parts: UnsafeMutablePointer<Part>
    /// The number of bytes from the start of the window to the end of the pre-token, which may be far beyond the end of
    /// the window.
    let paddedCount: Int
  }

  /// The end of the parts that are certain: up to `limit`, the parts are those that merging the whole pre-token would
  /// have at this point.
  ///
  /// The part before `limit` may be joined with a part after it that the window does not contain. `rank` is the lowest
  /// rank at which this can happen: when merging reaches this rank, the frontier retreats by that part.
  private struct Frontier {
    var limit: Int
    /// The start of the part before `limit`; -1 if there is no such part.
    var last: Int
    /// The minimum length in bytes of the part that starts at `limit`.
    var following = 1
    var rank = Vocabulary.noMerge
  }

  private static let none: Int32 = -1
  private static let unlisted: Int32 = -2
  /// In bytes. The parts of a window fit in the second-level cache, and the few parts that are not final are a small
  /// share of the work.
  private static let windowSize = 1 << 14

  private let vocabulary: Vocabulary
  private let ranks: PairRanks
  private let slab = Slab()
  /// The first position in the list of each rank, plus one; 0 if the list is empty. All lists are empty between
  /// windows.
  private lazy var heads = slab.allocate(Int32.self, max(vocabulary.mergeCount, 1))
  private lazy var windowParts = slab.allocate(Part.self, Self.windowSize)
  private lazy var lookahead = MergeLookahead(vocabulary)

  init(_ vocabulary: Vocabulary, _ ranks: PairRanks) {
    self.vocabulary = vocabulary
    self.ranks = ranks
  }

  @inline(never)  // long pre-tokens are rare
  func merge(_ preToken: UnsafePointer<UInt8>, _ length: Int, _ output: (Int32, Int, Int) -> Void) {
    var (parts, memory, size) = (windowParts, slab, Self.windowSize)
    defer { withExtendedLifetime(memory) {} }
    var start = 0
    while start < length {
      let count = min(size, length - start)
      let final = merge(Window(text: preToken + start, parts: parts, paddedCount: length - start), count)
      // If less than half of a window is final, too much of it would be merged again
      if final < count / 2 {
        size *= 2
        memory = Slab()
        parts = memory.allocate(Part.self, min(size, length - start))
        continue
      }
      var index = 0
      while index < final {
        let end = Int(parts[index].end)
        output(parts[index].id, start + index, start + end)
        index = end
      }
      start += final
    }
  }

  /// Merges the first `count` bytes of the window; returns the number of bytes whose tokens are final.
  private func merge(_ window: Window, _ count: Int) -> Int {
    for index in 0..<count {
      window.parts[index] = Part(
        previous: Int32(index - 1), end: Int32(index + 1), id: vocabulary.byteID(window.text[index]),
        rank: Vocabulary.noMerge, previousInList: Self.none, nextInList: Self.unlisted)
    }
    var frontier = Frontier(limit: count, last: count - 1)
    updateFrontierRank(&frontier, window)
    if !mergeWithLists(window, &frontier) { mergeWithHeap(window, &frontier) }
    return frontier.limit
  }

  // MARK: - Merging with lists

  /// Merges until nothing can be joined, and returns true; or until a merge allows another merge of a lower rank, and
  /// returns false.
  private func mergeWithLists(_ window: Window, _ frontier: inout Frontier) -> Bool {
    let (parts, heads) = (window.parts, heads)
    let (none, unlisted) = (Self.none, Self.unlisted)
    var waiting = MinHeap<Int32>()  // the ranks with lists; a list may be empty, and a rank may occur twice

    @inline(__always) func addToList(_ position: Int32, _ rank: Int32) {
      let first = heads[Int(rank)] &- 1
      parts[Int(position)].previousInList = none
      parts[Int(position)].nextInList = first
      if first == none { waiting.insert(rank) } else { parts[Int(first)].previousInList = position }
      heads[Int(rank)] = position &+ 1
    }
    @inline(__always) func removeFromList(_ position: Int32) {
      let part = parts[Int(position)]
      guard part.nextInList != unlisted else { return }
      if part.previousInList == none {
        heads[Int(part.rank)] = part.nextInList &+ 1
      } else {
        parts[Int(part.previousInList)].nextInList = part.nextInList
      }
      if part.nextInList != none { parts[Int(part.nextInList)].previousInList = part.previousInList }
      parts[Int(position)].nextInList = unlisted
    }
    @inline(__always) func update(_ position: Int32) -> Int32 {
      let rank = findRank(Int(position), window, frontier)
      if rank < Vocabulary.noMerge { addToList(position, rank) }
      return rank
    }

    for position in 0..<Int32(frontier.limit) { _ = update(position) }
    var positions: [Int32] = []
    while true {
      while frontier.rank < waiting.least ?? Vocabulary.noMerge {
        if frontier.last > 0 { removeFromList(parts[frontier.last].previous) }
        retreat(&frontier, window)
      }
      guard let rank = waiting.removeLeast() else { return true }
      positions.removeAll(keepingCapacity: true)
      var next = heads[Int(rank)] &- 1
      while next != none {
        positions.append(next)
        let following = parts[Int(next)].nextInList
        parts[Int(next)].nextInList = unlisted
        next = following
      }
      heads[Int(rank)] = 0
      Self.sort(&positions)
      for position in positions where parts[Int(position)].rank == rank {
        removeFromList(parts[Int(position)].end)
        join(Int(position), window, &frontier)
        var lowest = update(position)
        let previous = parts[Int(position)].previous
        if previous >= 0 {
          removeFromList(previous)
          lowest = min(lowest, update(previous))
        }
        guard lowest >= rank else {
          while let rank = waiting.removeLeast() { heads[Int(rank)] = 0 }
          return false
        }
      }
    }
  }

  /// Sorts the positions of a list from left to right. A position is added at the front of its list, and positions are
  /// usually found from left to right, so the reversed list is usually sorted.
  private static func sort(_ positions: inout [Int32]) {
    positions.reverse()
    let isOrdered = positions.withUnsafeBufferPointer { positions in
      positions.indices.dropFirst().allSatisfy { positions[$0 - 1] < positions[$0] }
    }
    if !isOrdered { positions.sort() }
  }

  // MARK: - Merging with a heap

  /// Merges until nothing can be joined, with a heap of all positions, ordered by rank and then from left to right. An
  /// entry whose rank is no longer the rank of its position is skipped.
  private func mergeWithHeap(_ window: Window, _ frontier: inout Frontier) {
    let parts = window.parts
    var waiting = MinHeap<Int64>()
    func entry(_ position: Int, _ rank: Int32) -> Int64 { Int64(rank) << 32 | Int64(position) }
    func insert(_ position: Int) {
      let rank = parts[position].rank
      if rank < Vocabulary.noMerge { waiting.insert(entry(position, rank)) }
    }
    for position in 0..<frontier.limit { insert(position) }
    while true {
      while frontier.last >= 0, frontier.rank < Vocabulary.noMerge,
        entry(frontier.last, frontier.rank) < waiting.least ?? .max
      {
        retreat(&frontier, window)
      }
      guard let least = waiting.removeLeast() else { return }
      let position = Int(least & 0xFFFF_FFFF)
      guard parts[position].rank == Int32(least >> 32) else { continue }
      join(position, window, &frontier)
      _ = findRank(position, window, frontier)
      insert(position)
      let previous = Int(parts[position].previous)
      if previous >= 0 {
        _ = findRank(previous, window, frontier)
        insert(previous)
      }
    }
  }

  // MARK: - Parts

  /// Updates and returns the rank of joining the part at `position` with the next.
  @inline(__always)
  private func findRank(_ position: Int, _ window: Window, _ frontier: Frontier) -> Int32 {
    let parts = window.parts
    let split = Int(parts[position].end)
    var rank = Vocabulary.noMerge
    if split < frontier.limit {
      rank = ranks.rank(
        parts[position].id, parts[split].id, window.text + position, split: split &- position,
        count: Int(parts[split].end) &- position,
        paddedCount: window.paddedCount &- position)
    }
    parts[position].rank = rank
    return rank
  }

  /// Joins the part at `position` with the next, at the rank that `findRank` has stored.
  @inline(__always)
  private func join(_ position: Int, _ window: Window, _ frontier: inout Frontier) {
    let parts = window.parts
    let split = Int(parts[position].end)
    let end = parts[split].end
    parts[split].rank = Vocabulary.noMerge
    parts[position].id = vocabulary.result(ofMerge: Int(parts[position].rank))
    parts[position].end = end
    if Int(end) < frontier.limit {
      parts[Int(end)].previous = Int32(truncatingIfNeeded: position)
    } else {
      frontier.last = position
      updateFrontierRank(&frontier, window)
    }
  }

  /// Moves the frontier before the last part.
  private func retreat(_ frontier: inout Frontier, _ window: Window) {
    frontier.following = frontier.limit - frontier.last  // a lower bound, whatever it is joined with
    frontier.limit = frontier.last
    frontier.last = frontier.limit > 0 ? Int(window.parts[frontier.limit].previous) : -1
    if frontier.last >= 0 { window.parts[frontier.last].rank = Vocabulary.noMerge }
    updateFrontierRank(&frontier, window)
  }

  /// Updates the frontier's rank.
  private func updateFrontierRank(_ frontier: inout Frontier, _ window: Window) {
    let (last, limit) = (frontier.last, frontier.limit)
    frontier.rank =
      last < 0 || limit == window.paddedCount
      ? Vocabulary.noMerge
      : lookahead.lowestRank(
        window.text + last, split: limit - last, least: limit - last + frontier.following,
        paddedCount: window.paddedCount - last)
  }
}

/// A binary min-heap.
struct MinHeap<Element: Comparable> {
  private var elements: [Element] = []

  /// The least element, or nil if the heap is empty.
  var least: Element? { elements.first }

  mutating func insert(_ element: Element) {
    elements.append(element)
    var index = elements.count - 1
    while index > 0, elements[(index - 1) / 2] > element {
      elements[index] = elements[(index - 1) / 2]
      index = (index - 1) / 2
    }
    elements[index] = element
  }

  /// Removes and returns the least element, or returns nil if the heap is empty. Complexity: O(log n).
  mutating func removeLeast() -> Element? {
    guard let last = elements.popLast() else { return nil }
    guard let least = elements.first else { return last }
    var index = 0
    while true {
      var child = 2 * index + 1
      guard child < elements.count else { break }
      if child + 1 < elements.count, elements[child + 1] < elements[child] { child += 1 }
      guard elements[child] < last else { break }
      elements[index] = elements[child]
      index = child
    }
    elements[index] = last
    return least
  }
}

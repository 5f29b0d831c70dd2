import Platform

/// Merges pieces of any length, in a time that grows as the length does and in a fixed amount of memory.
///
/// A piece is merged window by window. What follows a window can change the tokens near its end only, so those before
/// are final (`Frontier`), and the next window begins after the last of them. That is exact: where no merge of the whole
/// piece crosses a boundary, each side is merged as if it stood alone.
///
/// In a window the places to join wait in lists, one for each rank. The list of the lowest rank is emptied from left to
/// right; its merges put new places into the lists of other ranks. In a trained vocabulary those are higher. If one is
/// lower, the window is finished with a heap instead.
///
/// Unsafe pointers: `heads` has a list for each rank; `parts` of a window has an element for each of its bytes.
final class LongBPEMerger {
  /// A stretch of the window that is a token; it has the index of its first byte.
  private struct Part: BitwiseCopyable {
    /// Where the part before it starts.
    var previous: Int32
    /// Where the part ends, and so where the next one starts.
    var end: Int32
    /// -1 for a byte without a token.
    var id: Int32
    /// Of joining this part with the next one; `noMerge` if they may not be joined, if the next one is at or past the
    /// frontier, and for a part that has been joined to its left neighbour.
    var rank: Int32
    /// Its neighbours in the list of this rank: `none` at the ends, `unlisted` in both where it is in no list.
    var before: Int32
    var behind: Int32
  }

  private struct Window {
    let text: UnsafePointer<UInt8>
    let parts: UnsafeMutablePointer<Part>
    /// From the window's start to the piece's end, which may be far past the window's.
    let paddedCount: Int
  }

  /// Up to where a window's parts are those that merging the whole piece would have made by now.
  ///
  /// The part before `limit` may be joined with a part after it, which the window does not have. `rank` is the lowest at
  /// which that can happen: when the turn of this rank comes, the frontier retreats by that part.
  private struct Frontier {
    var limit: Int
    /// Where the part before `limit` starts; -1 if there is none.
    var last: Int
    /// How many bytes the part that starts at `limit` has at least.
    var following = 1
    var rank = Vocabulary.noMerge
  }

  private static let none: Int32 = -1
  private static let unlisted: Int32 = -2
  /// In bytes. Its parts fit the second-level cache, and the few that are not final cost little.
  private static let usualWindow = 1 << 14

  private let vocabulary: Vocabulary
  private let ranks: PairRanks
  private let slab = Slab()
  /// The first place in the list of each rank, and one; 0 where the list is empty, as all are between windows.
  private lazy var heads = slab.allocate(Int32.self, max(vocabulary.mergeCount, 1))
  private lazy var usualParts = slab.allocate(Part.self, Self.usualWindow)
  private lazy var lookahead = MergeLookahead(vocabulary)

  init(_ vocabulary: Vocabulary, _ ranks: PairRanks) {
    self.vocabulary = vocabulary
    self.ranks = ranks
  }

  @inline(never)  // long pieces are rare
  func merge(_ piece: UnsafePointer<UInt8>, _ length: Int, _ output: (Int32, Int, Int) -> Void) {
    var (parts, memory, size) = (usualParts, slab, Self.usualWindow)
    defer { withExtendedLifetime(memory) {} }
    var start = 0
    while start < length {
      let count = min(size, length - start)
      let final = merge(Window(text: piece + start, parts: parts, paddedCount: length - start), count)
      // Windows whose first half is not final would be merged too often.
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

  /// Merges the first `count` bytes of the window; returns how many of them have their final tokens.
  private func merge(_ window: Window, _ count: Int) -> Int {
    for index in 0..<count {
      window.parts[index] = Part(
        previous: Int32(index - 1), end: Int32(index + 1), id: vocabulary.byteID(window.text[index]),
        rank: Vocabulary.noMerge, before: Self.none, behind: Self.unlisted)
    }
    var frontier = Frontier(limit: count, last: count - 1)
    lookBeyond(&frontier, window)
    if !mergeWithLists(window, &frontier) { mergeWithHeap(window, &frontier) }
    return frontier.limit
  }

  // MARK: lists

  /// Merges until nothing may be joined; or until a merge allows one of a lower rank, and then returns false.
  private func mergeWithLists(_ window: Window, _ frontier: inout Frontier) -> Bool {
    let (parts, heads) = (window.parts, heads)
    let (none, unlisted) = (Self.none, Self.unlisted)
    var waiting = MinHeap<Int32>()  // the ranks that have lists; some may be empty, and a rank may be there twice

    @inline(__always) func list(_ place: Int32, _ rank: Int32) {
      let first = heads[Int(rank)] &- 1
      parts[Int(place)].before = none
      parts[Int(place)].behind = first
      if first == none { waiting.insert(rank) } else { parts[Int(first)].before = place }
      heads[Int(rank)] = place &+ 1
    }
    @inline(__always) func unlist(_ place: Int32) {
      let part = parts[Int(place)]
      guard part.behind != unlisted else { return }
      if part.before == none {
        heads[Int(part.rank)] = part.behind &+ 1
      } else {
        parts[Int(part.before)].behind = part.behind
      }
      if part.behind != none { parts[Int(part.behind)].before = part.before }
      parts[Int(place)].behind = unlisted
    }
    @inline(__always) func look(_ place: Int32) -> Int32 {
      let rank = findRank(Int(place), window, frontier)
      if rank < Vocabulary.noMerge { list(place, rank) }
      return rank
    }

    for place in 0..<Int32(frontier.limit) { _ = look(place) }
    var places: [Int32] = []
    while true {
      while frontier.rank < waiting.least ?? Vocabulary.noMerge {
        if frontier.last > 0 { unlist(parts[frontier.last].previous) }
        retreat(&frontier, window)
      }
      guard let rank = waiting.removeLeast() else { return true }
      places.removeAll(keepingCapacity: true)
      var next = heads[Int(rank)] &- 1
      while next != none {
        places.append(next)
        let behind = parts[Int(next)].behind
        parts[Int(next)].behind = unlisted
        next = behind
      }
      heads[Int(rank)] = 0
      Self.order(&places)
      for place in places where parts[Int(place)].rank == rank {
        unlist(parts[Int(place)].end)
        join(Int(place), window, &frontier)
        var lowest = look(place)
        let previous = parts[Int(place)].previous
        if previous >= 0 {
          unlist(previous)
          lowest = min(lowest, look(previous))
        }
        guard lowest >= rank else {
          while let rank = waiting.removeLeast() { heads[Int(rank)] = 0 }
          return false
        }
      }
    }
  }

  /// Puts the places of a list from left to right. Places are listed first in front, and found from left to right more
  /// often than not.
  private static func order(_ places: inout [Int32]) {
    places.reverse()
    let isOrdered = places.withUnsafeBufferPointer { places in
      places.indices.dropFirst().allSatisfy { places[$0 - 1] < places[$0] }
    }
    if !isOrdered { places.sort() }
  }

  // MARK: heap

  /// Merges until nothing may be joined, with a heap of all places, by rank and then from left to right. An entry whose
  /// rank is no longer that of its place is skipped.
  private func mergeWithHeap(_ window: Window, _ frontier: inout Frontier) {
    let parts = window.parts
    var waiting = MinHeap<Int64>()
    func entry(_ place: Int, _ rank: Int32) -> Int64 { Int64(rank) << 32 | Int64(place) }
    func insert(_ place: Int) {
      let rank = parts[place].rank
      if rank < Vocabulary.noMerge { waiting.insert(entry(place, rank)) }
    }
    for place in 0..<frontier.limit { insert(place) }
    while true {
      while frontier.last >= 0, frontier.rank < Vocabulary.noMerge,
        entry(frontier.last, frontier.rank) < waiting.least ?? .max
      {
        retreat(&frontier, window)
      }
      guard let least = waiting.removeLeast() else { return }
      let place = Int(least & 0xFFFF_FFFF)
      guard parts[place].rank == Int32(least >> 32) else { continue }
      join(place, window, &frontier)
      _ = findRank(place, window, frontier)
      insert(place)
      let previous = Int(parts[place].previous)
      if previous >= 0 {
        _ = findRank(previous, window, frontier)
        insert(previous)
      }
    }
  }

  // MARK: parts

  /// Finds the rank of joining the part at `place` with the next.
  @inline(__always)
  private func findRank(_ place: Int, _ window: Window, _ frontier: Frontier) -> Int32 {
    let parts = window.parts
    let split = Int(parts[place].end)
    var rank = Vocabulary.noMerge
    if split < frontier.limit {
      rank = ranks.rank(
        parts[place].id, parts[split].id, window.text + place, split: split &- place, count: Int(parts[split].end) &- place,
        paddedCount: window.paddedCount &- place)
    }
    parts[place].rank = rank
    return rank
  }

  /// Joins the part at `place` with the next, at the rank that has been found for them.
  @inline(__always)
  private func join(_ place: Int, _ window: Window, _ frontier: inout Frontier) {
    let parts = window.parts
    let split = Int(parts[place].end)
    let end = parts[split].end
    parts[split].rank = Vocabulary.noMerge
    parts[place].id = vocabulary.result(ofMerge: Int(parts[place].rank))
    parts[place].end = end
    if Int(end) < frontier.limit {
      parts[Int(end)].previous = Int32(truncatingIfNeeded: place)
    } else {
      frontier.last = place
      lookBeyond(&frontier, window)
    }
  }

  /// Takes the last part out of those that are certain.
  private func retreat(_ frontier: inout Frontier, _ window: Window) {
    frontier.following = frontier.limit - frontier.last  // whatever it is joined with
    frontier.limit = frontier.last
    frontier.last = frontier.limit > 0 ? Int(window.parts[frontier.limit].previous) : -1
    if frontier.last >= 0 { window.parts[frontier.last].rank = Vocabulary.noMerge }
    lookBeyond(&frontier, window)
  }

  /// Finds the frontier's rank.
  private func lookBeyond(_ frontier: inout Frontier, _ window: Window) {
    let (last, limit) = (frontier.last, frontier.limit)
    frontier.rank =
      last < 0 || limit == window.paddedCount
      ? Vocabulary.noMerge
      : lookahead.lowestRank(
        window.text + last, split: limit - last, least: limit - last + frontier.following,
        paddedCount: window.paddedCount - last)
  }
}

/// A binary heap that hands out the least element first.
struct MinHeap<Element: Comparable> {
  private var elements: [Element] = []

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

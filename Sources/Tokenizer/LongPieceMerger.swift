import Platform

/// Merges pieces of any length, in a time that grows as the length does.
///
/// The places to join wait in lists, one for each rank. The list of the lowest rank is worked off from left to right;
/// its merges put new places into the lists of other ranks. With a trained vocabulary those are higher. Should one be
/// lower, what is left of the list goes back to wait.
///
/// Unsafe pointers: `heads` has a list for each rank; `parts` of a piece has its length.
final class LongPieceMerger {
  /// A stretch of the piece that is a token; it has the index of its first byte.
  private struct Part: BitwiseCopyable {
    /// Where the part before it starts.
    var previous: Int32
    /// Where the part ends, and so where the next one starts.
    var end: Int32
    /// -1 for a byte without a token.
    var id: Int32
    /// Of joining this part with the next one; `noMerge` also for a part that has been joined to its left neighbour.
    var rank: Int32
    /// Its neighbours in the list of this rank: `none` at the ends, `unlisted` in both where it is in no list.
    var before: Int32
    var behind: Int32
  }

  private static let none: Int32 = -1
  private static let unlisted: Int32 = -2

  private let vocabulary: Vocabulary
  private let ranks: PairRanks
  private let slab = Slab()
  /// The first place in the list of each rank, and one; 0 where the list is empty, as all are between pieces.
  private lazy var heads = slab.allocate(Int32.self, max(vocabulary.mergeCount, 1))

  init(_ vocabulary: Vocabulary, _ ranks: PairRanks) {
    self.vocabulary = vocabulary
    self.ranks = ranks
  }

  func merge(_ piece: UnsafePointer<UInt8>, _ length: Int, _ output: (Int32, Int, Int) -> Void) {
    let memory = Slab()
    defer { withExtendedLifetime(memory) {} }
    let parts = memory.allocate(Part.self, length)
    for index in 0..<length {
      parts[index] = Part(
        previous: Int32(index - 1), end: Int32(index + 1), id: vocabulary.byteID(piece[index]),
        rank: Vocabulary.noMerge, before: Self.none, behind: Self.unlisted)
    }
    merge(piece, parts, length)
    var start = 0
    while start < length {
      let end = Int(parts[start].end)
      output(parts[start].id, start, end)
      start = end
    }
  }

  private func merge(_ piece: UnsafePointer<UInt8>, _ parts: UnsafeMutablePointer<Part>, _ length: Int) {
    let (vocabulary, ranks, heads) = (vocabulary, ranks, heads)
    let (none, unlisted) = (Self.none, Self.unlisted)
    var waiting = MinimumHeap()  // the ranks that have lists; some may be empty, and a rank may be there twice

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
    /// Finds the rank of joining the part at `place` with the next, and lists it.
    @inline(__always) func look(_ place: Int32) -> Int32 {
      let start = Int(place)
      let cut = Int(parts[start].end)
      var rank = Vocabulary.noMerge
      if cut < length {
        rank = ranks.rank(
          parts[start].id, parts[cut].id, piece + start, cut: cut &- start, count: Int(parts[cut].end) &- start,
          readable: length &- start)
      }
      parts[start].rank = rank
      if rank < Vocabulary.noMerge { list(place, rank) }
      return rank
    }

    for place in 0..<Int32(length) { _ = look(place) }
    var places: [Int32] = []
    while let rank = waiting.removeLeast() {
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
      for (index, place) in places.enumerated() where parts[Int(place)].rank == rank {
        let cut = parts[Int(place)].end
        let end = parts[Int(cut)].end
        unlist(cut)
        parts[Int(cut)].rank = Vocabulary.noMerge
        parts[Int(place)].id = vocabulary.result(ofMerge: Int(rank))
        parts[Int(place)].end = end
        if Int(end) < length { parts[Int(end)].previous = place }
        var lowest = look(place)
        let previous = parts[Int(place)].previous
        if previous >= 0 {
          unlist(previous)
          lowest = min(lowest, look(previous))
        }
        guard lowest >= rank else {
          for place in places[(index + 1)...] where parts[Int(place)].rank == rank { list(place, rank) }
          break
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
}

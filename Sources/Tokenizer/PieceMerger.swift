/// Byte-pair merging: a piece begins as its bytes; of all neighbours that may be joined, those with the lowest rank are,
/// the leftmost first, until none may be.
///
/// Unsafe pointers: `parts` has room for `longestShortPiece` parts; the piece is the caller's, `count` bytes of it.
final class PieceMerger {
  /// Up to this length looking for the lowest rank again after each merge beats keeping order.
  private static let longestShortPiece = 128

  /// A stretch of the piece that is a token, and what joining it with its right neighbour would make.
  private struct Part: BitwiseCopyable {
    var start: Int32
    var id: Int32
    var rank: Int32
    var joined: Int32
  }

  private let vocabulary: Vocabulary
  private let parts = UnsafeMutablePointer<Part>.allocate(capacity: longestShortPiece)

  init(_ vocabulary: Vocabulary) { self.vocabulary = vocabulary }

  deinit { parts.deallocate() }

  /// Gives `output` the piece's tokens in order: id, start, end. The id is -1 for a byte that has no token.
  func merge(_ piece: UnsafePointer<UInt8>, _ count: Int, _ output: (Int32, Int, Int) -> Void) {
    if count <= Self.longestShortPiece {
      mergeShort(piece, count, output)
    } else {
      mergeLong(piece, count, output)
    }
  }

  private func mergeShort(_ piece: UnsafePointer<UInt8>, _ length: Int, _ output: (Int32, Int, Int) -> Void) {
    let vocabulary = vocabulary
    let parts = parts
    var count = length

    /// What parts `index` and `index + 1` make.
    @inline(__always) func look(_ index: Int) {
      guard index + 1 < count else {
        parts[index].rank = Vocabulary.noMerge
        return
      }
      let start = Int(parts[index].start)
      let end = index + 2 < count ? Int(parts[index + 2].start) : length
      let merge = vocabulary.merge(piece + start, cut: Int(parts[index + 1].start) - start, count: end - start, readable: length - start)
      parts[index].rank = merge.rank
      parts[index].joined = merge.id
    }

    vocabulary.byteIDs.withUnsafeBufferPointer { byteIDs in
      for index in 0..<count {
        parts[index] = Part(start: Int32(index), id: byteIDs[Int(piece[index])], rank: Vocabulary.noMerge, joined: -1)
      }
    }
    for index in 0..<count { look(index) }
    while true {
      var lowest = 0
      for index in 1..<max(count, 1) where parts[index].rank < parts[lowest].rank { lowest = index }
      guard count > 0, parts[lowest].rank < Vocabulary.noMerge else { break }
      parts[lowest].id = parts[lowest].joined
      count -= 1
      for index in lowest + 1..<max(count, lowest + 1) { parts[index] = parts[index + 1] }
      look(lowest)
      if lowest > 0 { look(lowest - 1) }
    }
    for index in 0..<count {
      output(parts[index].id, Int(parts[index].start), index + 1 < count ? Int(parts[index + 1].start) : length)
    }
  }

  /// A part in a list of parts that are linked by the offsets at which they start.
  private struct LinkedPart: BitwiseCopyable {
    var previous: Int32
    /// Where the part ends, and so where the next one starts.
    var end: Int32
    /// -1 for a byte without a token.
    var id: Int32
    /// Of joining this part with the next one; `noMerge` also for a part that has been joined to its left neighbour.
    var rank: Int32
  }

  /// The same in O(n log n): the places to join wait in a heap, lowest rank first, then leftmost. An entry whose place
  /// has another rank by now is out of date.
  private func mergeLong(_ piece: UnsafePointer<UInt8>, _ length: Int, _ output: (Int32, Int, Int) -> Void) {
    let vocabulary = vocabulary
    let parts = UnsafeMutablePointer<LinkedPart>.allocate(capacity: length)
    defer { parts.deallocate() }
    var queue = MinimumHeap(capacity: length)

    /// What the parts that start at `start` and at its end make.
    @inline(__always) func look(_ start: Int) -> (id: Int32, rank: Int32) {
      let cut = Int(parts[start].end)
      guard cut < length else { return (-1, Vocabulary.noMerge) }
      return vocabulary.merge(piece + start, cut: cut - start, count: Int(parts[cut].end) - start, readable: length - start)
    }
    @inline(__always) func enqueue(_ start: Int) {
      let rank = look(start).rank
      parts[start].rank = rank
      if rank < Vocabulary.noMerge { queue.append(UInt64(rank) << 32 | UInt64(start)) }
    }

    for index in 0..<length {
      parts[index] = LinkedPart(
        previous: Int32(index - 1), end: Int32(index + 1), id: vocabulary.byteIDs[Int(piece[index])],
        rank: Vocabulary.noMerge)
    }
    for index in 0..<length { enqueue(index) }
    queue.order()
    while let entry = queue.removeLeast() {
      let start = Int(entry & 0xFFFF_FFFF)
      guard parts[start].rank == Int32(entry >> 32) else { continue }
      let cut = Int(parts[start].end)
      let end = Int(parts[cut].end)
      parts[start].id = look(start).id
      parts[start].end = Int32(end)
      parts[cut].rank = Vocabulary.noMerge
      if end < length { parts[end].previous = Int32(start) }
      for place in [Int(parts[start].previous), start] where place >= 0 {
        let rank = look(place).rank
        parts[place].rank = rank
        if rank < Vocabulary.noMerge { queue.insert(UInt64(rank) << 32 | UInt64(place)) }
      }
    }
    var start = 0
    while start < length {
      let end = Int(parts[start].end)
      output(parts[start].id, start, end)
      start = end
    }
  }
}

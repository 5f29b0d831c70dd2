import Platform

/// What joining two tokens makes, for pairs that were looked up lately. A table with one place for each hash, where the
/// newer pair drives out the older.
///
/// Unsafe pointers: `entries` leads to `1 << bits` of them; a zeroed one is of no pair.
final class PairCache {
  private struct Entry: BitwiseCopyable {
    var key: UInt64
    var id: Int32
    var rank: Int32
  }

  private static let bits = 16
  private let entries: UnsafeMutablePointer<Entry>

  init() {
    // Pages that are never touched cost nothing: a single line does not pay for the whole table
    guard let memory = calloc(1 << Self.bits, MemoryLayout<Entry>.stride) else { fatalError("out of memory") }
    entries = memory.bindMemory(to: Entry.self, capacity: 1 << Self.bits)
  }

  deinit { free(entries) }

  /// The token that `left` and `right`, which are ids, make, and the rank at which they do, both as `merge` answers.
  @inline(__always)
  func merge(
    _ left: Int32, _ right: Int32, _ merge: () -> (id: Int32, rank: Int32)
  ) -> (id: Int32, rank: Int32) {
    let key = UInt64(UInt32(bitPattern: left &+ 1)) << 32 | UInt64(UInt32(bitPattern: right))
    let entry = entries + Int(truncatingIfNeeded: (key &* hashFactor1) >> UInt64(64 - Self.bits))
    if entry.pointee.key == key { return (entry.pointee.id, entry.pointee.rank) }
    let result = merge()
    entry.pointee = Entry(key: key, id: result.id, rank: result.rank)
    return result
  }
}

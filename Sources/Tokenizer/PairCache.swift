/// What joining two tokens makes, for pairs that were looked up lately. There is one place for each hash, and the newer
/// pair drives out the older.
final class PairCache {
  /// All zero where there is none.
  private struct Pair: BitwiseCopyable {
    var key: UInt64
    var id: Int32
    var rank: Int32
  }

  private let table = CacheTable<Pair>(smallBits: 9, largeBits: 16)

  /// The token that `left` and `right`, which are ids, make, and the rank at which they do, both as `find` answers.
  @inline(__always)
  func merge(_ left: Int32, _ right: Int32, _ find: () -> (id: Int32, rank: Int32)) -> (id: Int32, rank: Int32) {
    let key = UInt64(UInt32(bitPattern: left &+ 1)) << 32 | UInt64(UInt32(bitPattern: right))
    let hash = key &* hashFactor1
    let pair = table.place(hash)
    if pair.pointee.key == key { return (pair.pointee.id, pair.pointee.rank) }
    let result = find()
    table.countMiss()
    table.place(hash).pointee = Pair(key: key, id: result.id, rank: result.rank)
    return result
  }
}

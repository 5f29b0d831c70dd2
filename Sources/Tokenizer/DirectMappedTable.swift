/// The memory of a cache: places to which hashes lead, all zero at first. It is small, so that a line of text does not pay
/// for more than it needs, until more has been looked up in vain than it could hold; then it becomes large, once.
///
/// Unsafe pointers: `places` leads to `1 << bits` of them.
final class DirectMappedTable<Slot: BitwiseCopyable> {
  private let largeBits: Int
  private var bits: Int
  private var shift: UInt64  // of a hash, of which the uppermost bits count
  private var misses = 0
  private var slab = Slab()
  private var places: UnsafeMutablePointer<Slot>

  init(smallBits: Int, largeBits: Int) {
    self.largeBits = largeBits
    bits = smallBits
    shift = UInt64(64 - bits)
    places = slab.allocate(Slot.self, 1 << bits)
  }

  /// The place for a hash.
  @inline(__always)
  func slot(_ hash: UInt64) -> UnsafeMutablePointer<Slot> { places + Int(truncatingIfNeeded: hash &>> shift) }

  /// Takes note that something had to be found elsewhere. Places from before may be gone afterwards.
  @inline(__always)
  func countMiss() {
    misses &+= 1
    if misses >> bits > 0, bits < largeBits { enlarge() }
  }

  @inline(never)
  private func enlarge() {
    bits = largeBits
    shift = UInt64(64 - bits)
    slab = Slab()
    places = slab.allocate(Slot.self, 1 << bits)
  }
}

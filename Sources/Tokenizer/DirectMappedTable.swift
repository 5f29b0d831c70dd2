/// The slots of a direct-mapped cache, all zero at first. The table starts small, to avoid the page faults of a large
/// table for a short text, and grows to the next size after as many misses as it has slots. When it grows, its contents
/// are lost.
///
/// Unsafe pointers: `slots` has `1 << bits` elements.
final class DirectMappedTable<Slot: BitwiseCopyable> {
  /// The remaining sizes, as numbers of bits, the largest first.
  private var larger: [Int]
  private var bits: Int
  private var shift: UInt64  // the slot index is the upper `bits` bits of the hash
  private var misses = 0
  private var slab = Slab()
  private var slots: UnsafeMutablePointer<Slot>

  /// - Parameter sizes: the numbers of bits of a slot's index, in ascending order; not empty.
  init(sizes: [Int]) {
    larger = sizes.dropFirst().reversed()
    bits = sizes[0]
    shift = UInt64(64 - bits)
    slots = slab.allocate(Slot.self, 1 << bits)
  }

  /// The slot of a hash.
  @inline(__always)
  func slot(_ hash: UInt64) -> UnsafeMutablePointer<Slot> { slots + Int(truncatingIfNeeded: hash &>> shift) }

  /// Counts a miss. Slots that were returned before may be invalid afterwards.
  @inline(__always)
  func countMiss() {
    misses &+= 1
    if misses >> bits > 0 { enlarge() }
  }

  @inline(never)
  private func enlarge() {
    misses = 0
    guard let size = larger.popLast() else { return }
    bits = size
    shift = UInt64(64 - bits)
    slab = Slab()
    slots = slab.allocate(Slot.self, 1 << bits)
  }
}

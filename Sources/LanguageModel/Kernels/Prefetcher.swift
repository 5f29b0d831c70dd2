import CPlatform

/// Prefetches the cache lines of a block of weights, a few at a time, while the block before it is multiplied.
struct Prefetcher {
  private static let lineSize = 64
  private var address: UnsafeRawPointer
  private var offset = 0
  private let bytes: Int
  private let stride: Int
  private var rows: Int

  /// - Parameters:
  ///   - bytes: the size of a row.
  ///   - stride: the distance between rows in bytes.
  init(_ address: UnsafeRawPointer, bytes: Int, stride: Int, rows: Int) {
    (self.address, self.bytes, self.stride, self.rows) = (address, bytes, stride, rows)
  }

  /// The approximate number of cache lines in the remaining rows.
  var count: Int { rows * (bytes / Self.lineSize + 1) }

  /// Prefetches the next `lines` cache lines, or as many as remain.
  @inline(__always)
  mutating func prefetch(_ lines: Int) {
    var lines = lines
    while lines > 0, rows > 0 {
      lmpipe_prefetch(address + offset)
      offset += Self.lineSize
      lines -= 1
      if offset >= bytes {
        offset = 0
        address += stride
        rows -= 1
      }
    }
  }
}

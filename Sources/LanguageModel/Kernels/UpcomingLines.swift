import CPlatform

/// The cache lines of weights that will be widened next: asked for while the processor multiplies.
struct UpcomingLines {
  private static let lineSize = 64
  private var address: UnsafeRawPointer
  private var offset = 0
  private let bytes: Int
  private let stride: Int
  private var rows: Int

  /// - Parameters:
  ///   - bytes: of each row.
  ///   - stride: from row to row, in bytes.
  init(_ address: UnsafeRawPointer, bytes: Int, stride: Int, rows: Int) {
    (self.address, self.bytes, self.stride, self.rows) = (address, bytes, stride, rows)
  }

  /// How many lines are left of whole rows, roughly.
  var count: Int { rows * (bytes / Self.lineSize + 1) }

  @inline(__always)
  mutating func fetch(_ lines: Int) {
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

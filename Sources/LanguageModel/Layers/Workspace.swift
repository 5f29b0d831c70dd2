/// The scratch memory of a forward pass, kept from one to the next and grown when a pass is longer.
final class Workspace {
  private var storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  deinit { storage.deallocate() }

  /// Matrices of the given shapes; what they held before is lost. Each begins at a cache line.
  func matrices(_ shapes: [(rows: Int, columns: Int)]) -> [Matrix] {
    let sizes = shapes.map { ($0.rows * $0.columns * MemoryLayout<Float>.size + 63) / 64 * 64 }
    let total = sizes.reduce(64, +)
    if storage.count < total {
      storage.deallocate()
      storage = .allocate(byteCount: total, alignment: 64)
    }
    var address = storage.baseAddress.unsafelyUnwrapped  // at least 64 bytes
    return zip(shapes, sizes).map { shape, size in
      defer { address += size }
      let start = address.bindMemory(to: Float.self, capacity: shape.rows * shape.columns)
      return Matrix(start: start, rows: shape.rows, columns: shape.columns)
    }
  }
}

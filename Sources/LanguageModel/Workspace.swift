/// Scratch memory for matrices, reused by later calls and enlarged when a call needs more.
///
/// Each call invalidates all matrices that earlier calls returned: a new matrix overlaps them, and an enlarged
/// workspace frees their memory. Matrices that are in use at the same time must come from one call or from different
/// workspaces.
final class Workspace {
  typealias Shape = (rows: Int, columns: Int)

  private var storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  deinit { storage.deallocate() }

  func matrix(_ shape: Shape) -> Matrix { matrices([shape])[0] }

  func matrices(_ a: Shape, _ b: Shape) -> (Matrix, Matrix) {
    let matrices = matrices([a, b])
    return (matrices[0], matrices[1])
  }

  func matrices(_ a: Shape, _ b: Shape, _ c: Shape) -> (Matrix, Matrix, Matrix) {
    let matrices = matrices([a, b, c])
    return (matrices[0], matrices[1], matrices[2])
  }

  /// Returns uninitialized matrices of the given shapes. Each starts at a cache line.
  func matrices(_ shapes: [Shape]) -> [Matrix] {
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

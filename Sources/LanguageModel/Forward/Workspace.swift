/// Scratch memory for matrices, which is used again after each `reset`.
///
/// A pass requests matrices of the same shapes for each layer. So each block of memory has the size of the request that
/// first needed it, and later passes take the blocks in the same order, without new pages from the system. A block that
/// is too small for a later pass is replaced, so that the total is at most the number of blocks times the largest
/// request, whatever the order of the passes.
final class Workspace {
  private var blocks: [UnsafeMutableRawBufferPointer] = []
  /// The block that the next matrix is taken from, and the number of its bytes in use. All matrices are in this block
  /// and in the blocks before it.
  private var (block, used) = (0, 0)

  deinit { for block in blocks { block.deallocate() } }

  /// The memory in bytes.
  var size: Int { blocks.reduce(0) { $0 + $1.count } }

  /// Invalidates all matrices.
  func reset() { (block, used) = (0, 0) }

  /// Returns an uninitialized matrix that starts at a cache line.
  func matrix(_ rows: Int, _ columns: Int) -> Matrix {
    let size = max(64, (rows * columns * MemoryLayout<Float>.size + 63) / 64 * 64)
    if used > 0, blocks[block].count - used < size { (block, used) = (block + 1, 0) }
    if block == blocks.count {
      blocks.append(.allocate(byteCount: size, alignment: 64))
    } else if blocks[block].count - used < size {
      blocks[block].deallocate()  // no matrix is in it
      blocks[block] = .allocate(byteCount: size, alignment: 64)
    }
    // The block has at least `size` bytes after `used`.
    let start = (blocks[block].baseAddress.unsafelyUnwrapped + used)
      .bindMemory(to: Float.self, capacity: rows * columns)
    used += size
    return Matrix(start: start, rows: rows, columns: columns)
  }
}

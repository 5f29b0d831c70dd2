import Checkpoint

/// A view of float32 numbers in row-major order. It does not own the memory.
struct Matrix {
  let start: UnsafeMutablePointer<Float>
  let rows: Int
  let columns: Int

  @inline(__always)
  func row(_ index: Int) -> UnsafeMutablePointer<Float> { start + index * columns }

  /// Returns a view of a range of rows.
  func rows(_ range: Range<Int>) -> Matrix {
    Matrix(start: row(range.lowerBound), rows: range.count, columns: columns)
  }
}

/// Returns true if all numbers are finite.
func isFinite(_ numbers: UnsafePointer<Float>, count: Int) -> Bool {
  var greatest: UInt32 = 0  // no branch per number, so that the loop is vectorized
  for index in 0..<count { greatest = max(greatest, numbers[index].magnitude.bitPattern) }
  return greatest <= Float.greatestFiniteMagnitude.bitPattern
}

/// Calls `body` with uninitialized memory for `count` float32 numbers that starts at a cache line. The memory is valid
/// during the call.
@inline(__always)
func withAlignedFloats(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
  withUnsafeTemporaryAllocation(byteCount: max(count, 1) * MemoryLayout<Float>.size, alignment: 64) { bytes in
    body(bytes.bindMemory(to: Float.self).baseAddress.unsafelyUnwrapped)  // not empty
  }
}

/// A matrix of weights in a mapped checkpoint file, at any alignment.
///
/// Invariant: `start` points to `rows × columns` elements of `type`, mapped for as long as the model lives
/// (`Checkpoint.tensor` checks shape and extent).
struct WeightMatrix {
  let start: UnsafeRawPointer
  let type: ElementType
  let rows: Int
  let columns: Int

  /// The size of a row in bytes.
  let rowSize: Int

  init(start: UnsafeRawPointer, type: ElementType, rows: Int, columns: Int) {
    (self.start, self.type, self.rows, self.columns) = (start, type, rows, columns)
    rowSize = columns / type.blockLength * type.blockSize
  }

  /// Dequantizes one row into `target` (columns).
  func copyRow(_ index: Int, to target: UnsafeMutablePointer<Float>) {
    func copy<Format: WeightFormat>(_: Format.Type) {
      let row = start + index * rowSize
      let rest = columns % Format.Unit.length
      Format.dequantize(row, count: columns - rest, into: target)
      guard rest > 0 else { return }
      withAlignedFloats(Format.Unit.length) { last in
        Format.unit(row, columns / Format.Unit.length, first: rest).store(last)
        (target + columns - rest).update(from: last, count: rest)
      }
    }
    withFormat(type) { copy($0) }
  }
}

extension WeightMatrix {
  init(_ tensor: Tensor) {
    precondition(tensor.shape.count == 2 && !tensor.bytes.isEmpty)
    self.init(
      start: tensor.bytes.baseAddress.unsafelyUnwrapped,  // not empty
      type: tensor.type, rows: tensor.shape[0], columns: tensor.shape[1])
  }
}

/// A vector of weights as float32. It is a copy, because vectors are small.
struct WeightVector {
  let values: UnsafeMutablePointer<Float>  // (count), padded to whole vectors
  let count: Int
  private let memory: Memory?

  /// A view of numbers that outlive it.
  init(values: UnsafeMutablePointer<Float>, count: Int) {
    (self.values, self.count, memory) = (values, count, nil)
  }

  private final class Memory {
    let values: UnsafeMutablePointer<Float>

    init(_ count: Int) {
      values = .allocate(capacity: count)
      values.initialize(repeating: 0, count: count)
    }

    deinit { values.deallocate() }
  }
}

extension WeightVector {
  init(_ tensor: Tensor) {
    count = tensor.count
    let memory = Memory(paddedCount(count))
    (values, self.memory) = (memory.values, memory)
    let (values, count) = (values, count)
    func copy<Format: WeightFormat>(_: Format.Type) {
      guard let start = tensor.bytes.baseAddress else { return }
      Format.dequantize(start, count: count, into: values)
    }
    withFormat(tensor.type) { copy($0) }
  }
}

extension WeightVector {
  var array: [Float] { withExtendedLifetime(self) { Array(UnsafeBufferPointer(start: values, count: count)) } }
}

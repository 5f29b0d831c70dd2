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
/// (`WeightTable.tensor` compares the shape).
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

  /// Returns a view of a range of rows.
  func rows(_ range: Range<Int>) -> WeightMatrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows)
    return WeightMatrix(start: start + range.lowerBound * rowSize, type: type, rows: range.count, columns: columns)
  }

  /// Dequantizes one row into `target` (columns).
  func copyRow(_ index: Int, to target: UnsafeMutablePointer<Float>) {
    dequantize(start + index * rowSize, type, count: columns, into: target)
  }
}

extension WeightMatrix {
  /// Dequantizes some rows into x (indices, columns), and multiplies them by a factor.
  func copyRows(_ indices: [Int], to x: Matrix, scale: Float = 1) {
    for (row, index) in indices.enumerated() { copyRow(index, to: x.row(row)) }
    guard scale != 1 else { return }
    for index in 0..<indices.count * columns { x.start[index] *= scale }
  }

  /// Adds some rows to x (indices, columns).
  func addRows(_ indices: Range<Int>, to x: Matrix) {
    withAlignedFloats(columns) { numbers in
      for (row, index) in indices.enumerated() {
        copyRow(index, to: numbers)
        for column in 0..<columns { x.row(row)[column] += numbers[column] }
      }
    }
  }

  init(_ tensor: Tensor) {
    precondition(tensor.shape.count == 2 && !tensor.bytes.isEmpty)
    self.init(
      start: tensor.bytes.baseAddress.unsafelyUnwrapped,  // not empty
      type: tensor.type, rows: tensor.shape[0], columns: tensor.shape[1])
  }
}

/// A vector of weights as float32. It is a copy, because vectors are small.
struct WeightVector {
  /// (count), followed by `laneCount` numbers that may be read: kernels load whole vectors from any index on, so that a
  /// part (`part(_:)`) has the same padding as the whole.
  let values: UnsafeMutablePointer<Float>
  let count: Int
  private let memory: Memory?

  /// A view of numbers that outlive it.
  init(values: UnsafeMutablePointer<Float>, count: Int) {
    (self.values, self.count, memory) = (values, count, nil)
  }

  /// A vector of zeros, for `fill`.
  init(count: Int) {
    let memory = Memory(paddedCount(count) + laneCount)
    (values, self.count, self.memory) = (memory.values, count, memory)
  }

  private init(values: UnsafeMutablePointer<Float>, count: Int, _ memory: Memory?) {
    (self.values, self.count, self.memory) = (values, count, memory)
  }

  private final class Memory {
    let values: UnsafeMutablePointer<Float>

    init(_ count: Int) {
      values = .allocate(capacity: count)
      values.initialize(repeating: 0, count: count)
    }

    deinit { values.deallocate() }
  }

  /// Returns a view of a range of the numbers, which keeps the memory of the vector alive.
  func part(_ range: Range<Int>) -> WeightVector {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return WeightVector(values: values + range.lowerBound, count: range.count, memory)
  }
}

extension WeightVector {
  static func zeros(_ count: Int) -> WeightVector { WeightVector(count: count) }

  static func ones(_ count: Int) -> WeightVector {
    let vector = WeightVector(count: count)
    for index in 0..<count { vector.values[index] = 1 }
    return vector
  }

  init(_ tensor: Tensor) {
    self.init(count: tensor.count)
    fill(from: tensor)
  }

  /// Dequantizes a tensor with the count of the vector into it, and adds `offset` to each number: 1 for norms that
  /// multiply by 1 + weight (Gemma).
  func fill(from tensor: Tensor, adding offset: Float = 0) {
    precondition(tensor.count == count)
    guard let start = tensor.bytes.baseAddress else { return }
    dequantize(start, tensor.type, count: count, into: values)
    guard offset != 0 else { return }
    for index in 0..<count { values[index] += offset }
  }

  var array: [Float] { withExtendedLifetime(self) { Array(UnsafeBufferPointer(start: values, count: count)) } }
}

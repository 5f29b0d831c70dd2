import Checkpoint

/// Float32 numbers in memory of the forward pass, row-major. A view: whoever allocated the memory frees it.
struct Matrix {
  let start: UnsafeMutablePointer<Float>
  let rows: Int
  let columns: Int

  @inline(__always)
  func row(_ index: Int) -> UnsafeMutablePointer<Float> { start + index * columns }

  /// The rows of a range, in place.
  func rows(_ range: Range<Int>) -> Matrix {
    Matrix(start: row(range.lowerBound), rows: range.count, columns: columns)
  }
}

func isFinite(_ numbers: UnsafePointer<Float>, count: Int) -> Bool {
  var greatest: UInt32 = 0  // without a branch for each number
  for index in 0..<count { greatest = max(greatest, numbers[index].magnitude.bitPattern) }
  return greatest <= Float.greatestFiniteMagnitude.bitPattern
}

/// Lends scratch memory for some float32 numbers, not initialized, that begins at a cache line.
@inline(__always)
func withAlignedFloats(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
  withUnsafeTemporaryAllocation(byteCount: max(count, 1) * MemoryLayout<Float>.size, alignment: 64) { bytes in
    body(bytes.bindMemory(to: Float.self).baseAddress.unsafelyUnwrapped)  // not empty
  }
}

/// A matrix of weights where it lies in the checkpoint, at any alignment.
///
/// Invariant: `start` points to `rows × columns` elements of `type`, mapped for as long as the model lives
/// (`Checkpoint.tensor` checked shape and extent).
struct WeightMatrix {
  let start: UnsafeRawPointer
  let type: ElementType
  let rows: Int
  let columns: Int

  /// The bytes of a row.
  let rowSize: Int

  init(start: UnsafeRawPointer, type: ElementType, rows: Int, columns: Int) {
    (self.start, self.type, self.rows, self.columns) = (start, type, rows, columns)
    rowSize = columns / type.blockLength * type.blockSize
  }

  /// Copies one row as float32.
  func copyRow(_ index: Int, to target: UnsafeMutablePointer<Float>) {
    func copy<Format: WeightFormat>(_: Format.Type) {
      let row = start + index * rowSize
      let rest = columns % Format.Unit.length
      Format.widen(row, count: columns - rest, into: target)
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

/// A vector of weights, copied to float32: these are small.
struct WeightVector {
  let values: UnsafeMutablePointer<Float>  // padded to whole vectors
  let count: Int
  private let memory: Memory?

  /// Numbers that the caller keeps.
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
      Format.widen(start, count: count, into: values)
    }
    withFormat(tensor.type) { copy($0) }
  }
}

extension WeightVector {
  var array: [Float] { withExtendedLifetime(self) { Array(UnsafeBufferPointer(start: values, count: count)) } }
}

/// Calls `body` with the Swift type of a stored element type, so that each kernel is compiled once per type.
@inline(__always)
func withElementType(_ type: ElementType, _ body: (any WeightElement.Type) -> Void) {
  switch type {
  case .float32: body(Float.self)
  case .bfloat16: body(BFloat16.self)
  #if !(os(macOS) && arch(x86_64))
    case .float16: body(Float16.self)
  #endif
  default: preconditionFailure("Checkpoint.tensor lets no other types through")
  }
}

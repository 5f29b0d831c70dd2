import Checkpoint

// How rows of stored weights become float32, a unit at a time: 16 numbers of the plain types, 32 of the quantized ones.

/// Some consecutive weights of a row, as vectors of float32.
protocol WeightUnit {
  static var length: Int { get }
  /// Adds the products with as many inputs, lane by lane, first to last.
  func addingProducts(to sum: Lanes, _ x: UnsafeMutablePointer<Float>) -> Lanes
  func store(_ target: UnsafeMutablePointer<Float>)
}

protocol WeightFormat {
  associatedtype Unit: WeightUnit
  /// The unit of a row at an index. The row begins at any address.
  static func unit(_ row: UnsafeRawPointer, _ index: Int) -> Unit
  /// The last unit of a row that ends with the first `count` numbers of it; zeros stand behind them.
  static func unit(_ row: UnsafeRawPointer, _ index: Int, first count: Int) -> Unit
}

extension WeightFormat {
  /// Copies a row as float32, and with zeros behind its end where its last unit is not whole.
  @inline(__always)
  static func widen(_ row: UnsafeRawPointer, count: Int, into target: UnsafeMutablePointer<Float>) {
    let (whole, rest) = count.quotientAndRemainder(dividingBy: Unit.length)
    for index in 0..<whole { unit(row, index).store(target + index * Unit.length) }
    if rest > 0 { unit(row, whole, first: rest).store(target + whole * Unit.length) }
  }
}

extension Lanes: WeightUnit {
  static var length: Int { laneCount }
  @inline(__always)
  func addingProducts(to sum: Lanes, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    sum.addingProduct(Float.load(x), self)
  }
}

extension WeightElement {
  @inline(__always)
  static func unit(_ row: UnsafeRawPointer, _ index: Int) -> Lanes { load(row + index * laneCount * size) }
  @inline(__always)
  static func unit(_ row: UnsafeRawPointer, _ index: Int, first count: Int) -> Lanes {
    load(row + index * laneCount * size, first: count)
  }
}

/// Calls `body` with the Swift type of a stored type, so that each kernel is compiled once per type.
@inline(__always)
func withFormat(_ type: ElementType, _ body: (any WeightFormat.Type) -> Void) {
  switch type {
  case .q4_0: body(Q4_0.self)
  case .q4_1: body(Q4_1.self)
  case .q5_0: body(Q5_0.self)
  case .q5_1: body(Q5_1.self)
  case .q8_0: body(Q8_0.self)
  case .q4_k: body(Q4_K.self)
  case .q5_k: body(Q5_K.self)
  case .q6_k: body(Q6_K.self)
  default: withElementType(type) { body($0) }
  }
}

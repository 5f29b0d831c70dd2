import CPlatform

// The micro-kernel of a matrix product: MR × NR sums stay in vector registers while k runs through a packed panel (Goto
// and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008; Van Zee and van de Geijn, "BLIS: A
// Framework for Rapidly Instantiating BLAS Functionality", 2015).
//
// Registers for MR = 6, with two fused multiply-adds (FMA) per cycle and a latency of 4 or 5 cycles, which need at
// least 8 to 10 independent sums:
//
//   registers              NR  sums    panel row  input  total
//   AVX2, 16 × 8 floats    16  12      2          1      15 of 16
//   NEON, 32 × 4 floats    16  24      4          1      29 of 32
//   AVX-512, 32 × 16       64  24      4          1      29 of 32

/// The vector registers for which a kernel is shaped. The shape does not change results.
enum VectorRegisters: CaseIterable {
  /// AVX2 (16 registers of 256 bits) and NEON (32 of 128 bits).
  case narrow
  /// AVX-512: 32 registers of 512 bits.
  case wide

  /// The registers of the processor that this code is compiled for.
  static var here: VectorRegisters { lmpipe_has_wide_vectors() ? .wide : .narrow }
}

/// MR, the number of input rows that the micro-kernel computes together.
let microKernelRows = 6

/// NR numbers: one row of a packed panel, or the sums of one input row.
protocol PanelRow {
  static var nr: Int { get }
  init()  // zeros
  init(_ address: UnsafeMutablePointer<Float>)
  func store(_ address: UnsafeMutablePointer<Float>)
  func addingProduct(_ weights: Self, _ x: Float) -> Self
  static func + (first: Self, second: Self) -> Self
}

extension Lanes: PanelRow {
  static var nr: Int { laneCount }
  @inline(__always)
  init(_ address: UnsafeMutablePointer<Float>) { self = Float.load(address) }
  @inline(__always)
  func store(_ address: UnsafeMutablePointer<Float>) { LanguageModel.store(self, address) }
}

/// A panel row of 64 columns. (SIMD64 of the standard library multiplies lane by lane.)
struct WidePanelRow: PanelRow {
  var (v0, v1, v2, v3) = (Lanes(), Lanes(), Lanes(), Lanes())

  static var nr: Int { 4 * laneCount }

  @inline(__always)
  init() {}

  @inline(__always)
  init(_ address: UnsafeMutablePointer<Float>) {
    v0 = Float.load(address)
    v1 = Float.load(address + laneCount)
    v2 = Float.load(address + 2 * laneCount)
    v3 = Float.load(address + 3 * laneCount)
  }

  @inline(__always)
  func store(_ address: UnsafeMutablePointer<Float>) {
    v0.store(address)
    v1.store(address + laneCount)
    v2.store(address + 2 * laneCount)
    v3.store(address + 3 * laneCount)
  }

  @inline(__always)
  func addingProduct(_ weights: WidePanelRow, _ x: Float) -> WidePanelRow {
    var sum = self
    sum.v0 = v0.addingProduct(weights.v0, x)
    sum.v1 = v1.addingProduct(weights.v1, x)
    sum.v2 = v2.addingProduct(weights.v2, x)
    sum.v3 = v3.addingProduct(weights.v3, x)
    return sum
  }

  @inline(__always)
  static func + (first: WidePanelRow, second: WidePanelRow) -> WidePanelRow {
    var sum = first
    sum.v0 += second.v0
    sum.v1 += second.v1
    sum.v2 += second.v2
    sum.v3 += second.v3
    return sum
  }
}

/// The accumulators of the micro-kernel: MR rows of NR sums. (Six variables, because an array would not stay in
/// registers.)
struct Accumulators<Row: PanelRow> {
  var (s0, s1, s2, s3, s4, s5) = (Row(), Row(), Row(), Row(), Row(), Row())

  @inline(__always)
  static func += (accumulators: inout Accumulators, other: Accumulators) {
    accumulators.s0 = accumulators.s0 + other.s0
    accumulators.s1 = accumulators.s1 + other.s1
    accumulators.s2 = accumulators.s2 + other.s2
    accumulators.s3 = accumulators.s3 + other.s3
    accumulators.s4 = accumulators.s4 + other.s4
    accumulators.s5 = accumulators.s5 + other.s5
  }

  /// Stores the sums (MR, NR) in rows `stride` numbers apart, or adds them to the numbers there.
  @inline(__always)
  func store(_ target: UnsafeMutablePointer<Float>, stride: Int, addingTo isAdding: Bool = false) {
    @inline(__always)
    func store(_ sum: Row, _ row: Int) {
      let target = target + row * stride
      ((isAdding ? Row(target) : Row()) + sum).store(target)
    }
    store(s0, 0)
    store(s1, 1)
    store(s2, 2)
    store(s3, 3)
    store(s4, 4)
    store(s5, 5)
  }
}

/// Returns inputs (MR, length) times a panel (length, NR). Each sum is one chain of fused multiply-adds that starts at
/// zero, in the order of k.
///
/// - Parameters:
///   - x: the inputs; element k of row r is `x[r * rowStride + k * step]`.
///   - panel: the packed panel; row k starts at `panel[k * panelStride]`.
@inline(__always)
func microKernel<Row: PanelRow>(
  _: Row.Type, _ x: UnsafeMutablePointer<Float>, rowStride: Int, step: Int, _ panel: UnsafeMutablePointer<Float>,
  _ panelStride: Int, _ length: Int
) -> Accumulators<Row> {
  var accumulators = Accumulators<Row>()
  let (x0, x1, x2) = (x, x + rowStride, x + 2 * rowStride)
  let (x3, x4, x5) = (x + 3 * rowStride, x + 4 * rowStride, x + 5 * rowStride)
  for k in 0..<length {
    let weights = Row(panel + k * panelStride)
    accumulators.s0 = accumulators.s0.addingProduct(weights, x0[k * step])
    accumulators.s1 = accumulators.s1.addingProduct(weights, x1[k * step])
    accumulators.s2 = accumulators.s2.addingProduct(weights, x2[k * step])
    accumulators.s3 = accumulators.s3.addingProduct(weights, x3[k * step])
    accumulators.s4 = accumulators.s4.addingProduct(weights, x4[k * step])
    accumulators.s5 = accumulators.s5.addingProduct(weights, x5[k * step])
  }
  return accumulators
}

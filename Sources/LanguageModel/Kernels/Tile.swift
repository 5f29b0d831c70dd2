import CPlatform

/// The vector registers that a kernel is shaped for. The shape of a kernel is never seen in its results.
enum VectorRegisters: CaseIterable {
  /// AVX2 and NEON: 16 of 256 bits, or 32 of 128.
  case narrow
  /// AVX-512: 32 of 512 bits.
  case wide

  /// Those of the processor that this is compiled for.
  static var here: VectorRegisters { lmpipe_has_wide_vectors() ? .wide : .narrow }
}

/// How many input rows the kernels compute together. With panels of 16 columns, six sums of 16, a panel row and an input
/// fill the 15 or so registers that AVX2 has for them; with panels of 64 columns, they fit those of AVX-512.
let tileRows = 6

/// As many columns as the sums of a tile have: one vector or several.
protocol PanelRow {
  static var width: Int { get }
  init()  // zeros
  init(_ address: UnsafeMutablePointer<Float>)
  func store(_ address: UnsafeMutablePointer<Float>)
  func addingProduct(_ weights: Self, _ x: Float) -> Self
  static func + (first: Self, second: Self) -> Self
}

extension Lanes: PanelRow {
  static var width: Int { laneCount }
  @inline(__always)
  init(_ address: UnsafeMutablePointer<Float>) { self = Float.load(address) }
  @inline(__always)
  func store(_ address: UnsafeMutablePointer<Float>) { LanguageModel.store(self, address) }
}

/// 64 columns. (The library's SIMD64 multiplies lane by lane.)
struct FourLanes: PanelRow {
  var (v0, v1, v2, v3) = (Lanes(), Lanes(), Lanes(), Lanes())

  static var width: Int { 4 * laneCount }

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
  func addingProduct(_ weights: FourLanes, _ x: Float) -> FourLanes {
    var sum = self
    sum.v0 = v0.addingProduct(weights.v0, x)
    sum.v1 = v1.addingProduct(weights.v1, x)
    sum.v2 = v2.addingProduct(weights.v2, x)
    sum.v3 = v3.addingProduct(weights.v3, x)
    return sum
  }

  @inline(__always)
  static func + (first: FourLanes, second: FourLanes) -> FourLanes {
    var sum = first
    sum.v0 += second.v0
    sum.v1 += second.v1
    sum.v2 += second.v2
    sum.v3 += second.v3
    return sum
  }
}

/// The sums of six rows. (Six variables: a Swift array would not stay in registers.)
struct Tile<Row: PanelRow> {
  var (s0, s1, s2, s3, s4, s5) = (Row(), Row(), Row(), Row(), Row(), Row())

  @inline(__always)
  static func += (tile: inout Tile, other: Tile) {
    tile.s0 = tile.s0 + other.s0
    tile.s1 = tile.s1 + other.s1
    tile.s2 = tile.s2 + other.s2
    tile.s3 = tile.s3 + other.s3
    tile.s4 = tile.s4 + other.s4
    tile.s5 = tile.s5 + other.s5
  }

  /// Stores the sums (6, width), or adds them to what is there.
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

/// Six rows (6, length) times a panel (length, width). Each sum is one chain of fused multiply-adds in the order of k,
/// beginning with zero.
///
/// - Parameters:
///   - x: row r has its k-th number at `x[r * rowStride + k * step]`.
///   - panel: the k-th row begins at `panel[k * panelStride]`.
@inline(__always)
func tileProduct<Row: PanelRow>(
  _: Row.Type, _ x: UnsafeMutablePointer<Float>, rowStride: Int, step: Int, _ panel: UnsafeMutablePointer<Float>,
  _ panelStride: Int, _ length: Int
) -> Tile<Row> {
  var tile = Tile<Row>()
  let (x0, x1, x2) = (x, x + rowStride, x + 2 * rowStride)
  let (x3, x4, x5) = (x + 3 * rowStride, x + 4 * rowStride, x + 5 * rowStride)
  for k in 0..<length {
    let weights = Row(panel + k * panelStride)
    tile.s0 = tile.s0.addingProduct(weights, x0[k * step])
    tile.s1 = tile.s1.addingProduct(weights, x1[k * step])
    tile.s2 = tile.s2.addingProduct(weights, x2[k * step])
    tile.s3 = tile.s3.addingProduct(weights, x3[k * step])
    tile.s4 = tile.s4.addingProduct(weights, x4[k * step])
    tile.s5 = tile.s5.addingProduct(weights, x5[k * step])
  }
  return tile
}

/// The settings of the attention of one layer: which positions a query attends to, and how a query-key dot product
/// becomes a score.
///
/// The score of the key at position j for the query at position p is, in this order,
///
///     s = scale · (q · k)
///     s = softcap · tanh(s / softcap)    if there is a soft cap
///     s = s + slope · (j - p)            if there are slopes
///
/// or, if the biases are rounded, with its last line
///
///     s = s + scale · bfloat16(slope · bfloat16(j))
///
/// The weights are the softmax of the scores of the positions p - window < j ≤ p.
///
///     AttentionSettings(scale: 0.125, window: 4096, softcap: 50)    // a layer with a window in Gemma 2
public struct AttentionSettings: Equatable, Sendable {
  /// The factor of the query-key dot products; positive.
  public var scale: Float
  /// The number of positions that a position attends to, itself included (sliding-window attention; Beltagy et al.,
  /// "Longformer", 2020); at least 1. Nil means all positions up to itself.
  public var window: Int?
  /// The bound of the magnitudes of the scores (Gemma Team, "Gemma 2", 2024); positive and finite. Nil means none.
  public var softcap: Float?
  /// The slopes of ALiBi (Press et al., "Train Short, Test Long", 2022), one for each query head. Empty means none.
  public var slopes: [Float]
  /// True if the biases of ALiBi depend on the position of the key, are rounded to bfloat16, and are multiplied by the
  /// scale (Falcon).
  public var roundsBiases = false
  /// The index of the layer's RoPE in ``ModelShape/ropes``; nil for a layer without RoPE.
  public var rope: Int?

  public init(scale: Float, window: Int? = nil, softcap: Float? = nil, slopes: [Float] = []) {
    (self.scale, self.window, self.softcap, self.slopes) = (scale, window, softcap, slopes)
  }

  /// Returns the slopes of ALiBi for a number of heads: those of `build_alibi_tensor` in transformers
  /// (modeling_bloom.py), in the order of the heads. Returns an empty array if there are no heads.
  ///
  /// For a power of two n the slopes are b, b², …, bⁿ with b = 2^(-8/n). For other numbers, n is the power of two
  /// below; the slopes of n heads come first, then the odd powers of 2^(-8/2n). The bases are float32. The powers are
  /// computed in float64 and rounded; torch computes them in float32. Both were compared for 1 to 199 heads: one of the
  /// slopes of 32 to 63 heads differs in the last bit, all others are equal.
  public static func alibiSlopes(heads: Int) -> [Float] {
    guard heads > 0 else { return [] }
    var (n, base) = (1, 0x1p-8)
    while n <= heads / 2 { (n, base) = (2 * n, base.squareRoot()) }
    let slopes = powers(of: Float(base), count: n)
    let others = powers(of: Float(base.squareRoot()), count: 2 * (heads - n))
    return slopes + stride(from: 0, to: others.count, by: 2).map { others[$0] }
  }

  /// Returns a finite number rounded to bfloat16, ties to even.
  static func bfloat16(_ number: Float) -> Float {
    let bits = number.bitPattern
    return Float(bitPattern: (bits + 0x7FFF + bits >> 16 & 1) & 0xFFFF_0000)
  }

  /// Returns base, base², …
  private static func powers(of base: Float, count: Int) -> [Float] {
    var power = 1.0
    return (0..<count).map { _ in
      power *= Double(base)
      return Float(power)
    }
  }
}

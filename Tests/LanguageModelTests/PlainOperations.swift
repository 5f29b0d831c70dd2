import Foundation

@testable import LanguageModel

/// The operations of a transformer in float64, written to be obviously correct: the reference for the kernels.
enum PlainOperations {
  typealias Vector = [Double]

  static func dot(_ a: Vector, _ b: Vector) -> Double { zip(a, b).map(*).reduce(0, +) }

  static func add(_ a: Vector, _ b: Vector) -> Vector { zip(a, b).map(+) }

  /// The definitions in transformers' activations.py.
  static func activation(_ activation: Activation, _ x: Double) -> Double {
    switch activation {
    case .gelu: x * 0.5 * (1 + erf(x / 2.squareRoot()))
    case .geluTanh: geluTanh(x)
    case .geluClipped: min(max(x * 0.5 * (1 + erf(x / 2.squareRoot())), -10), 10)
    case .quickGELU: x / (1 + exp(-1.702 * x))
    case .relu: max(x, 0)
    case .reluSquared: pow(max(x, 0), 2)
    case .relu6: min(max(x, 0), 6)
    case .leakyReLU: x < 0 ? 0.01 * x : x
    case .hardSwish: x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6
    case .silu: silu(x)
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: tanh(x)
    case .mish: x * tanh(x > 100 ? x : log1p(exp(x)))
    case .laplace: 0.5 * (1 + erf((x - 0.707107) / (0.282095 * 2.squareRoot())))
    case .linear: x
    }
  }

  /// ½x · (1 + tanh(√(2/π) · (x + 0.044715·x³)))
  static func geluTanh(_ x: Double) -> Double {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
  }

  static func silu(_ x: Double) -> Double { x / (1 + exp(-x)) }

  /// e^(x - maximum), not divided by the sum.
  static func exponentials(_ x: Vector) -> Vector {
    let maximum = x.max() ?? 0
    return x.map { exp($0 - maximum) }
  }

  static func softmax(_ x: Vector) -> Vector {
    let exponentials = exponentials(x)
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }

  static func layerNorm(_ x: Vector, weight: Vector, bias: Vector, epsilon: Double) -> Vector {
    let mean = x.reduce(0, +) / Double(x.count)
    let variance = x.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(x.count)
    return x.indices.map { (x[$0] - mean) / (variance + epsilon).squareRoot() * weight[$0] + bias[$0] }
  }

  static func rmsNorm(_ x: Vector, weight: Vector, epsilon: Double) -> Vector {
    let meanSquare = dot(x, x) / Double(x.count)
    return x.indices.map { x[$0] / (meanSquare + epsilon).squareRoot() * weight[$0] }
  }

  /// Rotates the pairs of one head by `position · frequencies[pair]`. Pair i is (i, i + w/2), or (2i, 2i + 1) if
  /// `isInterleaved`.
  static func rope(_ x: Vector, position: Int, frequencies: Vector, isInterleaved: Bool) -> Vector {
    var result = x
    for (pair, frequency) in frequencies.enumerated() {
      let (first, second) = isInterleaved ? (2 * pair, 2 * pair + 1) : (pair, pair + frequencies.count)
      let angle = Double(position) * frequency
      result[first] = x[first] * cos(angle) - x[second] * sin(angle)
      result[second] = x[second] * cos(angle) + x[first] * sin(angle)
    }
    return result
  }

  /// The attention of one query of one head, at the last of the positions whose keys and values are given, to the last
  /// `window` of them. Scores are bounded by `softcap`; `slope` times the difference of the positions and the bias of
  /// the position of the key are added.
  static func attention(
    query: Vector, keys: [Vector], values: [Vector], scale: Double, window: Int? = nil, softcap: Double? = nil,
    slope: Double = 0, bias: (Int) -> Double = { _ in 0 }
  ) -> Vector {
    let weights = attentionWeights(
      query: query, keys: keys, scale: scale, window: window, softcap: softcap, slope: slope, bias: bias)
    return (values.first ?? []).indices.map { d in dot(weights, values.map { $0[d] }) }
  }

  /// The weights of all positions, which are 0 before the window.
  static func attentionWeights(
    query: Vector, keys: [Vector], scale: Double, window: Int? = nil, softcap: Double? = nil, slope: Double = 0,
    bias: (Int) -> Double = { _ in 0 }
  ) -> Vector {
    let positions = keys.indices.suffix(window ?? keys.count)
    let scores = positions.map { position in
      let score = dot(query, keys[position]) * scale
      return (softcap.map { $0 * tanh(score / $0) } ?? score) + slope * Double(position - (keys.count - 1))
        + bias(position)
    }
    return Vector(repeating: 0, count: positions.lowerBound) + softmax(scores)
  }
}

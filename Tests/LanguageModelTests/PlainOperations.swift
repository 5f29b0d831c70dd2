import Foundation

/// The operations of a transformer in float64, written to be obviously correct: the reference for the kernels.
enum PlainOperations {
  typealias Vector = [Double]

  static func dot(_ a: Vector, _ b: Vector) -> Double { zip(a, b).map(*).reduce(0, +) }

  static func add(_ a: Vector, _ b: Vector) -> Vector { zip(a, b).map(+) }

  /// ½x · (1 + tanh(√(2/π) · (x + 0.044715·x³)))
  static func gelu(_ x: Double) -> Double {
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
      let (first, second) = isInterleaved ? (2 * pair, 2 * pair + 1) : (pair, pair + x.count / 2)
      let angle = Double(position) * frequency
      result[first] = x[first] * cos(angle) - x[second] * sin(angle)
      result[second] = x[second] * cos(angle) + x[first] * sin(angle)
    }
    return result
  }

  /// The attention of one query of one head to the keys and values of all positions that it attends to.
  static func attention(query: Vector, keys: [Vector], values: [Vector], scale: Double) -> Vector {
    let weights = softmax(keys.map { dot(query, $0) * scale })
    return (values.first ?? []).indices.map { d in dot(weights, values.map { $0[d] }) }
  }
}

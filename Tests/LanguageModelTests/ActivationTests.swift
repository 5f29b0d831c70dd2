import Foundation
import Testing
import Threads

@testable import LanguageModel

/// The activation functions against their definitions in float64, and their names.
@Suite struct ActivationTests {
  /// Arguments from the range in which the functions reach one limit to the range in which they reach the other.
  private static let arguments = (-3200...3200).map { Float($0) / 100 } + [-1e4, -1e-10, -0.0, 1e-30, 1e4]

  /// Returns the result of a function in each lane.
  private func apply(_ function: (Lanes) -> Lanes, _ x: Float) -> [Double] {
    let result = function(Lanes(repeating: x))
    return (0..<laneCount).map { Double(result[$0]) }
  }

  @Test(arguments: Activation.allCases)
  func functionsMatchFloat64(_ activation: Activation) {
    for x in Self.arguments {
      let expected = PlainOperations.activation(activation, Double(x))
      // Relative to the argument, because GELU far below zero cancels in the definition itself. Laplace's argument is
      // shifted.
      let scale = activation == .laplace ? 1 : max(abs(Double(x)), abs(expected), 1e-30)
      #expect(
        apply(activation.apply, x).allSatisfy { abs($0 - expected) <= 3e-7 * scale }, "\(activation.name)(\(x))")
    }
  }

  /// Functions that do not cancel are accurate relative to their result.
  @Test(arguments: [Activation.silu, .sigmoid, .quickGELU, .mish, .tanh, .relu, .reluSquared, .leakyReLU])
  func smallResultsAreAccurate(_ activation: Activation) {
    for x in Self.arguments {
      let expected = PlainOperations.activation(activation, Double(x))
      // The rounding error of 1.702·x is multiplied by up to 54 in the exponential.
      let tolerance = activation == .quickGELU ? 1e-5 : 1e-6
      // The exponential in float32 is at most about 3e38.
      #expect(
        apply(activation.apply, x).allSatisfy { abs($0 - expected) <= tolerance * abs(expected) + 1e-34 },
        "\(activation.name)(\(x))")
    }
  }

  @Test(arguments: Activation.allCases)
  func largeArgumentsGiveTheLimit(_ activation: Activation) {
    for x: Float in [1e10, -1e10, 1e15, -1e15, 1e30, -1e30] {
      let expected = Double(Float(PlainOperations.activation(activation, Double(x))))  // x² can be infinite
      let found = apply(activation.apply, x)
      #expect(
        found.allSatisfy { $0 == expected || abs($0 - expected) <= 1e-6 * abs(expected) + 1e-7 },
        "\(activation.name)(\(x))")
    }
    for x in [Float.greatestFiniteMagnitude, -.greatestFiniteMagnitude] {
      #expect(apply(activation.apply, x).allSatisfy { !$0.isNaN }, "\(activation.name)(\(x))")
    }
    #expect(apply(activation.apply, .nan).allSatisfy { $0.isNaN })
  }

  /// `apply` of the matrix products and the inlined functions have the same bits.
  @Test func inlinedFunctionsEqualApply() {
    let functions: [(Activation, (Lanes) -> Lanes)] = [
      (.gelu, { gelu($0) }), (.geluTanh, { geluTanh($0) }), (.silu, { silu($0) }), (.relu, { relu($0) }),
    ]
    for (activation, function) in functions {
      for x in Self.arguments { #expect(apply(function, x) == apply(activation.apply, x)) }
    }
  }

  @Test(arguments: Activation.allCases)
  func gateMatchesFloat64(_ activation: Activation) {
    let pool = ThreadPool(threads: 2)
    for (ffn, rows) in [(1, 1), (5, 9), (16, 1), (37, 9), (128, 5)] {
      var operands = Operands(seed: 1)
      let input = Matrix(start: operands.floats(rows * 2 * ffn, in: -8...8), rows: rows, columns: 2 * ffn)
      let output = Matrix.poisoned(rows, ffn)
      gate(activation, input, into: output, pool)
      for row in 0..<rows {
        let numbers = input.vector(row)
        let expected = (0..<ffn).map { PlainOperations.activation(activation, numbers[$0]) * numbers[ffn + $0] }
        // The tolerance of the functions, 3e-7 of an argument of up to 8, times an up of 8.
        #expect(areClose(output.vector(row), expected, within: activation == .silu ? 1e-6 : 2e-5))
      }
    }
  }

  @Test func namesAreThoseOfTransformers() {
    // All of ACT2FN in transformers 5.24, except those that are not implemented.
    let names = [
      "gelu", "gelu_10", "gelu_accurate", "gelu_fast", "gelu_new", "gelu_python", "gelu_python_tanh",
      "gelu_pytorch_tanh", "hardswish", "laplace", "leaky_relu", "linear", "mish", "quick_gelu", "relu", "relu2",
      "relu6", "relu_squared", "sigmoid", "silu", "swish", "tanh",
    ]
    #expect(Activation.names == names)
    for name in names { #expect(Activation(transformers: name) != nil, "\(name)") }
    for name in ["prelu", "xielu", "sqrtsoftplus", "clippedlinear", "", "GELU", "gelu_"] {
      #expect(Activation(transformers: name) == nil, "\(name)")
    }
    for activation in Activation.allCases { #expect(Activation(transformers: activation.name) == activation) }
    for name in ["gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_python_tanh", "gelu_accurate"] {
      #expect(Activation(transformers: name) == .geluTanh)
    }
    #expect(Activation(transformers: "gelu_python") == .gelu && Activation(transformers: "swish") == .silu)
  }
}

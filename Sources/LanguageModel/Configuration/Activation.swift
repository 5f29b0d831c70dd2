/// The activation function of a feed-forward layer: the functions without parameters in `ACT2FN` of transformers
/// (activations.py). Raw values are their names there.
///
/// Not implemented: `prelu` and `xielu`, which have trained parameters, and `sqrtsoftplus`, which scores experts.
public enum Activation: String, Sendable, CaseIterable {
  /// x · Φ(x) = ½x · (1 + erf(x / √2)) (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016).
  case gelu = "gelu"
  /// The approximation of GELU with tanh: ½x · (1 + tanh(√(2/π) · (x + 0.044715·x³))).
  case geluTanh = "gelu_new"
  /// GELU, limited to [-10, 10].
  case geluClipped = "gelu_10"
  /// x · sigmoid(1.702·x)
  case quickGELU = "quick_gelu"
  /// max(x, 0)
  case relu = "relu"
  /// max(x, 0)² (So et al., "Primer", 2021).
  case reluSquared = "relu2"
  /// min(max(x, 0), 6)
  case relu6 = "relu6"
  /// x, or 0.01·x if x is negative.
  case leakyReLU = "leaky_relu"
  /// x · min(max(x + 3, 0), 6) / 6
  case hardSwish = "hardswish"
  /// x · sigmoid(x), also known as swish.
  case silu = "silu"
  /// 1 / (1 + e^-x)
  case sigmoid = "sigmoid"
  /// tanh(x)
  case tanh = "tanh"
  /// x · tanh(ln(1 + e^x)) (Misra, "Mish", 2019).
  case mish = "mish"
  /// ½ · (1 + erf((x - 0.707107) / (0.282095·√2))) (Ma et al., "Mega", 2022).
  case laplace = "laplace"
  /// x
  case linear = "linear"

  /// Other names of these functions in transformers. Those of `geluTanh` differ in rounding only.
  private static let aliases: [(name: String, activation: Activation)] = [
    ("gelu_python", .gelu), ("gelu_accurate", .geluTanh), ("gelu_fast", .geluTanh), ("gelu_python_tanh", .geluTanh),
    ("gelu_pytorch_tanh", .geluTanh), ("relu_squared", .reluSquared), ("swish", .silu),
  ]

  /// The function with a name in transformers, such as the value of `hidden_act` in a config.json; nil if it is
  /// unknown or not implemented.
  ///
  /// `Activation(transformers: "gelu_pytorch_tanh")` is `.geluTanh`.
  public init?(transformers name: String) {
    guard let activation = Self(rawValue: name) ?? Self.aliases.first(where: { $0.name == name })?.activation else {
      return nil
    }
    self = activation
  }

  /// The main name in transformers.
  public var name: String { rawValue }

  /// All names that `init(transformers:)` accepts, sorted.
  public static var names: [String] { (allCases.map(\.rawValue) + aliases.map(\.name)).sorted() }
}

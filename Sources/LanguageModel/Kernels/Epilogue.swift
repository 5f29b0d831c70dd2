/// The epilogue of a matrix product: bias, activation and residual, applied to the sums before they are stored.
enum Epilogue {
  /// output = sum + bias
  case store
  /// output = gelu(sum + bias)
  case gelu
  /// output = output + (sum + bias), the residual connection
  case addToOutput

  /// Computes 16 outputs from 16 sums, or only the first `count` outputs if that is less.
  ///
  /// - Parameter bias: nil for no bias; otherwise padded to whole vectors.
  @inline(__always)
  func apply(
    _ sum: Lanes, bias: UnsafeMutablePointer<Float>?, _ output: UnsafeMutablePointer<Float>, count: Int
  ) {
    let value = bias.map { sum + Float.load($0) } ?? sum
    if count >= laneCount {
      LanguageModel.store(result(value, Float.load(output)), output)
    } else {
      let lanes = result(value, Float.load(UnsafeRawPointer(output), first: count))
      for lane in 0..<count { output[lane] = lanes[lane] }
    }
  }

  @inline(__always)
  private func result(_ value: Lanes, _ previous: @autoclosure () -> Lanes) -> Lanes {
    switch self {
    case .store: value
    case .gelu: LanguageModel.gelu(value)
    case .addToOutput: previous() + value
    }
  }
}

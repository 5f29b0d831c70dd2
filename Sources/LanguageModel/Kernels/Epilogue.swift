/// The epilogue of a matrix product: bias, activation and residual, applied to the sums before they are stored.
enum Epilogue: Equatable {
  /// output = sum + bias
  case store
  /// output = geluTanh(sum + bias), GPT-2's activation, which is inlined into the matrix products
  case geluTanh
  /// output = output + (sum + bias), the residual connection
  case addToOutput
  /// output = output + (sum + bias) · factor, a residual connection with a multiplier (Granite)
  case addScaled(Float)
  /// output = activation(sum + bias), a function call for 16 outputs
  case call(Activation)

  /// output = activation(sum + bias)
  static func activate(_ activation: Activation) -> Epilogue {
    activation == .geluTanh ? .geluTanh : .call(activation)
  }

  /// Computes 16 outputs from 16 sums, or only the first `count` outputs if that is less.
  ///
  /// - Parameter bias: nil for no bias; otherwise padded to whole vectors.
  @inline(__always)
  func apply(
    _ sum: Lanes, bias: UnsafeMutablePointer<Float>?, _ output: UnsafeMutablePointer<Float>, count: Int
  ) {
    let value = bias.map { sum + Float.load($0) } ?? sum
    if case .call(let activation) = self {  // the last call of this path, so that the others save no registers for it
      activation.apply(value, into: output, count: count)
      return
    }
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
    case .store, .call: value
    case .geluTanh: LanguageModel.geluTanh(value)
    case .addToOutput: previous() + value
    case .addScaled(let factor): previous().addingProduct(value, factor)
    }
  }
}

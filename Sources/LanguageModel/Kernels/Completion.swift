/// What is done with the sums of a product when they are complete.
enum Completion {
  /// output = sum + bias
  case store
  /// output = gelu(sum + bias)
  case gelu
  /// output = output + (sum + bias)
  case addToOutput

  /// Turns 16 sums, or the first `count` of them, into outputs.
  ///
  /// - Parameter bias: nil where there is none; else padded to whole vectors.
  @inline(__always)
  func complete(
    _ sum: Lanes, bias: UnsafeMutablePointer<Float>?, _ output: UnsafeMutablePointer<Float>, count: Int
  ) {
    let value = bias.map { sum + Float.load($0) } ?? sum
    if count >= laneCount {
      LanguageModel.store(completed(value, Float.load(output)), output)
    } else {
      let result = completed(value, Float.load(UnsafeRawPointer(output), first: count))
      for lane in 0..<count { output[lane] = result[lane] }
    }
  }

  @inline(__always)
  private func completed(_ value: Lanes, _ previous: @autoclosure () -> Lanes) -> Lanes {
    switch self {
    case .store: value
    case .gelu: LanguageModel.gelu(value)
    case .addToOutput: previous() + value
    }
  }
}

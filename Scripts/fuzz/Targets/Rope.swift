import Checkpoint
import LanguageModel
import Numerics
import Platform

extension FuzzTarget {
  /// Numbers as angles, and as RoPE parameters in config.json: accepted parameters give valid sines and cosines at
  /// every position.
  ///
  /// The input: the kind of scaling, the position in three bytes, the head dimension, then float64 numbers: base,
  /// factor, low_freq_factor, high_freq_factor, and frequency factors.
  static let rope = FuzzTarget("rope", longestInput: 200) { [folder = ScratchFolder()] input in
    guard input.count >= 5 else { return }
    let numbers = UnsafeBufferPointer(rebasing: input[5...]).loaded(as: UInt64.self).map { Double(bitPattern: $0) }
    for number in numbers {
      let (sine, cosine) = sineAndCosine(number)
      let isAngle = abs(number) < 0x1p26 * 1.57079
      try expect(isAngle ? isPoint(sine, cosine) : isPoint(sine, cosine) || sine.isNaN && cosine.isNaN, "at \(number)")
    }
    let finite = numbers.filter(\.isFinite)
    guard finite.count >= 4 else { return }
    let position = (Int(input[1]) << 16 | Int(input[2]) << 8 | Int(input[3])) % contextLength
    let headDim = 2 + 2 * Int(input[4] & 31)
    let kind = ["default", "linear", "llama3"][Int(input[0] % 3)]
    folder.write(
      "config.json",
      """
      {"model_type":"llama","hidden_size":\(headDim),"num_attention_heads":1,"num_key_value_heads":1,
       "max_position_embeddings":\(contextLength),"rope_theta":\(finite[0]),"rope_scaling":{"rope_type":"\(kind)",
       "factor":\(finite[1]),"low_freq_factor":\(finite[2]),"high_freq_factor":\(finite[3])}}
      """)
    let files = ModelLocation(folder: Path(folder.path))
    guard case .llama(let c)? = try? ModelConfiguration(ModelFiles(files)) else { return }
    try check(RoPE(c.rope, headDim: headDim), headDim, at: position)

    let frequencyFactors = finite[1...].map { Float($0) }.filter {
      $0.isFinite && $0 >= Float(RoPEConfiguration.leastFrequencyFactor)
    }
    guard !frequencyFactors.isEmpty else { return }
    let embedding = RoPEConfiguration(base: c.rope.base, scaling: .frequencyFactors, pairing: .interleaved)
    let repeated = (0..<headDim / 2).map { frequencyFactors[$0 % frequencyFactors.count] }
    try check(RoPE(embedding, headDim: headDim, frequencyFactors: repeated), headDim, at: position)
  }
}

/// The greatest context length that is accepted.
private let contextLength = 1 << 20

/// Checks the cosine-sine table at a position and at the last one.
private func check(_ rope: RoPE, _ headDim: Int, at position: Int) throws {
  var row = [Float](repeating: .nan, count: headDim)
  for position in [position, contextLength - 1] {
    row.withUnsafeMutableBufferPointer { row in
      if let start = row.baseAddress { rope.writeCosSin(ofPosition: position, into: start) }
    }
    for pair in 0..<headDim / 2 {
      let (cosine, sine) = (Double(row[pair]), Double(row[pair + headDim / 2]))
      try expect(isPoint(sine, cosine), "cosine \(cosine) and sine \(sine) at position \(position)")
    }
  }
}

/// Returns true if the point is on the unit circle.
private func isPoint(_ sine: Double, _ cosine: Double) -> Bool { abs(sine * sine + cosine * cosine - 1) < 1e-6 }

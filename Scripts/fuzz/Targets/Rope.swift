import Checkpoint
import LanguageModel
import Numerics
import Platform

extension FuzzTarget {
  /// Numbers as angles, and as RoPE parameters in config.json: accepted parameters give valid sines and cosines at
  /// every position.
  ///
  /// The input: the kind of scaling, the position in three bytes, the head dimension, then float64 numbers: base,
  /// factor, low_freq_factor or beta_slow, high_freq_factor or beta_fast, and frequency factors.
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
    let kind = ["default", "linear", "llama3", "yarn", "longrope", "dynamic"][Int(input[0] % 6)]
    let isDirect = kind == "longrope" || kind == "dynamic"  // not implemented for this model_type
    folder.write(
      "config.json",
      """
      {"model_type":"llama","hidden_size":\(headDim),"num_attention_heads":1,"num_key_value_heads":1,
       "max_position_embeddings":\(contextLength),"rope_theta":\(finite[0]),
       "rope_scaling":{"rope_type":"\(isDirect ? "linear" : kind)","factor":\(finite[1]),
       "low_freq_factor":\(finite[2]),"high_freq_factor":\(finite[3]),"beta_slow":\(finite[2]),
       "beta_fast":\(finite[3]),"truncate":\(input[0] >= 128),"original_max_position_embeddings":\(position + 1)}}
      """)
    let files = ModelLocation(folder: Path(folder.path))
    guard let configuration = try? ModelDefinition(ModelFiles(files)).shape.ropes.first else { return }
    if !isDirect { try check(configuration, at: position) }

    let frequencyFactors = finite[1...].map { Float($0) }.filter {
      $0.isFinite && $0 >= Float(RoPEConfiguration.leastFrequencyFactor)
    }
    guard !frequencyFactors.isEmpty else { return }
    let repeated = (0..<headDim / 2).map { frequencyFactors[$0 % frequencyFactors.count] }
    if kind == "dynamic" {
      guard headDim > 2 else { return }
      let scaling = RoPEConfiguration.Dynamic(
        factor: Double(frequencyFactors[0]), originalContextLength: position + 1)
      try check(
        RoPEConfiguration(base: configuration.base, rotaryDim: headDim, scaling: .dynamic(scaling)), at: position)
    } else if kind == "longrope" {
      let scaling = RoPEConfiguration.LongRoPE(
        shortFactors: repeated, longFactors: repeated.reversed(), originalContextLength: position + 1)
      try check(
        RoPEConfiguration(base: configuration.base, rotaryDim: headDim, scaling: .longRoPE(scaling)), at: position)
    } else {
      let embedding = RoPEConfiguration(
        base: configuration.base, rotaryDim: headDim, scaling: .frequencyFactors, pairing: .interleaved)
      try check(embedding, frequencyFactors: [repeated], at: position)
    }
  }
}

/// The greatest context length that is accepted.
private let contextLength = 1 << 20

/// Checks the cosine-sine table at a position and at the last one, with the variants of all lengths up to a few more.
private func check(_ embedding: RoPEConfiguration, frequencyFactors: [[Float]] = [], at position: Int) throws {
  let rope = RoPE(embedding, frequencyFactors: frequencyFactors)
  let pairs = rope.rotaryDim / 2
  var row = [Float](repeating: .nan, count: rope.rotaryDim)
  for position in [position, contextLength - 1] {
    for length in [position + 1, position + 2, contextLength] {
      row.withUnsafeMutableBufferPointer { row in
        guard let start = row.baseAddress else { return }
        rope.writeCosSin(ofPosition: position, variant: rope.variant(ofLength: length), into: start)
      }
      for pair in 0..<pairs {
        let (cosine, sine) = (Double(row[pair]), Double(row[pair + pairs]))
        let factor = embedding.attentionFactor
        try expect(
          isPoint(sine / factor, cosine / factor), "cosine \(cosine) and sine \(sine) at position \(position)")
      }
    }
  }
}

/// Returns true if the point is on the unit circle.
private func isPoint(_ sine: Double, _ cosine: Double) -> Bool { abs(sine * sine + cosine * cosine - 1) < 1e-6 }

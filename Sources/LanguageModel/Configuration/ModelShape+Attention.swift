import Checkpoint
import JSON

extension ModelShape {
  /// Reads the RoPE that all layers use.
  ///
  /// - Parameters:
  ///   - spelling: the names at the top level of `config.json`, and the defaults.
  ///   - pairing: the elements of a head that form a pair in GGUF files.
  mutating func readRoPE(
    _ c: ConfigurationReader, _ spelling: RoPEConfiguration.Spelling = .init(),
    ggufPairing pairing: RoPEConfiguration.Pairing = .neox
  ) throws(CheckpointError) {
    setRoPEs([try rope(c, spelling, ggufPairing: pairing)])
    for layer in 0..<layers { attention[layer].rope = 0 }
  }

  /// Sets the kinds of RoPE. Dynamic scaling extends the context: `max_position_embeddings` is the original length.
  private mutating func setRoPEs(_ ropes: [RoPEConfiguration]) {
    self.ropes = ropes
    for case .dynamic(let scaling) in ropes.map(\.scaling) {
      contextLength = Int(min(Double(sizeLimit), max(Double(contextLength), Double(contextLength) * scaling.factor)))
    }
  }

  /// Sets one RoPE for the layers with full attention and one for those with windows.
  mutating func setRoPEs(full: RoPEConfiguration, windows: RoPEConfiguration) {
    setRoPEs([full, windows])
    for layer in 0..<layers { attention[layer].rope = attention[layer].window == nil ? 0 : 1 }
  }

  /// Reads a RoPE.
  ///
  /// - Parameters:
  ///   - layerType: the name in `config.json` of the type of the layers that use it, for a family whose types of layers
  ///     differ.
  ///   - isScaled: false for the layers of a GGUF file whose frequencies are not scaled.
  func rope(
    _ c: ConfigurationReader, _ spelling: RoPEConfiguration.Spelling, layerType: String? = nil,
    ggufPairing pairing: RoPEConfiguration.Pairing = .neox, ggufBase: String = "freq_base", isScaled: Bool = true
  ) throws(CheckpointError) -> RoPEConfiguration {
    switch c.source {
    case .json(let file, _):
      return try RoPEConfiguration(
        file, headDim: headDim, contextLength: contextLength, layerType: layerType, spelling: spelling)
    case .gguf(let gguf):
      var tensors: RoPEConfiguration.FactorTensors = []
      if try c.hasTensor(named: RoPEConfiguration.frequencyFactors) { tensors.insert(.common) }
      if try c.hasTensor(named: RoPEConfiguration.longFactors) { tensors.insert(.longRoPE) }
      return try RoPEConfiguration(
        gguf, prefix: c.modelType, headDim: headDim, contextLength: contextLength, pairing: pairing,
        factorTensors: tensors, baseKey: ggufBase, defaultBase: spelling.defaultBase, isScaled: isScaled,
        roundsUpOddParts: spelling.roundsUpOddParts)
    }
  }

  /// Sets the attention windows of the layers. `layer_types` in `config.json` names the layers with windows.
  ///
  /// - Parameters:
  ///   - window: the size of the windows; nil if no layer has one.
  ///   - period: every `period`-th layer has full attention, in GGUF files unless they have the pattern; 0 if all
  ///     layers have windows.
  ///   - first: the first layer with a window.
  mutating func setWindows(_ c: ConfigurationReader, _ window: Int?, fullEach period: Int = 0, from first: Int = 0)
    throws(CheckpointError)
  {
    try setWindows(
      c, window, isSliding: (0..<layers).map { $0 >= first && (period == 0 || ($0 + 1) % period != 0) })
  }

  /// Sets the attention windows of the layers.
  ///
  /// - Parameter isSliding: the layers with windows, unless the files list them.
  mutating func setWindows(_ c: ConfigurationReader, _ window: Int?, isSliding: [Bool]) throws(CheckpointError) {
    let isSliding = try slidingLayers(c) ?? isSliding
    guard let window else { return }
    for layer in 0..<layers where isSliding[layer] { attention[layer].window = window }
  }

  /// Returns whether each layer has a window, or nil if the files do not list the layers.
  private func slidingLayers(_ c: ConfigurationReader) throws(CheckpointError) -> [Bool]? {
    if let gguf = c.gguf {
      let name = c.key("attention.sliding_window_pattern")
      guard gguf.isArray(name), let pattern = try gguf.booleans(name) else { return nil }
      guard pattern.count >= layers else {
        throw c.refuse("\(name) has \(pattern.count) elements, but the model has \(layers) layers")
      }
      return pattern
    }
    let (sliding, full) = ("sliding_attention", "full_attention")
    guard let types = try c.json?.strings("layer_types") else { return nil }
    if let other = types.first(where: { $0 != sliding && $0 != full }) {
      throw c.refuse("layer_types \"\(excerpt(other))\" is not implemented; \(full) and \(sliding) are")
    }
    guard types.count >= layers else {
      throw c.refuse("layer_types has \(types.count) elements, but the model has \(layers) layers")
    }
    return types.map { $0 == sliding }
  }
}

import Checkpoint
import JSON
import Threads

/// Looks up the tensors of a model by their names in safetensors and in GGUF, and checks their shapes.
///
/// A family's initializer requests each of its tensors once. `finish` then reads the files ahead, fills the vectors,
/// and rejects GGUF files with other tensors.
struct WeightLoader {
  private let table: WeightTable
  /// The prefixes of the names: empty, or those of a layer.
  private let prefix: (json: String, gguf: String)

  private init(_ table: WeightTable, _ prefix: (json: String, gguf: String)) {
    (self.table, self.prefix) = (table, prefix)
  }

  /// - Throws: `CheckpointError` if two tensors have the same name, or if a tensor belongs to a layer beyond the last.
  init(_ checkpoint: Checkpoint, _ names: FamilyNames, _ shape: ModelShape) throws(CheckpointError) {
    self.init(try WeightTable(checkpoint, names, shape), ("", ""))
  }

  /// True if the tensors are from a GGUF file. llama.cpp's converter changes some tensors.
  var isGGUF: Bool { table.checkpoint.location.isFile }

  /// Returns a loader for the tensors of a layer.
  func layer(_ index: Int) -> WeightLoader {
    WeightLoader(table, ("\(table.names.layers).\(index).", "blk.\(index)."))
  }

  /// Returns whether the files have a tensor.
  func has(_ name: String, gguf: String) -> Bool { table.find(stored(name, gguf)) != nil }

  private func stored(_ name: String, _ gguf: String) -> String { isGGUF ? prefix.gguf + gguf : prefix.json + name }

  // MARK: tensors

  /// Returns a matrix.
  ///
  /// - Parameters:
  ///   - name: the name in safetensors without `.weight`, and without the prefixes of the family and of the layer.
  ///   - gguf: the name in GGUF without `.weight`, and without the layer's prefix; empty for a family of which
  ///     llama.cpp writes no files.
  /// - Throws: `CheckpointError` if the tensor is missing, has another shape, or has a type that the kernels do not
  ///   support.
  func matrix(_ name: String, gguf: String = "", rows: Int, columns: Int) throws(CheckpointError) -> WeightMatrix {
    WeightMatrix(try table.tensor(stored(name, gguf) + ".weight", [rows, columns]))
  }

  /// Returns a vector. Its numbers are zero until `finish` is called.
  ///
  /// - Parameters:
  ///   - name: the name in safetensors, with `.weight` or `.bias`.
  ///   - gguf: the name in GGUF, with `.weight` or `.bias`, or empty.
  ///   - shape: the shape of the tensor, whose elements become one vector.
  ///   - offset: a number that is added to each element.
  func vector(_ name: String, gguf: String = "", _ shape: [Int], adding offset: Float = 0) throws(CheckpointError)
    -> WeightVector
  {
    try table.vector(stored(name, gguf), shape, adding: offset)
  }

  /// Returns a linear layer.
  ///
  /// - Parameter layout: the layout in safetensors. Matrices in GGUF are [out, in].
  func linear(
    _ name: String, gguf: String, _ inputs: Int, _ outputs: Int, hasBias: Bool = false,
    layout: Linear.Layout = .outputsByInputs
  ) throws(CheckpointError) -> Linear {
    let layout = isGGUF ? .outputsByInputs : layout
    let (rows, columns) = layout == .outputsByInputs ? (outputs, inputs) : (inputs, outputs)
    return Linear(
      weight: try matrix(name, gguf: gguf, rows: rows, columns: columns), layout: layout,
      bias: hasBias ? try vector(name + ".bias", gguf: gguf + ".bias", [outputs]) : nil)
  }

  /// Returns the projections of queries, keys and values: `q_proj`, `k_proj` and `v_proj`.
  ///
  /// - Parameter parent: the first components of their names.
  func queryKeyValue(_ parent: String) throws(CheckpointError) -> [Linear] {
    let s = table.shape
    let hasBias = s.biases.contains(.queryKeyValue)
    let (queries, keys) = (s.heads * s.headDim, s.kvHeads * s.headDim)
    return [
      try linear("\(parent).q_proj", gguf: "attn_q", s.width, queries, hasBias: hasBias),
      try linear("\(parent).k_proj", gguf: "attn_k", s.width, keys, hasBias: hasBias),
      try linear("\(parent).v_proj", gguf: "attn_v", s.width, keys, hasBias: hasBias),
    ]
  }

  /// Returns the output projection of attention.
  func attentionOutput(_ name: String) throws(CheckpointError) -> Linear {
    let s = table.shape
    return try linear(
      name, gguf: "attn_output", s.heads * s.headDim, s.width, hasBias: s.biases.contains(.attentionOutput))
  }

  /// Returns a linear layer from the width of the model to that of the feed-forward layer.
  func up(_ name: String, gguf: String = "ffn_up") throws(CheckpointError) -> Linear {
    let s = table.shape
    return try linear(name, gguf: gguf, s.width, s.ffnWidth, hasBias: s.biases.contains(.feedForward))
  }

  /// Returns the linear layers of the gates and ups: `gate_proj` and `up_proj`.
  func gateUp() throws(CheckpointError) -> [Linear] {
    [try up("mlp.gate_proj", gguf: "ffn_gate"), try up("mlp.up_proj")]
  }

  /// Returns a linear layer of all queries, then all keys, then all values.
  func fusedQueryKeyValue(_ name: String) throws(CheckpointError) -> Linear {
    let s = table.shape
    return try linear(name, gguf: "attn_qkv", s.width, s.qkvWidth, hasBias: s.biases.contains(.queryKeyValue))
  }

  /// Returns the linear layers of queries, keys and values that are fused in one tensor. In safetensors its rows are
  /// those of one group of heads after the other: the queries of the heads that share a key, the key, the value
  /// (Megatron-LM). llama.cpp's converter reorders them to queries, keys, values.
  func groupedQueryKeyValue(_ name: String) throws(CheckpointError) -> [Linear] {
    let (s, fused) = (table.shape, try fusedQueryKeyValue(name))
    return isGGUF
      ? [fused] : fused.split(groups: s.kvHeads, sizes: [s.heads / s.kvHeads * s.headDim, s.headDim, s.headDim])
  }

  /// Returns the linear layer from the width of the feed-forward layer to that of the model.
  func down(_ name: String) throws(CheckpointError) -> Linear {
    let s = table.shape
    return try linear(name, gguf: "ffn_down", s.ffnWidth, s.width, hasBias: s.biases.contains(.feedForward))
  }

  /// Returns a layer normalization.
  ///
  /// - Parameters:
  ///   - width: the number of weights; by default the width of the model.
  ///   - hasBias: false for a norm without bias.
  func layerNorm(_ name: String, gguf: String = "", width: Int? = nil, hasBias: Bool = true) throws(CheckpointError)
    -> LayerNorm
  {
    let width = width ?? table.shape.width
    return LayerNorm(
      weight: try vector(name + ".weight", gguf: gguf + ".weight", [width]),
      bias: hasBias ? try vector(name + ".bias", gguf: gguf + ".bias", [width]) : .zeros(width),
      epsilon: table.shape.normEpsilon)
  }

  /// Returns a layer normalization without weights and bias.
  func plainLayerNorm() -> LayerNorm {
    let width = table.shape.width
    return LayerNorm(weight: .ones(width), bias: .zeros(width), epsilon: table.shape.normEpsilon)
  }

  /// Returns a root-mean-square norm.
  ///
  /// - Parameters:
  ///   - width: the number of weights; by default the width of the model.
  ///   - offset: a number that is added to each weight in safetensors. llama.cpp's converter adds it.
  func rmsNorm(_ name: String, gguf: String, width: Int? = nil, adding offset: Float = 0) throws(CheckpointError)
    -> RMSNorm
  {
    RMSNorm(
      weight: try vector(
        name + ".weight", gguf: gguf + ".weight", [width ?? table.shape.width], adding: isGGUF ? 0 : offset),
      epsilon: table.shape.normEpsilon)
  }

  /// Returns the norms of queries and keys of each head, `q_norm` and `k_norm`: one for all heads.
  ///
  /// - Parameter offset: as for `rmsNorm`.
  func queryKeyNorms(adding offset: Float = 0) throws(CheckpointError) -> QueryKeyNorms<RMSNorm> {
    let headDim = table.shape.headDim
    return .perHead(
      query: [try rmsNorm("self_attn.q_norm", gguf: "attn_q_norm", width: headDim, adding: offset)],
      key: [try rmsNorm("self_attn.k_norm", gguf: "attn_k_norm", width: headDim, adding: offset)])
  }

  /// Returns the norms of queries and keys with a layer normalization without bias for each head, `q_norm` and
  /// `k_norm`.
  ///
  /// - Parameters:
  ///   - suffix: the end of the names in safetensors: `norm`, or `layernorm` for `q_layernorm`.
  ///   - isSplit: true if safetensors have a vector for each head, `norms.0`, `norms.1` and so on, instead of one
  ///     matrix (heads, headDim). GGUF files have a matrix.
  func queryKeyLayerNorms(_ suffix: String, isSplit: Bool) throws(CheckpointError) -> QueryKeyNorms<LayerNorm> {
    let s = table.shape
    func norms(_ letter: String, _ heads: Int) throws(CheckpointError) -> [LayerNorm] {
      let name = "self_attn.\(letter)_\(suffix)"
      var weights: [WeightVector] = []
      if isSplit, !isGGUF {
        for head in 0..<heads { weights.append(try vector("\(name).norms.\(head).weight", [s.headDim])) }
      } else {
        let all = try vector("\(name).weight", gguf: "attn_\(letter)_norm.weight", [heads, s.headDim])
        weights = (0..<heads).map { all.part($0 * s.headDim..<($0 + 1) * s.headDim) }
      }
      return weights.map { LayerNorm(weight: $0, bias: .zeros(s.headDim), epsilon: s.normEpsilon) }
    }
    return .perHead(query: try norms("q", s.heads), key: try norms("k", s.kvHeads))
  }

  /// Returns the token embedding (vocabulary, width).
  func tokenEmbedding(_ name: String) throws(CheckpointError) -> WeightMatrix {
    let s = table.shape
    let tensor = try table.tensor(stored(name, "token_embd") + ".weight", [s.vocabularySize, s.width])
    table.embedding = tensor
    return WeightMatrix(tensor)
  }

  /// Returns the output head: its own matrix if the files have one, or else the token embedding if the two are tied.
  ///
  /// - Parameters:
  ///   - embedding: the token embedding.
  ///   - name: the name in safetensors.
  func outputHead(_ embedding: WeightMatrix, _ name: String = "lm_head") throws(CheckpointError) -> Linear {
    let s = table.shape
    let stored = stored(name, "output") + ".weight"
    let bias =
      s.biases.contains(.head) ? try vector(name + ".bias", gguf: "output.bias", [s.vocabularySize]) : nil
    guard table.find(stored) != nil || !s.tiesEmbeddings else { return Linear(weight: embedding, bias: bias) }
    let tensor = try table.tensor(stored, [s.vocabularySize, s.width])
    table.head = tensor
    return Linear(weight: WeightMatrix(tensor), bias: bias)
  }

  /// Returns the tables of RoPE, one for each element of ``ModelShape/ropes``.
  ///
  /// - Throws: `CheckpointError` if the tensor of the frequency factors is missing, or if a factor is not finite or is
  ///   too small.
  func ropes() throws(CheckpointError) -> [RoPE] {
    var ropes: [RoPE] = []
    for configuration in table.shape.ropes {
      var factors: [[Float]] = []
      for name in configuration.frequencyFactorTensors {
        factors.append(try frequencyFactors(name, count: configuration.rotaryDim / 2))
      }
      ropes.append(RoPE(configuration, frequencyFactors: factors))
    }
    return ropes
  }

  /// Returns divisors of the frequencies of RoPE, which llama.cpp's converter writes.
  private func frequencyFactors(_ name: String, count: Int) throws(CheckpointError) -> [Float] {
    let tensor = try table.tensor(name, [count], isWeight: false)
    let factors = WeightVector(tensor).array
    for (index, factor) in factors.enumerated() {
      guard factor.isFinite, Double(factor) >= RoPEConfiguration.leastFrequencyFactor else {
        throw .unusable(
          file: tensor.file.path,
          reason: "\"\(tensor.name)\"[\(index)] is \(factor); it must be finite and at least "
            + "\(RoPEConfiguration.leastFrequencyFactor)")
      }
    }
    return factors
  }

  // MARK: after all tensors have been requested

  /// Reads the requested tensors from the disk if they are not in memory yet, maps them, and fills the vectors. Unused
  /// tensors, such as masks, are not read: a sparse file can contain unused tensors of any size.
  ///
  /// - Throws: `CheckpointError` if a GGUF file has a tensor that was not requested, as in llama.cpp: it would belong
  ///   to a feature that is not implemented.
  func finish(_ pool: ThreadPool) throws(CheckpointError) {
    try table.rejectUnusedTensors()
    // Before any weight is read, because scattered reads do not get large pages
    table.used.readAhead { chunks, body in pool.run(chunks, cost: chunks << 23, body) }
    table.fillVectors()
  }

  /// Returns the tensor that `tokenEmbedding` has returned as a matrix.
  ///
  /// - Precondition: the family has requested it, as all families do.
  func requestedEmbedding() throws(CheckpointError) -> Tensor {
    try table.rejectUnusedTensors()
    guard let embedding = table.embedding else { preconditionFailure("the family has no token embedding") }
    return embedding
  }

  /// Returns the weights of the model, without duplicates. An output head that is a copy of the token embedding is a
  /// duplicate.
  ///
  /// - Throws: as `finish`.
  func weights() throws(CheckpointError) -> [Tensor] {
    try table.rejectUnusedTensors()
    guard let head = table.head, let embedding = table.embedding, head.name != embedding.name,
      head.bytes.elementsEqual(embedding.bytes)
    else { return table.weights }
    return table.weights.filter { $0.name != head.name }
  }
}

import Checkpoint

extension ModelShape {
  /// The names of the sizes in `config.json`. The first name of a size that is present is read, and the last one is the
  /// family's own. transformers accepts the names of `standard` for some sizes of the families that have others
  /// (`attribute_map`), and prefers them, whatever the order in the file.
  struct SizeNames {
    var vocabulary = ["vocab_size"]
    var context = ["max_position_embeddings"]
    var layers = ["num_hidden_layers"]
    var width = ["hidden_size"]
    var heads = ["num_attention_heads"]
    /// Empty for the number of query heads.
    var kvHeads = ["num_key_value_heads"]
    /// Empty for families whose heads have the dimension width / heads.
    var headDim = ["head_dim"]
    /// Empty for four times the width.
    var ffn = ["intermediate_size"]

    static let standard = SizeNames()
    /// The names of GPT-2 and of the families that continue its code.
    static let gpt2 = SizeNames(
      context: ["max_position_embeddings", "n_positions"], layers: ["num_hidden_layers", "n_layer"],
      width: ["hidden_size", "n_embd"], heads: ["num_attention_heads", "n_head"], kvHeads: [], headDim: [],
      ffn: ["n_inner"])
  }

  /// The values that transformers uses if `config.json` has none.
  struct Defaults {
    var vocabulary: Int
    var context: Int
    var layers: Int
    var width: Int
    var heads: Int
    /// Nil for the number of query heads.
    var kvHeads: Int?
    /// Nil for the width divided by the number of heads.
    var headDim: Int?
    /// Nil for four times the width.
    var ffn: Int?
    var tiesEmbeddings = true
    var eosTokenIDs: [Int]
  }

  /// Reads the sizes of a model, its end-of-sequence tokens and whether its embeddings are tied. The other settings are
  /// those of a plain transformer: SiLU, full attention, dot products divided by the square root of the head dimension.
  init(_ c: ConfigurationReader, _ defaults: Defaults, names: SizeNames = .standard) throws(CheckpointError) {
    try c.refuseUnsupportedFeatures()
    modelType = c.modelType
    if let gguf = c.gguf {
      vocabularySize = try gguf.vocabularySize()
    } else {
      vocabularySize = try c.size(names.vocabulary, gguf: "vocab_size", default: defaults.vocabulary)
    }
    contextLength = try c.size(names.context, gguf: "context_length", default: defaults.context)
    layers = try c.size(names.layers, gguf: "block_count", default: defaults.layers, limit: layerLimit)
    width = try c.size(names.width, gguf: "embedding_length", default: defaults.width)
    heads = try c.size(names.heads, gguf: "attention.head_count", default: defaults.heads)
    if names.ffn.isEmpty {
      ffnWidth = 4 * width
    } else {
      ffnWidth = try c.size(names.ffn, gguf: "feed_forward_length", default: defaults.ffn ?? 4 * width)
    }
    if names.kvHeads.isEmpty {
      kvHeads = heads
    } else {
      // transformers takes null for the number of query heads.
      let isNull = c.json.map { file in names.kvHeads.contains(where: file.isNull) } ?? false
      kvHeads = try c.size(
        names.kvHeads, gguf: "attention.head_count_kv", default: isNull ? heads : defaults.kvHeads ?? heads,
        ggufDefault: heads)
    }
    let headsName = c.name(names.heads, gguf: "attention.head_count")
    headDim = try Self.headDim(c, width: width, heads: heads, names, headsName, defaults.headDim)
    guard heads % kvHeads == 0 else {
      throw c.refuse(
        "\(headsName) (\(heads)) is not a multiple of \(c.name(names.kvHeads, gguf: "attention.head_count_kv")) (\(kvHeads))"
      )
    }
    guard heads * headDim <= sizeLimit else {
      throw c.refuse("the total width of the heads is \(heads * headDim); must be from 1 to \(sizeLimit)")
    }
    normEpsilon = 1e-5
    activation = .silu
    attention = Array(
      repeating: AttentionSettings(scale: 1 / Float(headDim).squareRoot()), count: layers)
    if let scale = try c.number(gguf: "attention.scale"), scale != 0 {
      guard Float(scale) > 0 else { throw c.refuse("\(c.key("attention.scale")) is \(scale); must be positive") }
      for layer in 0..<layers { attention[layer].scale = Float(scale) }
    }
    tiesEmbeddings = try c.tiesEmbeddings(default: defaults.tiesEmbeddings)
    eosTokenIDs = try c.eosTokenIDs(default: defaults.eosTokenIDs)
  }

  /// Returns the head dimension: the one in the files, or else the model's width divided by the number of heads.
  private static func headDim(
    _ c: ConfigurationReader, width: Int, heads: Int, _ names: SizeNames, _ headsName: String, _ value: Int?
  ) throws(CheckpointError) -> Int {
    let (keyLength, valueLength) = ("attention.key_length", "attention.value_length")
    let isGiven = c.json.map { names.headDim.contains(where: $0.has) } ?? c.gguf?.has(c.key(keyLength)) ?? false
    let headDim: Int
    if !names.headDim.isEmpty, isGiven || value != nil && c.json != nil {
      headDim = try c.size(names.headDim, gguf: keyLength, default: value)
    } else {
      guard width % heads == 0 else {
        throw c.refuse(
          "\(c.name(names.width, gguf: "embedding_length")) (\(width)) is not a multiple of \(headsName) (\(heads))")
      }
      headDim = width / heads
    }
    for name in [keyLength, valueLength] {
      guard let other = try c.gguf?.integer(c.key(name)), other != headDim else { continue }
      throw c.refuse("\(c.key(name)) \(other) is not implemented; only the head dimension, \(headDim), is")
    }
    return headDim
  }
}

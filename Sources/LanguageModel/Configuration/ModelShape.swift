/// The sizes and settings of a model: all that the shared parts of the forward pass and `lm-info` need. A family fills
/// it from the hyperparameters of its files (``ModelFamily/shape(_:)``).
public struct ModelShape: Sendable {
  /// The `model_type` in `config.json`, such as `gpt2` or `qwen2`; for a GGUF file, its architecture.
  public var modelType: String
  public var vocabularySize: Int
  /// The maximum number of positions.
  public var contextLength: Int
  public var layers: Int
  public var width: Int
  /// The number of query heads.
  public var heads: Int
  /// The number of key-value heads, each shared by `heads / kvHeads` query heads (grouped-query attention).
  public var kvHeads: Int
  /// The dimension of an attention head. `heads * headDim` can differ from `width`.
  public var headDim: Int
  /// The width of the feed-forward layer.
  public var ffnWidth: Int

  public var norm = NormKind.rmsNorm
  /// The epsilon of all norms.
  public var normEpsilon: Float
  /// The norms of queries and keys.
  public var queryKeyNorm = QueryKeyNorm.none
  public var activation: Activation
  /// True if the activations are factors of the outputs of another linear layer (SwiGLU, GeGLU).
  public var isGated = false
  /// The linear layers that have biases.
  public var biases: Biases = []
  /// The attention of each layer.
  public var attention: [AttentionSettings]
  /// The kinds of RoPE that the layers use. Empty for learned positions and ALiBi.
  public var ropes: [RoPEConfiguration] = []

  /// True if attention and the feed-forward layer of a block have the same input (Wang and Komatsuzaki, "GPT-J-6B",
  /// 2021).
  public var hasParallelResidual = false
  /// True if attention and the feed-forward layer, whose inputs are parallel, have a norm each (Falcon-40b).
  public var hasParallelNorms = false
  /// True if the residual connections add the output of the norms instead of their input (BLOOM).
  public var residualFollowsNorm = false
  /// True if attention and the feed-forward layer have a norm before and a norm after them (Gemma 2).
  public var hasSandwichNorms = false
  /// True if the norms follow attention and the feed-forward layer instead of preceding them (OLMo 2).
  public var normsFollow = false
  /// False if no norm precedes the output head (some conversions of OPT).
  public var hasFinalNorm = true
  /// False if the norms have no weights and biases (OPT).
  public var normsHaveWeights = true
  /// The bound of the magnitudes of queries, keys and values (OLMo); nil for none.
  public var queryKeyValueLimit: Float?
  /// The factor of the embeddings.
  public var embeddingScale: Float = 1
  /// The factor of the outputs of attention and of the feed-forward layer before they are added to the residual stream.
  public var residualScale: Float = 1
  /// The factor of the logits.
  public var logitScale: Float = 1
  /// Logits become `logitSoftcap · tanh(logit / logitSoftcap)`, after the factor.
  public var logitSoftcap: Float?

  /// True if the output head is the token embedding, unless the files have an output head.
  public var tiesEmbeddings: Bool
  /// The end-of-sequence tokens; may be empty.
  public var eosTokenIDs: [Int]

  /// The kind of all norms but those of queries and keys.
  public enum NormKind: String, Sendable {
    case layerNorm = "layer_norm"
    case rmsNorm = "rms_norm"
  }

  /// The linear layers of a block, for their biases.
  public struct Biases: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let queryKeyValue = Biases(rawValue: 1)
    public static let attentionOutput = Biases(rawValue: 2)
    public static let feedForward = Biases(rawValue: 4)
    /// The output head.
    public static let head = Biases(rawValue: 8)
  }

  /// The norms of queries and keys before RoPE.
  public enum QueryKeyNorm: String, Sendable {
    case none
    /// Each head has a norm.
    case perHead = "per_head"
    /// One norm covers all heads.
    case allHeads = "all_heads"
  }

  /// The width of the queries, keys and values of one position.
  var qkvWidth: Int { (heads + 2 * kvHeads) * headDim }
}

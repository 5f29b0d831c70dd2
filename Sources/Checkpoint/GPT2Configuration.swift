import JSON
import Platform

/// What `config.json` says of a GPT-2 model, under the names it has there (transformers, `GPT2Config`).
public struct GPT2Configuration: Sendable {
  public private(set) var modelType = ""
  public private(set) var vocabularySize = 50257
  public private(set) var n_positions = 1024
  public private(set) var n_embd = 768
  public private(set) var n_layer = 12
  public private(set) var n_head = 12
  /// Width of the feed-forward layer; `null` in the file means four times `n_embd`.
  public var n_inner: Int { declaredInner ?? 4 * n_embd }
  private var declaredInner: Int?
  public private(set) var layerNormEpsilon: Float = 1e-5
  public private(set) var scalesAttention = true
  public private(set) var scalesAttentionByLayer = false
  public private(set) var tiesEmbeddings = true
  /// The tokens that end a text: none, one or several.
  public private(set) var endOfTextTokens: [Int] = []

  /// The tensors of the model and their shapes, under the names they have in a checkpoint (without `transformer.`).
  /// GPT-2's `Conv1D` keeps its weights as [in, out]. `lm_head.weight` need not be there where embeddings are tied.
  public var tensorShapes: [String: [Int]] {
    var shapes = [
      "wte.weight": [vocabularySize, n_embd], "wpe.weight": [n_positions, n_embd],
      "ln_f.weight": [n_embd], "ln_f.bias": [n_embd], "lm_head.weight": [vocabularySize, n_embd],
    ]
    for layer in 0..<n_layer {
      for norm in ["ln_1", "ln_2"] {
        shapes["h.\(layer).\(norm).weight"] = [n_embd]
        shapes["h.\(layer).\(norm).bias"] = [n_embd]
      }
      let maps = [
        ("attn.c_attn", n_embd, 3 * n_embd), ("attn.c_proj", n_embd, n_embd), ("mlp.c_fc", n_embd, n_inner),
        ("mlp.c_proj", n_inner, n_embd),
      ]
      for (name, inputs, outputs) in maps {
        shapes["h.\(layer).\(name).weight"] = [inputs, outputs]
        shapes["h.\(layer).\(name).bias"] = [outputs]
      }
    }
    return shapes
  }

  /// Width of one attention head.
  public var headWidth: Int { n_embd / n_head }

  public init(_ location: ModelLocation) throws(CheckpointError) {
    let path = location.configurationFile
    guard hasEntry(path) else {
      throw .notFound("\(location.folder): this folder is no model: config.json is missing or cannot be read")
    }
    let file = try mapFile(path)
    var unsupported: String?
    do { try read(file.characters, unsupported: &unsupported) } catch {
      throw .unusable(file: path, reason: "\(error)")
    }
    func refuse(_ reason: String) -> CheckpointError { .unusable(file: path, reason: reason) }
    guard modelType == "gpt2" else {
      throw refuse(
        modelType.isEmpty ? "model_type is missing" : "model_type \"\(modelType)\" is not implemented; gpt2 is")
    }
    if let unsupported { throw refuse(unsupported) }
    let sizes = [
      ("vocab_size", vocabularySize), ("n_positions", n_positions), ("n_embd", n_embd), ("n_layer", n_layer),
      ("n_head", n_head), ("n_inner", declaredInner ?? n_embd),
    ]
    for (name, size) in sizes where !(1...Self.sizeLimit).contains(size) || name == "n_layer" && size > Self.layerLimit
    {
      throw refuse("\(name) is \(size), which no model has")
    }
    guard layerNormEpsilon > 0 else { throw refuse("layer_norm_epsilon is \(layerNormEpsilon), and must be positive") }
    guard n_embd % n_head == 0 else { throw refuse("n_embd (\(n_embd)) is not a multiple of n_head (\(n_head))") }
  }

  /// Far beyond any model; products of three such sizes still fit 64 bits.
  private static let sizeLimit = 1 << 20
  /// Likewise; and a table of that many layers' tensors is still made in no time.
  private static let layerLimit = 1 << 10

  private mutating func read(_ text: UnsafeBufferPointer<UInt8>, unsupported: inout String?) throws(JSONError) {
    var scanner = JSONScanner(text)
    var found = self
    var refused: String?
    try scanner.object { (name, scanner) throws(JSONError) in
      guard try scanner.kind() != .null else { return try scanner.null() }
      switch scanner.source(name.range) {
      case "model_type": found.modelType = try scanner.swiftString()
      case "vocab_size": found.vocabularySize = try scanner.integer()
      case "n_positions": found.n_positions = try scanner.integer()
      case "n_embd": found.n_embd = try scanner.integer()
      case "n_layer": found.n_layer = try scanner.integer()
      case "n_head": found.n_head = try scanner.integer()
      case "n_inner": found.declaredInner = try scanner.integer()
      case "layer_norm_epsilon": found.layerNormEpsilon = try scanner.float()
      case "scale_attn_weights": found.scalesAttention = try scanner.boolean()
      case "scale_attn_by_inverse_layer_idx": found.scalesAttentionByLayer = try scanner.boolean()
      case "tie_word_embeddings": found.tiesEmbeddings = try scanner.boolean()
      case "eos_token_id":
        if try scanner.kind() == .array {
          try scanner.array { (scanner) throws(JSONError) in found.endOfTextTokens.append(try scanner.integer()) }
        } else {
          found.endOfTextTokens = [try scanner.integer()]
        }
      case "activation_function":
        let function = try scanner.swiftString()
        if function != "gelu_new", function != "gelu_pytorch_tanh" {  // two names of one function
          refused = "activation_function \"\(function)\" is not implemented; gelu_new is"
        }
      case "add_cross_attention":
        if try scanner.boolean() { refused = "add_cross_attention is not implemented" }
      default: _ = try scanner.skipValue()
      }
    }
    try scanner.end()
    self = found
    unsupported = refused
  }
}

import Checkpoint
import JSON

/// GPT-Neo (Black et al., "GPT-Neo: Large Scale Autoregressive Language Modeling with Mesh-Tensorflow", 2021): GPT-2
/// with sliding windows in every other layer, and with dot products that are not scaled. Properties are named after the
/// tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct GPTNeo: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [.init("GPT-Neo", type: "gpt_neo")],
    prefixes: ["transformer."], layers: "h")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var names = ModelShape.SizeNames.standard
    names.layers = ["num_hidden_layers", "num_layers"]
    names.heads = ["num_attention_heads", "num_heads"]
    (names.kvHeads, names.headDim) = ([], [])
    var s = try ModelShape(
      c, .init(vocabulary: 50257, context: 2048, layers: 24, width: 2048, heads: 16, eosTokenIDs: [50256]), names: names
    )
    try s.readLayerNorm(c, "layer_norm_epsilon")
    s.activation = try c.activation("activation_function", default: "gelu_new", gguf: .geluTanh)
    s.biases = [.attentionOutput, .feedForward]
    let window = try c.size("window_size", default: 256)
    let types = try attentionTypes(c, layers: s.layers)
    for layer in 0..<s.layers {
      s.attention[layer].scale = 1
      if types[layer] == "local" { s.attention[layer].window = window }
    }
    return s
  }

  /// Returns the type of attention of each layer, `global` or `local`. `attention_types` is a list of pairs of a list
  /// of types and the number of its repetitions: `[[["global", "local"], 12]]`.
  private static func attentionTypes(_ c: ConfigurationReader, layers: Int) throws(CheckpointError) -> [String] {
    let name = "attention_types"
    let groups =
      try c.json?.read(name) { (scanner) throws(JSONError) in
        var groups: [(types: [String], count: Int)] = []
        try scanner.array { (scanner) throws(JSONError) in
          var (types, count): ([String], Int) = ([], 1)
          try scanner.array { (scanner) throws(JSONError) in
            if try scanner.kind() == .array {
              try scanner.array { (scanner) throws(JSONError) in types.append(try scanner.swiftString()) }
            } else {
              count = try scanner.integer()
            }
          }
          groups.append((types, count))
        }
        return groups
      } ?? [(types: ["global", "local"], count: 12)]
    var types: [String] = []
    for group in groups {
      guard 0...layerLimit ~= group.count, group.types.count <= layerLimit else {
        throw c.refuse("\(name) repeats a list \(group.count) times; must be from 0 to \(layerLimit)")
      }
      guard !group.types.isEmpty, types.count <= layers else { continue }  // so that the time is limited
      for _ in 0..<group.count where types.count <= layers { types += group.types }
    }
    if let other = types.first(where: { $0 != "global" && $0 != "local" }) {
      throw c.refuse("\(name) \"\(excerpt(other))\" is not implemented; global and local are")
    }
    guard types.count == layers else {
      throw c.refuse("\(name) describes \(types.count) layers, but the model has \(layers) layers")
    }
    return types
  }

  // MARK: Tensors

  let wte: WeightMatrix  // (vocabulary, width)
  let wpe: WeightMatrix  // (contextLength, width)
  let h: [Block]
  let ln_f: LayerNorm
  let lm_head: Linear
  private let activation: Activation

  struct Block {
    let ln_1: LayerNorm
    let q_k_v_proj: [Linear]  // width to width, three times
    let out_proj: Linear  // width to width
    let ln_2: LayerNorm
    let c_fc: Linear  // width to ffn
    let c_proj: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    activation = s.activation
    wte = try w.tokenEmbedding("wte")
    wpe = try w.matrix("wpe", rows: s.contextLength, columns: s.width)
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      blocks.append(
        Block(
          ln_1: try w.layerNorm("ln_1"),
          q_k_v_proj: try w.queryKeyValue("attn.attention"),
          out_proj: try w.attentionOutput("attn.attention.out_proj"),
          ln_2: try w.layerNorm("ln_2"),
          c_fc: try w.up("mlp.c_fc"),
          c_proj: try w.down("mlp.c_proj")))
    }
    h = blocks
    ln_f = try w.layerNorm("ln_f")
    lm_head = try w.outputHead(wte)
  }

  // MARK: Forward pass

  /// x = wte[id] + wpe[position]
  func embed(_ ids: [Int], at first: Int, into x: Matrix) {
    wte.copyRows(ids, to: x)
    wpe.addRows(first..<first + ids.count, to: x)
  }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let block = h[layer]
    let qkv = pass.linear(pass.norm(x, block.ln_1), block.q_k_v_proj)  // (n, 3 · width)
    let heads = pass.attention(qkv)  // (m, width)
    let x = pass.kept(x)  // (m, width)
    pass.add(heads, block.out_proj, to: x)
    let hidden = pass.linear(pass.norm(x, block.ln_2), block.c_fc, activation)  // (m, ffn)
    pass.add(hidden, block.c_proj, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, ln_f) }
}

import Checkpoint
import LanguageModel
import Platform

/// A GPT-2 whose files have a few hundred bytes together.
let smallConfiguration =
  #"{"model_type":"gpt2","vocab_size":4,"n_positions":3,"n_embd":2,"n_layer":1,"n_head":1}"#

extension FuzzTarget {
  /// A safetensors file with a valid configuration: an accepted file has exactly the bytes that its header describes,
  /// and every tensor can be read.
  static let safetensors = FuzzTarget("safetensors", longestInput: 3000) { [folder = ScratchFolder()] input in
    folder.write("config.json", smallConfiguration)
    folder.write("model.safetensors", input)
    let files = try ModelFiles(ModelLocation(folder: Path(folder.path)))
    guard let checkpoint = try open(files) else { return }
    let headerLength = Int(input.loaded(as: UInt64.self)[0])
    guard case .object(let members) = PlainJSON(input[8..<8 + headerLength]) else {
      throw Finding(description: "accepted, but its header is not an object")
    }
    var end = 0
    for member in members where !member.name.elementsEqual("__metadata__".utf16) {
      guard let name = PlainJSON.characters(of: member.name).map({ String(decoding: $0, as: UTF8.self) }),
        let tensor = checkpoint.tensors[name]
      else { throw Finding(description: "a tensor is missing") }
      let size = tensor.shape.reduce(tensor.type.blockSize, *)
      try expect(tensor.bytes.count == size, "\"\(name)\" has \(tensor.bytes.count) bytes, not \(size)")
      end += size
    }
    try expect(8 + headerLength + end == input.count, "\(input.count) bytes, not \(8 + headerLength + end)")
    try readAll(files)
  }

  /// An index of shards, two of which exist.
  static let shards = FuzzTarget("shards", longestInput: 1000) { [folder = ScratchFolder()] input in
    folder.write("config.json", smallConfiguration)
    folder.write("model.safetensors.index.json", input)
    folder.write("a.safetensors", safetensorsFile(["wte.weight": 8]))
    folder.write("b.safetensors", safetensorsFile(["wpe.weight": 6, "ln_f.bias": 2]))
    try readAll(ModelFiles(ModelLocation(folder: Path(folder.path))))
  }

  /// config.json of any family: accepted hyperparameters can be computed with, and without the right weights there is
  /// an error, in a short time.
  static let configuration = FuzzTarget("config", longestInput: 2000) { [folder = ScratchFolder()] input in
    folder.write("config.json", input)
    folder.write("model.safetensors", safetensorsFile(["wte.weight": 8]))
    let start = processorSeconds()
    try checkConfiguration(folder)
    let seconds = processorSeconds() - start
    // 50 ms without the sanitizer.
    try expect(seconds < 0.2, "\(seconds) seconds")
  }

  /// A GGUF file: an accepted model can be read and run, with the same logits on two routes, and an accepted tokenizer
  /// decodes what it encodes.
  static let gguf = FuzzTarget("gguf", longestInput: 6000) { [folder = ScratchFolder()] input in
    folder.write("model.gguf", input)
    let files: ModelFiles
    do {
      files = try ModelFiles(ModelLocation(file: Path(folder.path + "/model.gguf")))
      if let tables = try? files.tokenizerTables() { try checkTokenizer(tables) }
    } catch let error as CheckpointError {
      return try expect("\(error)".hasPrefix(folder.path), "a message without the file's name: \(error)")
    }
    try readAll(files)
    try runModel(files)
  }

  /// The two parts of a GGUF model: the first three bytes are the size of the first part. An accepted model is the same
  /// whichever part is opened, and can be read and run.
  static let parts = FuzzTarget("parts", longestInput: 6000) { [folder = ScratchFolder()] input in
    guard input.count >= 3 else { return }
    let bytes = Array(input.dropFirst(3))
    let size = min(bytes.count, Int(input[0]) | Int(input[1]) << 8 | Int(input[2]) << 16)
    let names = (1...2).map { "m-0000\($0)-of-00002.gguf" }
    folder.write(names[0], Array(bytes[..<size]))
    folder.write(names[1], Array(bytes[size...]))
    func open(_ name: String) throws -> (files: ModelFiles, checkpoint: Checkpoint)? {
      do {
        let files = try ModelFiles(ModelLocation(file: Path("\(folder.path)/\(name)")))
        return (files, try Checkpoint(files))
      } catch {
        try expect("\(error)".hasPrefix(folder.path), "a message without the file's name: \(error)")
        return nil
      }
    }
    let models = try names.compactMap(open)
    for (files, checkpoint) in models {
      try expect(
        checkpoint.byteCount == checkpoint.files.reduce(0) { $0 + (fileSize($1) ?? 0) },
        "\(checkpoint.byteCount) bytes")
      if checkpoint.files.count > 1 {
        try expect(models.count == 2, "opened by one part only")
        try expect(checkpoint.files.map(\.lastComponent.text) == names, "\(checkpoint.files)")
        try expect(checkpoint.identity == models[0].checkpoint.identity, "another identity")
      }
      try readAll(files, in: folder.path)
      try runModel(files)
    }
  }
}

/// Runs a model, unless it is rejected: the logits are the same on two routes.
private func runModel(_ files: ModelFiles) throws {
  guard let model = try? Transformer(files, threads: 1) else { return }
  let count = model.shape.vocabularySize
  let ids = [count - 1, 0, count / 2].prefix(model.shape.contextLength)
  let together = try logits(model, Array(ids), model.makeSinglePassCache(), lengths: [ids.count])
  try expect(together.allSatisfy { $0.count == count }, "\(together.map(\.count)) logits of \(count) tokens")
  let lengths = Array(repeating: 1, count: ids.count)
  try compare(logits(model, Array(ids), model.makeCache(), lengths: lengths), together, "alone")
}

private func checkConfiguration(_ folder: ScratchFolder) throws {
  let files: ModelFiles
  let shape: ModelShape
  do {
    files = try ModelFiles(ModelLocation(folder: Path(folder.path)))
    shape = try ModelDefinition(files).shape
  } catch {
    return try expect("\(error)".hasPrefix(folder.path), "a message without the file's name: \(error)")
  }
  try check(shape)
  try readAll(files)
  do {
    _ = try Transformer(files, threads: 1)
    throw Finding(description: "a model without weights is accepted")
  } catch let error as CheckpointError {
    try expect("\(error)".hasPrefix(folder.path), "a message without the file's name: \(error)")
  }
}

/// The properties of hyperparameters that the kernels rely on.
private func check(_ shape: ModelShape) throws {
  let limit = 1 << 20
  let sizes = [
    shape.vocabularySize, shape.contextLength, shape.width, shape.heads, shape.kvHeads, shape.headDim, shape.layers,
  ]
  try expect(sizes.allSatisfy { 1...limit ~= $0 }, "a size is out of range: \(sizes)")
  try expect(1...4 * limit ~= shape.ffnWidth && shape.layers <= 1 << 10, "\(shape.layers) layers, \(shape.ffnWidth)")
  try expect(shape.heads % shape.kvHeads == 0, "the heads do not divide evenly")
  try expect(shape.heads * shape.headDim <= limit, "the heads have \(shape.heads * shape.headDim) elements")
  let hasNoHeadDim = ["gpt2", "opt", "gpt_neo", "gpt_neox", "gptj", "bloom", "falcon", "stablelm"]
  if hasNoHeadDim.contains(shape.modelType) {
    try expect(shape.heads * shape.headDim == shape.width, "the heads do not divide evenly")
  }
  try expect(shape.normEpsilon > 0 && shape.normEpsilon.isFinite, "epsilon is \(shape.normEpsilon)")
  for factor in [shape.embeddingScale, shape.residualScale, shape.logitScale] {
    try expect(factor > 0 && factor.isFinite, "a factor is \(factor)")
  }
  for bound in [shape.logitSoftcap, shape.queryKeyValueLimit].compactMap(\.self) {
    try expect(bound > 0 && bound.isFinite, "a bound is \(bound)")
  }
  for rope in shape.ropes {
    try expect(2...shape.headDim ~= rope.rotaryDim && rope.rotaryDim % 2 == 0, "\(rope.rotaryDim) elements are rotated")
    try expect(rope.base >= RoPEConfiguration.leastFrequencyFactor && rope.base.isFinite, "the base is \(rope.base)")
    try expect(
      RoPEConfiguration.attentionFactors.contains(rope.attentionFactor),
      "the attention factor is \(rope.attentionFactor)")
  }
  try expect(shape.attention.count == shape.layers, "\(shape.attention.count) layers have attention")
  for attention in shape.attention {
    try expect(attention.scale > 0 && attention.scale.isFinite, "the scale is \(attention.scale)")
    try expect(attention.window ?? 1 > 0, "the window is \(attention.window ?? 0)")
    let softcap = attention.softcap ?? 1
    try expect(softcap > 0 && softcap.isFinite, "the soft cap is \(softcap)")
    try expect(attention.rope.map(shape.ropes.indices.contains) ?? true, "a RoPE is missing")
    try expect(
      attention.slopes.isEmpty || attention.slopes.count == shape.heads, "\(attention.slopes.count) slopes")
    try expect(attention.slopes.allSatisfy { $0 > 0 && $0 <= 1 }, "a slope is out of range")
  }
}

/// Returns the processor time that this thread has used.
func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Returns the tensors of a model; nil if they are rejected with a message that names the file.
private func open(_ files: ModelFiles) throws -> Checkpoint? {
  do { return try Checkpoint(files) } catch {
    try expect("\(error)".hasPrefix("\(files.location.path)"), "a message without the file's name: \(error)")
    return nil
  }
}

/// Reads all tensors and facts of a model, as lm-info and the kernels do. A rejected model has a message that names the
/// file.
///
/// - Parameter place: the start of every message; nil for the path of the model.
private func readAll(_ files: ModelFiles, in place: String? = nil) throws {
  let tensors: [Tensor]
  do {
    let checkpoint = try Checkpoint(files)
    _ = checkpoint.identity
    tensors = try ModelDefinition(files).weights(checkpoint)
    try expect(checkpoint.byteCount > 0, "the model has no bytes")
  } catch let error as CheckpointError {
    let place = place ?? files.location.path.description
    return try expect("\(error)".hasPrefix(place), "a message without the file's name: \(error)")
  }
  var sum: UInt8 = 0
  for tensor in tensors {
    try expect(
      tensor.count / tensor.type.blockLength * tensor.type.blockSize == tensor.bytes.count,
      "\(tensor.name): the count does not match its bytes")
    for byte in tensor.bytes { sum &+= byte }
  }
  _ = sum
}

/// Returns a safetensors file of float32 vectors, given their names and lengths.
func safetensorsFile(_ vectors: KeyValuePairs<String, Int>) -> [UInt8] {
  var (entries, end): ([String], Int) = ([], 0)
  for (name, count) in vectors {
    entries.append(#""\#(name)":{"dtype":"F32","shape":[\#(count)],"data_offsets":[\#(end),\#(end + 4 * count)]}"#)
    end += 4 * count
  }
  let header = "{\(entries.joined(separator: ","))}"
  let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
  return length + Array(header.utf8) + [UInt8](repeating: 0, count: end)
}

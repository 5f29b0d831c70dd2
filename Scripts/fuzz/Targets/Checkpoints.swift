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
    guard let checkpoint = try open(folder) else { return }
    let headerLength = Int(input.loaded(as: UInt64.self)[0])
    guard case .object(let members) = PlainJSON(input[8..<8 + headerLength]) else {
      throw Finding(description: "accepted, but its header is not an object")
    }
    var end = 0
    for member in members where !member.name.elementsEqual("__metadata__".utf16) {
      guard let name = PlainJSON.characters(of: member.name).map({ String(decoding: $0, as: UTF8.self) }),
        let tensor = checkpoint.find(String(name.trimmingPrefix("transformer.")))
      else { throw Finding(description: "a tensor is missing") }
      let size = tensor.shape.reduce(tensor.type.blockSize, *)
      try expect(tensor.bytes.count == size, "\"\(name)\" has \(tensor.bytes.count) bytes, not \(size)")
      end += size
    }
    try expect(8 + headerLength + end == input.count, "\(input.count) bytes, not \(8 + headerLength + end)")
    try readAll(checkpoint)
  }

  /// An index of shards, two of which exist.
  static let shards = FuzzTarget("shards", longestInput: 1000) { [folder = ScratchFolder()] input in
    folder.write("config.json", smallConfiguration)
    folder.write("model.safetensors.index.json", input)
    folder.write("a.safetensors", safetensorsFile(["wte.weight": 8]))
    folder.write("b.safetensors", safetensorsFile(["wpe.weight": 6, "ln_f.bias": 2]))
    if let checkpoint = try open(folder) { try readAll(checkpoint) }
  }

  /// config.json: accepted sizes can be computed with.
  static let configuration = FuzzTarget("config", longestInput: 1000) { [folder = ScratchFolder()] input in
    folder.write("config.json", input)
    let configuration: ModelConfiguration
    do { configuration = try ModelConfiguration(ModelFiles(ModelLocation(folder: Path(folder.path)))) } catch { return }
    switch configuration {
    case .gpt2(let c):
      try expect(c.headDim * c.heads == c.width, "the heads do not divide evenly")
      try expect(c.layerNormEpsilon > 0, "epsilon is not positive")
    case .llama(let c):
      try expect(c.heads % c.kvHeads == 0, "the heads do not divide evenly")
      try expect(c.normEpsilon > 0, "epsilon is not positive")
    }
    for (name, shape) in configuration.tensorShapes {
      let (size, overflow) = shape.reduce((4, false)) { result, dimension in
        let (product, overflow) = result.0.multipliedReportingOverflow(by: dimension)
        return (product, result.1 || overflow || dimension < 1)
      }
      try expect(!overflow && size > 0, "\(name) has the shape \(shape)")
    }
    folder.write("model.safetensors", safetensorsFile(["wte.weight": 8]))
    if let checkpoint = try open(folder) { try readAll(checkpoint) }
  }

  /// A GGUF file: an accepted model can be read and run, and an accepted tokenizer decodes what it encodes.
  static let gguf = FuzzTarget("gguf", longestInput: 4000) { [folder = ScratchFolder()] input in
    folder.write("model.gguf", input)
    let checkpoint: Checkpoint
    do {
      let files = try ModelFiles(ModelLocation(file: Path(folder.path + "/model.gguf")))
      if let tables = try? files.tokenizerTables() { try checkTokenizer(tables) }
      checkpoint = try Checkpoint(files)
    } catch let error as CheckpointError {
      return try expect("\(error)".hasPrefix(folder.path), "a message without the file's name: \(error)")
    }
    try readAll(checkpoint)
    guard let model = try? Transformer(checkpoint, threads: 1) else { return }
    let count = checkpoint.configuration.vocabularySize
    var logits = 0
    try model.forward([count - 1], model.makeSinglePassCache(), logitsAt: 0..<1) { logits = $1.count }
    try expect(logits == count, "\(logits) logits of \(count) tokens")
  }
}

/// Opens the folder as a model. Nil if it is rejected with a message that names the file.
private func open(_ folder: ScratchFolder) throws -> Checkpoint? {
  do { return try Checkpoint(ModelLocation(folder: Path(folder.path))) } catch {
    try expect("\(error)".hasPrefix(folder.path), "a message without the file's name: \(error)")
    return nil
  }
}

/// Reads all tensors and facts of a model, as lm-info and the kernels do.
private func readAll(_ checkpoint: Checkpoint) throws {
  let tensors: [Tensor]
  do { tensors = try checkpoint.modelTensors() } catch {
    return try expect(!error.description.isEmpty, "an error without a reason")
  }
  var sum: UInt8 = 0
  for tensor in tensors {
    try expect(
      tensor.count * tensor.type.blockSize == tensor.bytes.count, "\(tensor.name): the count does not match its bytes")
    for byte in tensor.bytes { sum &+= byte }
  }
  try expect(checkpoint.byteCount > 0, "the model has no bytes")
  _ = (sum, checkpoint.identity)
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

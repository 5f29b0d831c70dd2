import Checkpoint
import LanguageModel
import Platform

/// A GPT-2 so small that all of its files are a few hundred bytes.
let smallConfiguration =
  #"{"model_type":"gpt2","vocab_size":4,"n_positions":3,"n_embd":2,"n_layer":1,"n_head":1}"#

extension FuzzTarget {
  /// A safetensors file beside a configuration: what is accepted has all its bytes, as many as its header says.
  static let safetensors = FuzzTarget("safetensors", longestInput: 3000) { [folder = ScratchFolder()] input in
    folder.write("config.json", smallConfiguration)
    folder.write("model.safetensors", input)
    guard let checkpoint = try open(folder) else { return }
    let headerLength = Int(input.loaded(as: UInt64.self)[0])
    guard case .object(let members) = PlainJSON(input[8..<8 + headerLength]) else {
      throw Finding(description: "accepted, and its header is no object")
    }
    var end = 0
    for member in members where !member.name.elementsEqual("__metadata__".utf16) {
      guard let name = PlainJSON.characters(of: member.name).map({ String(decoding: $0, as: UTF8.self) }),
        let tensor = checkpoint.find(String(name.trimmingPrefix("transformer.")))
      else { throw Finding(description: "a tensor is missing") }
      let size = tensor.shape.reduce(tensor.type.blockSize, *)
      try expect(tensor.bytes.count == size, "“\(name)” has \(tensor.bytes.count) bytes, not \(size)")
      end += size
    }
    try expect(8 + headerLength + end == input.count, "\(input.count) bytes, not \(8 + headerLength + end)")
    try readAll(checkpoint)
  }

  /// An index of shards, of which two are there.
  static let shards = FuzzTarget("shards", longestInput: 1000) { [folder = ScratchFolder()] input in
    folder.write("config.json", smallConfiguration)
    folder.write("model.safetensors.index.json", input)
    folder.write("a.safetensors", safetensorsFile(["wte.weight": 8]))
    folder.write("b.safetensors", safetensorsFile(["wpe.weight": 6, "ln_f.bias": 2]))
    if let checkpoint = try open(folder) { try readAll(checkpoint) }
  }

  /// config.json: whatever sizes are accepted can be computed with.
  static let configuration = FuzzTarget("config", longestInput: 1000) { [folder = ScratchFolder()] input in
    folder.write("config.json", input)
    let configuration: ModelConfiguration
    do { configuration = try ModelConfiguration(ModelFiles(ModelLocation(folder: Path(folder.path)))) } catch { return }
    switch configuration {
    case .gpt2(let c):
      try expect(c.headWidth * c.n_head == c.n_embd, "heads do not fit")
      try expect(c.layerNormEpsilon > 0, "no epsilon")
    case .llama(let c):
      try expect(c.n_head % c.n_head_kv == 0, "heads do not fit")
      try expect(c.normEpsilon > 0, "no epsilon")
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

  /// A GGUF file: what is accepted can be read and computed with, and its tokenizer loses nothing.
  static let gguf = FuzzTarget("gguf", longestInput: 4000) { [folder = ScratchFolder()] input in
    folder.write("model.gguf", input)
    let checkpoint: Checkpoint
    do {
      let files = try ModelFiles(ModelLocation(file: Path(folder.path + "/model.gguf")))
      if let tables = try? files.tokenizerTables() { try checkTokenizer(tables) }
      checkpoint = try Checkpoint(files)
    } catch let error as CheckpointError {
      return try expect("\(error)".hasPrefix(folder.path), "a message that names no file: \(error)")
    }
    try readAll(checkpoint)
    guard let model = try? Transformer(checkpoint, threads: 1) else { return }
    let count = checkpoint.configuration.vocabularySize
    var logits = 0
    try model.forward([count - 1], model.makeSinglePassCache(), logitsAt: 0..<1) { logits = $1.count }
    try expect(logits == count, "\(logits) logits of \(count) tokens")
  }
}

/// The folder as a model; nil where it is refused, in one line.
private func open(_ folder: ScratchFolder) throws -> Checkpoint? {
  do { return try Checkpoint(ModelLocation(folder: Path(folder.path))) } catch {
    try expect("\(error)".hasPrefix(folder.path), "a message that names no file: \(error)")
    return nil
  }
}

/// Does with a model what lm-info and the kernels do.
private func readAll(_ checkpoint: Checkpoint) throws {
  let tensors: [Tensor]
  do { tensors = try checkpoint.modelTensors() } catch {
    return try expect(!error.description.isEmpty, "no reason")
  }
  var sum: UInt8 = 0
  for tensor in tensors {
    try expect(tensor.count * tensor.type.blockSize == tensor.bytes.count, "\(tensor.name) is counted wrongly")
    for byte in tensor.bytes { sum &+= byte }
  }
  try expect(checkpoint.byteCount > 0, "no size")
  _ = (sum, checkpoint.identity)
}

/// A safetensors file of vectors of float32: their names and lengths.
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

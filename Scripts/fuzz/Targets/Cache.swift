import Checkpoint
import LanguageModel
import Platform

extension FuzzTarget {
  /// A cache file that was overwritten in places or truncated: the logits are those without a cache file, and again
  /// when the repaired file is used.
  ///
  /// The input edits a valid file. Three bytes: the size to truncate it to, if that is less. Then edits: the offset in
  /// three bytes, the length in one byte, the new bytes.
  static let cache = FuzzTarget("cache", longestInput: 200) { [model = CachedModel()] input in
    var file = model.validFile
    var rest = input[...]
    func number(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int { bytes.reversed().reduce(0) { $0 << 8 | Int($1) } }
    if rest.count >= 3 {
      file.removeLast(max(0, file.count - number(rest.prefix(3))))
      rest = rest.dropFirst(3)
    }
    while rest.count > 4 {
      let (offset, count) = (number(rest.prefix(3)), min(Int(rest[rest.startIndex + 3]), rest.count - 4))
      for (index, byte) in rest.dropFirst(4).prefix(count).enumerated() where offset + index < file.count {
        file[offset + index] = byte
      }
      rest = rest.dropFirst(4 + count)
    }
    model.folder.write("cache", file)
    try model.compare("after the change")
    try model.compare("with the repaired file")
  }
}

/// A very small model, the logits of a sequence, and the cache file of this sequence.
private final class CachedModel: @unchecked Sendable {  // used by one thread at a time
  let folder = ScratchFolder()
  private(set) var validFile: [UInt8] = []
  private let model: Transformer
  private var logits: [UInt32] = []
  private let ids = (0..<70).map { $0 * $0 % 4 }

  init() {
    folder.write("config.json", smallConfiguration.replacing("\"n_positions\":3", with: "\"n_positions\":80"))
    folder.write("model.safetensors", Self.weights)
    guard let files = try? ModelFiles(ModelLocation(folder: Path(folder.path))),
      let model = try? Transformer(files, threads: 1)
    else { preconditionFailure("the small model is rejected") }
    self.model = model
    logits = compute(model.makeCache())
    _ = compute(cache())
    guard let file = try? MappedFile(path: Path(folder.path + "/cache")) else {
      preconditionFailure("the cache file is missing")
    }
    validFile = Array(file.bytes)
  }

  private func cache() -> KeyValueCache { model.makeCache(inFile: Path(folder.path + "/cache")) { _ in } }

  func compare(_ when: String) throws { try expect(compute(cache()) == logits, "other logits \(when)") }

  private func compute(_ cache: KeyValueCache) -> [UInt32] {
    var result: [UInt32] = []
    cache.reusePrefix(of: ids)
    let rest = Array(ids[cache.count...])
    try? model.forward(rest, cache, logitsAt: ids.count - 1..<ids.count) { result = $1.map(\.bitPattern) }
    return result
  }

  /// A safetensors file with the shapes of the configuration. No two adjacent numbers are equal.
  private static var weights: [UInt8] {
    let (width, inner) = (2, 8)
    let shapes: [(String, [Int])] = [
      ("wte.weight", [4, width]), ("wpe.weight", [80, width]), ("ln_f.weight", [width]), ("ln_f.bias", [width]),
      ("h.0.ln_1.weight", [width]), ("h.0.ln_1.bias", [width]), ("h.0.ln_2.weight", [width]),
      ("h.0.ln_2.bias", [width]),
      ("h.0.attn.c_attn.weight", [width, 3 * width]), ("h.0.attn.c_attn.bias", [3 * width]),
      ("h.0.attn.c_proj.weight", [width, width]), ("h.0.attn.c_proj.bias", [width]),
      ("h.0.mlp.c_fc.weight", [width, inner]), ("h.0.mlp.c_fc.bias", [inner]),
      ("h.0.mlp.c_proj.weight", [inner, width]), ("h.0.mlp.c_proj.bias", [width]),
    ]
    var (entries, numbers): ([String], [Float]) = ([], [])
    for (name, shape) in shapes {
      let (begin, count) = (4 * numbers.count, shape.reduce(1, *))
      entries.append(
        #""\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":[\#(begin),\#(begin + 4 * count)]}"#)
      for index in numbers.count..<numbers.count + count { numbers.append(Float(index * 37 % 101) / 50 - 1) }
    }
    let header = Array("{\(entries.joined(separator: ","))}".utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    return length + header + numbers.withUnsafeBytes(Array.init)
  }
}

import Checkpoint
import JSON

/// The files of a model to fetch.
public struct FileSelection: Equatable, Sendable {
  public let files: [RemoteFile]
  /// The index of a sharded model, which is one of `files`. The shards listed in it must be fetched as well.
  public let shardIndex: RemoteFile?
  /// The first part of the selected GGUF model, which is one of `files`; nil for a model in safetensors.
  public let ggufFile: RemoteFile?

  /// The files other than weights that these tools and Python's libraries read.
  private static let otherFiles: Set = [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja", "chat_template.json",
  ]

  /// Selects the weights in safetensors with the files that belong to them. If there are no safetensors, or if `choice`
  /// is set, selects one GGUF model, which needs no other files: the one that ``GGUFModelFiles`` matches with `choice`
  /// or else prefers.
  ///
  /// - Parameters:
  ///   - model: the model's name, for messages.
  ///   - choice: a `.gguf` file or a quantization.
  public init(of listing: FileListing, model: String, choice: String?) throws(HubError) {
    let otherFiles = listing.files.filter {
      Self.otherFiles.contains($0.path)
        || $0.path.hasPrefix("additional_chat_templates/") && $0.path.hasSuffix(".jinja")
    }
    if choice == nil, let weights = listing.file("model.safetensors") {
      (files, shardIndex, ggufFile) = (otherFiles + [weights], nil, nil)
    } else if choice == nil, let index = listing.file("model.safetensors.index.json") {
      (files, shardIndex, ggufFile) = (otherFiles + [index], index, nil)
    } else {
      files = try Self.gguf(of: listing, model: model, choice: choice)
      (shardIndex, ggufFile) = (nil, files[0])
    }
  }

  /// Returns a file of a listing whose format is not supported, if it has no weights in another format.
  static func unsupportedWeights(of listing: FileListing) -> RemoteFile? {
    guard
      !listing.files.contains(where: { $0.path.hasSuffix(".safetensors") || $0.path.lowercased().hasSuffix(".gguf") })
    else { return nil }
    return listing.files.first { file in
      [".bin", ".pt", ".pth", ".h5", ".msgpack", ".onnx"].contains { file.path.hasSuffix($0) }
    }
  }

  private static func gguf(of listing: FileListing, model: String, choice: String?) throws(HubError) -> [RemoteFile] {
    let files = Dictionary(
      listing.files.filter { $0.path.lowercased().hasSuffix(".gguf") }.map { ($0.path, $0) },
      uniquingKeysWith: { a, _ in a })
    guard !files.isEmpty else {
      throw HubError(
        .badData,
        choice == nil ? "\(model) has no weights in safetensors or GGUF" : "\(model) has no .gguf file")
    }
    func remoteFiles(_ model: GGUFModelFiles) -> [RemoteFile] { model.parts.compactMap { files[$0.path] } }
    func size(_ model: GGUFModelFiles) -> Int { remoteFiles(model).reduce(0) { $0 + $1.size } }
    let all = GGUFModelFiles.all(files.keys)
    let matches = choice.map { GGUFModelFiles.matching($0, among: all) }
    let chosen = matches.map { $0.count == 1 ? $0[0] : nil } ?? GGUFModelFiles.preferred(all, size: size)
    if let chosen {
      if let missing = chosen.firstMissingPart {
        throw HubError(
          .badData, "\(model) has no \(missing.path), which is part \(missing.number) of \(missing.count)")
      }
      return remoteFiles(chosen)
    }
    let models = all.filter(\.first.isModel)
    let candidates = matches.flatMap { $0.isEmpty ? nil : $0 } ?? (models.isEmpty ? all : models)
    var choices = candidates.prefix(100).map { candidate in
      let parts = candidate.parts.count > 1 ? " (\(candidate.parts.count) files)" : ""
      let mark = candidate.first.isUnsupported ? "  [type not implemented]" : ""
      return "\(formattedByteCount(size(candidate)))  \(candidate.first.path)\(parts)\(mark)"
    }
    if candidates.count > choices.count { choices.append("and \(candidates.count - choices.count) more") }
    if let choice, matches?.isEmpty == true {
      throw HubError(
        .notFound, "\(model) has no GGUF model named \(choice); its files are listed above", choices: choices)
    }
    guard let example = candidates.first(where: { !$0.first.isUnsupported }) else {
      throw HubError(
        .badData, "\(model) has \(candidates.count) GGUF models, all with types that are not implemented",
        choices: choices)
    }
    let quantizations = Set(candidates.map { $0.first.quantization?.uppercased() })
    let name = quantizations.count == candidates.count ? example.first.quantization : nil
    throw HubError(
      .usage,
      "\(model) has \(candidates.count) GGUF models: choose one, as in lm-pull "
        + (name.map { "\(model):\($0)" } ?? "\(model) --file \(example.first.path)"), choices: choices)
  }

  /// Returns the shards that an index lists, sorted by name.
  ///
  /// - Parameter index: the bytes of `model.safetensors.index.json`.
  public static func shards(in index: UnsafeBufferPointer<UInt8>, of listing: FileListing) throws(HubError)
    -> [RemoteFile]
  {
    let files = Dictionary(listing.files.map { ($0.path, $0) }) { first, _ in first }
    var shards: [String: RemoteFile] = [:]
    var unknown: String?
    do throws(JSONError) {
      var scanner = JSONScanner(index)
      try scanner.object { name, scanner throws(JSONError) in
        guard scanner.matches(name, "weight_map") else {
          _ = try scanner.skipValue()
          return
        }
        try scanner.object { _, scanner throws(JSONError) in
          let name = try scanner.swiftString()
          if !name.contains("/"), let file = files[name] { shards[name] = file } else { unknown = unknown ?? name }
        }
      }
    } catch {
      throw HubError(.badData, "model.safetensors.index.json: \(error)")
    }
    if let unknown {
      throw HubError(
        .badData, "model.safetensors.index.json names \"\(unknown.prefix(200))\", which the model does not have")
    }
    guard !shards.isEmpty else { throw HubError(.badData, "model.safetensors.index.json names no weights") }
    return shards.values.sorted { $0.path < $1.path }
  }
}

import Checkpoint
import JSON

/// The files of a model to fetch.
public struct FileSelection: Equatable, Sendable {
  public let files: [RemoteFile]
  /// The index of a sharded model, which is one of `files`. The shards listed in it must be fetched as well.
  public let shardIndex: RemoteFile?

  /// The files other than weights that these tools and Python's libraries read.
  private static let otherFiles: Set = [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja", "chat_template.json",
  ]

  /// Selects the weights in safetensors with the files that belong to them. If there are no safetensors, or if `choice`
  /// is set, selects one `.gguf` file, which needs no other files.
  ///
  /// - Parameters:
  ///   - model: the model's name, for messages.
  ///   - choice: the name of a `.gguf` file, or the quantization at the end of its name.
  public init(of listing: FileListing, model: String, choice: String?) throws(HubError) {
    let otherFiles = listing.files.filter { Self.otherFiles.contains($0.path) }
    if choice == nil, let weights = listing.file("model.safetensors") {
      files = otherFiles + [weights]
      shardIndex = nil
    } else if choice == nil, let index = listing.file("model.safetensors.index.json") {
      files = otherFiles + [index]
      shardIndex = index
    } else {
      files = [try Self.gguf(of: listing, model: model, choice: choice)]
      shardIndex = nil
    }
  }

  private static func gguf(of listing: FileListing, model: String, choice: String?) throws(HubError) -> RemoteFile {
    let all = listing.files.filter { $0.path.lowercased().hasSuffix(".gguf") }
    guard !all.isEmpty else {
      let other = listing.files.first { $0.path.hasSuffix(".bin") || $0.path.hasSuffix(".pt") }
      let hint = other.map { "; \($0.path) is not supported, because loading it can run code" } ?? ""
      throw HubError(
        .badData,
        choice == nil ? "\(model) has no weights in safetensors or GGUF\(hint)" : "\(model) has no .gguf file\(hint)")
    }
    let named = all.filter { $0.path == choice }
    let matches = choice.map { choice in named.isEmpty ? all.filter { $0.isQuantized(as: choice) } : named } ?? all
    if matches.count == 1 { return matches[0] }
    let candidates = matches.isEmpty ? all : matches
    var choices = candidates.prefix(100).map { "\(formattedByteCount($0.size))  \($0.path)" }
    if candidates.count > choices.count { choices.append("and \(candidates.count - choices.count) more") }
    if let choice, matches.isEmpty {
      throw HubError(
        .notFound, "\(model) has no .gguf file named \(choice); its files are listed above", choices: choices)
    }
    let example = Set(candidates.map(\.quantization)).count == candidates.count ? candidates[0].quantization : nil
    throw HubError(
      .usage, "\(model) has \(candidates.count) .gguf files: choose one, as in --file \(example ?? candidates[0].path)",
      choices: choices)
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

extension RemoteFile {
  /// The part of a `.gguf` file's name after the last `-` or `.`, which by convention is the quantization.
  var quantization: String? {
    guard let name = path.split(separator: "/").last?.dropLast(".gguf".count),
      let mark = name.lastIndex(where: { $0 == "-" || $0 == "." })
    else { return nil }
    let part = name[name.index(after: mark)...]
    return part.isEmpty ? nil : String(part)
  }

  func isQuantized(as name: String) -> Bool { quantization?.lowercased() == name.lowercased() }
}

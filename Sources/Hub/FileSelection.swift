import JSON

/// Which files of a model are fetched.
public struct FileSelection: Equatable, Sendable {
  public let files: [RemoteFile]
  /// It names the files that hold the weights, where they are several: to be read, and those fetched as well.
  public let shardIndex: RemoteFile?

  /// What these tools and Python's libraries read beside the weights.
  private static let companions: Set = [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja", "chat_template.json",
  ]

  /// Safetensors with what belongs to them; where there are none, or where `choice` says so, one `.gguf` file, which
  /// holds everything.
  ///
  /// - Parameter choice: the `.gguf` file's name, or the quantization that its name ends with.
  public init(of listing: FileListing, model: String, choice: String?) throws(HubError) {
    let companions = listing.files.filter { Self.companions.contains($0.path) }
    if choice == nil, let weights = listing.file("model.safetensors") {
      files = companions + [weights]
      shardIndex = nil
    } else if choice == nil, let index = listing.file("model.safetensors.index.json") {
      files = companions + [index]
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
      let hint = other.map { "; \($0.path) is of a kind that can run code when it is read, and is not read" } ?? ""
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
        .notFound, "\(model) has no .gguf file that is called \(choice); it has those above", choices: choices)
    }
    let example = Set(candidates.map(\.quantization)).count == candidates.count ? candidates[0].quantization : nil
    throw HubError(
      .usage, "\(model) has \(candidates.count) .gguf files: choose one, as in --file \(example ?? candidates[0].path)",
      choices: choices)
  }

  /// The files that an index of shards names.
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
        .badData, "model.safetensors.index.json says that weights are in \"\(unknown.prefix(200))\", which is not there"
      )
    }
    guard !shards.isEmpty else { throw HubError(.badData, "model.safetensors.index.json names no weights") }
    return shards.values.sorted { $0.path < $1.path }
  }
}

extension RemoteFile {
  /// The part of a `.gguf` file's name that by custom says how its numbers are stored: what follows the last `-` or `.`.
  var quantization: String? {
    guard let name = path.split(separator: "/").last?.dropLast(".gguf".count),
      let mark = name.lastIndex(where: { $0 == "-" || $0 == "." })
    else { return nil }
    let part = name[name.index(after: mark)...]
    return part.isEmpty ? nil : String(part)
  }

  func isQuantized(as name: String) -> Bool { quantization?.lowercased() == name.lowercased() }
}

/// A number of bytes for people: `98.4 MB`.
public func formattedByteCount(_ bytes: Int) -> String {
  var tenths = bytes
  for unit in ["kB", "MB", "GB", "TB"] {
    tenths = unit == "kB" ? bytes / 100 : tenths / 1000
    if tenths < 10_000 || unit == "TB" { return "\(tenths / 10).\(tenths % 10) \(unit)" }
  }
  return "\(bytes) bytes"
}

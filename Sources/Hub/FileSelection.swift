import Checkpoint
import JSON
import Platform

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
  /// is set, selects one `.gguf` file, or all parts of a split one, which need no other files.
  ///
  /// - Parameters:
  ///   - model: the model's name, for messages.
  ///   - choice: the name of a `.gguf` file or of a part, or the quantization at the end of its name.
  public init(of listing: FileListing, model: String, choice: String?) throws(HubError) {
    let otherFiles = listing.files.filter { Self.otherFiles.contains($0.path) }
    if choice == nil, let weights = listing.file("model.safetensors") {
      files = otherFiles + [weights]
      shardIndex = nil
    } else if choice == nil, let index = listing.file("model.safetensors.index.json") {
      files = otherFiles + [index]
      shardIndex = index
    } else {
      files = try Self.gguf(of: listing, model: model, choice: choice)
      shardIndex = nil
    }
  }

  private static func gguf(of listing: FileListing, model: String, choice: String?) throws(HubError) -> [RemoteFile] {
    let all = GGUFChoice.choices(in: listing)
    guard !all.isEmpty else {
      let other = listing.files.first { $0.path.hasSuffix(".bin") || $0.path.hasSuffix(".pt") }
      let hint = other.map { "; \($0.path) is not supported, because loading it can run code" } ?? ""
      throw HubError(
        .badData,
        choice == nil ? "\(model) has no weights in safetensors or GGUF\(hint)" : "\(model) has no .gguf file\(hint)")
    }
    let named = all.filter { $0.files.contains { $0.path == choice } }
    let matches = choice.map { choice in named.isEmpty ? all.filter { $0.isQuantized(as: choice) } : named } ?? all
    if matches.count == 1 {
      if let missing = matches[0].firstMissingPart {
        throw HubError(
          .badData, "\(model) has no \(missing.path), which is part \(missing.number) of \(missing.count)")
      }
      return matches[0].files
    }
    let candidates = matches.isEmpty ? all : matches
    var choices = candidates.prefix(100).map(\.description)
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

/// A `.gguf` file on the hub, or the parts of a split one.
private struct GGUFChoice: CustomStringConvertible {
  /// The file, or the parts in their order. Never empty.
  private(set) var files: [RemoteFile]
  /// The name of the first part; nil for a file that is not a part.
  private let firstPart: GGUFPartName?

  /// Returns the files of a listing in their order, with the parts of a split file together.
  static func choices(in listing: FileListing) -> [GGUFChoice] {
    var choices: [GGUFChoice] = []
    var indices: [GGUFPartName: Int] = [:]
    for file in listing.files where file.path.lowercased().hasSuffix(".gguf") {
      let firstPart = GGUFPartName(Path(file.path))?.part(1)
      if let firstPart, let index = indices[firstPart] {
        choices[index].files.append(file)
      } else {
        if let firstPart { indices[firstPart] = choices.count }
        choices.append(GGUFChoice(files: [file], firstPart: firstPart))
      }
    }
    for index in choices.indices { choices[index].files.sort { $0.path < $1.path } }
    return choices
  }

  var path: String { files[0].path }

  /// The size and the path, for a list of choices.
  var description: String {
    let size = formattedByteCount(files.reduce(0) { $0 + $1.size })
    return "\(size)  \(path)" + (files.count == 1 ? "" : " (\(files.count) files)")
  }

  /// The first part that is not on the hub.
  var firstMissingPart: GGUFPartName? {
    guard let firstPart, files.count < firstPart.count else { return nil }
    let present = Set(files.map { Path($0.path) })
    return (1...firstPart.count).lazy.map(firstPart.part).first { !present.contains($0.path) }
  }

  /// The part of the name after the last `-` or `.`, which by convention is the quantization. The name is that without
  /// `.gguf` and without the numbers of a part.
  var quantization: String? {
    let whole = firstPart.map(\.prefix.text) ?? String(path.dropLast(".gguf".count))
    guard let name = whole.split(separator: "/").last, let mark = name.lastIndex(where: { $0 == "-" || $0 == "." })
    else { return nil }
    let part = name[name.index(after: mark)...]
    return part.isEmpty ? nil : String(part)
  }

  func isQuantized(as name: String) -> Bool { quantization?.lowercased() == name.lowercased() }
}

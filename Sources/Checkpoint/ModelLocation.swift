import Platform

/// Where a model's files are.
public struct ModelLocation: Equatable, Sendable {
  /// A folder as the Hugging Face hub has it (config.json, safetensors, tokenizer files), or a GGUF file.
  public let path: String
  /// Whether it is a file, with everything in it.
  public let isFile: Bool

  public init(folder: String) {
    var folder = folder
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    (path, isFile) = (folder, false)
  }

  public init(file: String) { (path, isFile) = (file, true) }

  /// The model that comes with the toolset.
  public static let defaultName = "wren"

  /// Finds what a person named with `--model`: the path of a folder or of a GGUF file, or a name in the local hub cache:
  /// `NAME`, `ORGANISATION/NAME`, or `ORGANISATION/NAME/FILE.gguf`. Without a name `$LM_MODEL` counts, and without that
  /// the model that comes with the toolset.
  public static func find(_ name: String?) throws(CheckpointError) -> ModelLocation {
    guard let name = name ?? environmentVariable("LM_MODEL") else { return try toolsetModel() }
    if isDirectory(name) { return try model(inFolder: name, named: name) }
    if hasEntry(name) { return ModelLocation(file: name) }
    if name.hasSuffix(".gguf") { return try file(named: name) }
    guard HubCache.mayName(name) else { throw .notFound("\(name.isEmpty ? "\"\"" : name): there is no such folder") }
    let cache = HubCache.standard
    if let snapshot = cache?.snapshot(of: name) { return try model(inFolder: snapshot, named: name) }
    if name == defaultName { return try toolsetModel() }
    let place = cache.map { "the hub cache (\($0.folder))" } ?? "a hub cache (neither HOME nor HF_HOME is set)"
    let hint = nearestName(to: name, among: knownNames).map { "did you mean \($0)? " } ?? ""
    throw .notFound(
      "\(name): no such folder, and no model of this name in \(place); "
        + "\(hint)lm-pull \(HubCache.candidates(for: name).last ?? name) fetches it")
  }

  /// The names that `find` knows: those of the models in the hub cache, and that of the toolset's own, sorted.
  public static var knownNames: [String] {
    let cached = HubCache.standard?.modelNames ?? []
    guard !cached.contains(defaultName), (try? toolsetModel()) != nil else { return cached }
    return (cached + [defaultName]).sorted()
  }

  /// A folder's model: its safetensors where it has such, else the one GGUF file in it.
  private static func model(inFolder folder: String, named name: String) throws(CheckpointError) -> ModelLocation {
    guard !SafeTensorsFolder.isOne(folder) else { return ModelLocation(folder: folder) }
    let folder = ModelLocation(folder: folder).path
    let files = entries(ofFolder: folder).filter { $0.hasSuffix(".gguf") }
    guard let file = files.first else { return ModelLocation(folder: folder) }
    guard files.count == 1 else {
      let choice = ModelLocation(folder: name).path + "/" + file
      let others = files.dropFirst().joined(separator: ", ")
      throw .notFound("\(name): there are several GGUF files: name one, such as \(choice) (the others: \(others))")
    }
    return ModelLocation(file: folder + "/" + file)
  }

  /// A GGUF file that is not in the file system under this name: in the hub cache perhaps.
  private static func file(named name: String) throws(CheckpointError) -> ModelLocation {
    let (model, file) = (parent(of: name), lastComponent(of: name))
    guard model != ".", HubCache.mayName(model) else { throw .notFound("\(name): there is no such file") }
    if let snapshot = HubCache.standard?.snapshot(of: model), hasEntry(snapshot + "/" + file) {
      return ModelLocation(file: snapshot + "/" + file)
    }
    throw .notFound(
      "\(name): there is no such file, neither here nor in the hub cache; download it first (hf download \(model) \(file))"
    )
  }

  /// Beside the programs, in an installed prefix (PREFIX/bin, PREFIX/share/lmpipe) or in a checkout (.build, Models).
  private static func toolsetModel() throws(CheckpointError) -> ModelLocation {
    var looked: [String] = []
    if let program = executablePath() {
      let folder = parent(of: program)
      looked.append("\(parent(of: folder))/share/lmpipe/\(defaultName)")
      var ancestor = folder
      while ancestor.contains("/.build") { ancestor = parent(of: ancestor) }
      if ancestor != folder { looked.append("\(ancestor)/Models/\(defaultName)") }
    }
    for folder in looked where isDirectory(folder) { return ModelLocation(folder: folder) }
    throw .notFound(
      "the model that comes with the toolset is not beside it (looked for \(looked.joined(separator: " and "))); "
        + "name a model with --model or LM_MODEL")
  }

  private static func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return String(path[..<slash])
  }

  /// The hub's name of the model, or the name of its folder; of a file the same, and the file's name.
  public var name: String {
    let file = isFile ? Self.lastComponent(of: path) : nil
    let folder = isFile ? Self.parent(of: path) : path
    let resolved = realpath(folder, nil)
    defer { free(resolved) }
    let parts = (resolved.map { String(cString: $0) } ?? folder).split(separator: "/")
    guard parts.count >= 3, parts[parts.count - 2] == "snapshots", parts[parts.count - 3].hasPrefix(HubCache.prefix)
    else {
      return file ?? parts.last.map(String.init) ?? folder
    }
    return HubCache.modelName(ofFolder: parts[parts.count - 3]) + (file.map { "/" + $0 } ?? "")
  }

  private static func lastComponent(of path: String) -> String {
    String(path[(path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.utf8.index(after: $0) } ?? path.startIndex)...])
  }
}

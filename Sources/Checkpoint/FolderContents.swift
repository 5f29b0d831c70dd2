import JSON
import Platform

/// What a folder without `model.safetensors` or `config.json` has in their place, and what to do about it, to end a
/// message with: `; the folder has …`. Empty if nothing in it is known.
func substitute(inFolder folder: Path) -> String {
  let names = entries(ofFolder: folder).map(\.text)
  return substitute(names, folder) ?? checkpoints(names, folder) ?? ""
}

/// Of the files, the first kind that is there: the kinds stand in the order in which they are of use.
private func substitute(_ names: [String], _ folder: Path) -> String? {
  func first(_ isKind: (String) -> Bool) -> String? { names.first(where: isKind) }
  func conversion(_ argument: String = "") -> String {
    "convert it in Python: transformers.AutoModelForCausalLM.from_pretrained(\"\(folder)\"\(argument))"
      + ".save_pretrained(\"\(folder)\")"
  }
  func has(_ name: String, _ remedy: String) -> String { "; the folder has \(excerpt(name)): \(remedy)" }

  if let name = first({ $0.hasSuffix(".gguf") }) {
    return has(name, "name that file: \(folder)/\(name)")
  }
  if let name = first({ $0 == "adapter_config.json" || $0.hasPrefix("adapter_model.") }) {
    let merge =
      "peft.AutoPeftModelForCausalLM.from_pretrained(\"\(folder)\").merge_and_unload().save_pretrained(\"merged\")"
    return has(name, "this is a LoRA adapter, to be merged into its base model first, in Python: \(merge)")
  }
  if let name = first({ isShard($0, of: "model", ".safetensors") }) {
    return has(
      name, "this is one of several parts, and model.safetensors.index.json, which names them, is missing: download it")
  }
  if let name = first({ $0 == "pytorch_model.bin" || isShard($0, of: "pytorch_model", ".bin") }) {
    return has(name, "PyTorch's own format is not read; \(conversion())")
  }
  if let name = first({ $0.hasPrefix("consolidated.") }) {
    return has(
      name, "these are the original weights, under other names: download the model in the format of transformers")
  }
  if let name = first({ $0.hasSuffix(".safetensors") }) {
    return has(name, "if it is the whole model, name it model.safetensors")
  }
  if let name = first({ $0 == "tf_model.h5" }) { return has(name, "\(conversion(", from_tf=True")) (transformers 4)") }
  if let name = first({ $0 == "flax_model.msgpack" }) {
    return has(name, "\(conversion(", from_flax=True")) (transformers 4)")
  }
  return nil
}

/// The folders that a training run leaves.
private func checkpoints(_ names: [String], _ folder: Path) -> String? {
  let steps = names.compactMap { name in
    name.hasPrefix("checkpoint-") ? Int(name.dropFirst("checkpoint-".count)) : nil
  }
  guard let newest = steps.max() else { return nil }
  return
    "; the folder has checkpoints of a training run: name one of them, the newest is \(folder)/checkpoint-\(newest)"
}

/// Whether the name is such as `model-00001-of-00003.safetensors`.
private func isShard(_ name: String, of stem: String, _ suffix: String) -> Bool {
  name.hasPrefix(stem + "-") && name.hasSuffix(suffix) && name.dropFirst(stem.count).contains("-of-")
}

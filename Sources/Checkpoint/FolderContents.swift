import JSON
import Platform

/// Returns a hint about the contents of a folder that has no `model.safetensors` or `config.json`, to append to an
/// error message: `; the folder has pytorch_model.bin: …`. Empty if no known file is found.
func unsupportedFilesHint(forFolder folder: Path) -> String {
  let names = entries(ofFolder: folder).map(\.text)
  return unsupportedFilesHint(names, folder) ?? trainingCheckpointHint(names, folder) ?? ""
}

/// Returns the hint for the first kind of file that is present. The kinds are ordered from the easiest to use to the
/// hardest.
private func unsupportedFilesHint(_ names: [String], _ folder: Path) -> String? {
  func first(_ isKind: (String) -> Bool) -> String? { names.first(where: isKind) }
  func conversion(_ argument: String = "") -> String {
    "convert it in Python: transformers.AutoModelForCausalLM.from_pretrained(\"\(folder)\"\(argument))"
      + ".save_pretrained(\"\(folder)\")"
  }
  func hint(_ name: String, _ remedy: String) -> String { "; the folder has \(excerpt(name)): \(remedy)" }

  if let name = first({ $0.hasSuffix(".gguf") }) {
    return hint(name, "to use that file, name it: \(folder)/\(name)")
  }
  if let name = first({ $0 == "adapter_config.json" || $0.hasPrefix("adapter_model.") }) {
    let merge =
      "peft.AutoPeftModelForCausalLM.from_pretrained(\"\(folder)\").merge_and_unload().save_pretrained(\"merged\")"
    return hint(name, "this is a LoRA adapter; merge it into its base model first, in Python: \(merge)")
  }
  if let name = first({ isShard($0, of: "model", ".safetensors") }) {
    return hint(
      name, "this is one of several shards, but their index model.safetensors.index.json is missing; download it")
  }
  if let name = first({ $0 == "pytorch_model.bin" || isShard($0, of: "pytorch_model", ".bin") }) {
    return hint(name, "this format is not supported, because loading it can run code; \(conversion())")
  }
  if let name = first({ $0.hasPrefix("consolidated.") }) {
    return hint(
      name, "these are the original weights, with other tensor names; download the model in the transformers format")
  }
  if let name = first({ $0.hasSuffix(".safetensors") && $0 != "model.safetensors" }) {
    return hint(name, "if it is the whole model, rename it to model.safetensors")
  }
  if let name = first({ $0 == "tf_model.h5" }) {
    return hint(name, "\(conversion(", from_tf=True")) (transformers 4)")
  }
  if let name = first({ $0 == "flax_model.msgpack" }) {
    return hint(name, "\(conversion(", from_flax=True")) (transformers 4)")
  }
  return nil
}

/// Returns the hint for a folder with the checkpoints of a training run, `checkpoint-STEP`.
private func trainingCheckpointHint(_ names: [String], _ folder: Path) -> String? {
  let steps = names.compactMap { name in
    name.hasPrefix("checkpoint-") ? Int(name.dropFirst("checkpoint-".count)) : nil
  }
  guard let newest = steps.max() else { return nil }
  return
    "; the folder has checkpoints of a training run: name one of them, such as the newest, \(folder)/checkpoint-\(newest)"
}

/// Returns whether the name has the form `model-00001-of-00003.safetensors`.
private func isShard(_ name: String, of stem: String, _ suffix: String) -> Bool {
  name.hasPrefix(stem + "-") && name.hasSuffix(suffix) && name.dropFirst(stem.count).contains("-of-")
}

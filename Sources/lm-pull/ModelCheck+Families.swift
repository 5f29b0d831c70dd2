import Checkpoint
import Hub
import JSON
import LanguageModel

extension ModelCheck {
  /// Accepts the models that the tools can run: those of the implemented families and types of tensors.
  static var implementedFamilies: ModelCheck {
    ModelCheck { name, file throws(CheckpointError) in
      guard !ModelDefinition.modelNames.contains(where: { $0.architecture == name }) else { return }
      throw .unusable(
        file: file,
        reason:
          "general.architecture \"\(excerpt(name))\" is not implemented; lm-info --list-families shows the families "
          + "that are")
    } model: { files throws(CheckpointError) in
      _ = try ModelDefinition(files)
      let types = try files.unsupportedTypes()
      guard types.isEmpty else {
        throw .unusable(
          file: files.location.path,
          reason: "tensors are of type \(types.map { excerpt($0) }.joined(separator: ", ")), which is not implemented")
      }
    }
  }
}

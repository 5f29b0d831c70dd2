import Checkpoint
import Foundation
import LanguageModel
import Platform
import TestSupport
import Threads

/// A model whose files are mapped, so that its folder can be removed.
struct MappedModel {
  let definition: ModelDefinition
  let checkpoint: Checkpoint

  init(_ files: ModelFiles) throws {
    definition = try ModelDefinition(files)
    checkpoint = try Checkpoint(files)
  }

  var shape: ModelShape { definition.shape }

  func weights() throws -> [Tensor] { try definition.weights(checkpoint) }

  func transformer(threads: Int) throws -> Transformer {
    try Transformer(checkpoint, definition, ThreadPool(threads: threads))
  }
}

extension ModelFiles {
  /// Returns the hyperparameters.
  func shape() throws -> ModelShape { try ModelDefinition(self).shape }

  /// Returns the weights of the model.
  func weights() throws -> [Tensor] { try ModelDefinition(self).weights(Checkpoint(self)) }
}

extension Folder {
  /// Opens the folder as a model. Writes `smallConfiguration` first if there is no config.json.
  func model() throws -> MappedModel {
    if !has("config.json") { try write("config.json", smallConfiguration) }
    return try MappedModel(ModelFiles(.find(Path(path))))
  }

  /// Returns the hyperparameters in config.json. The folder needs no weights.
  func shape() throws -> ModelShape { try ModelFiles(.find(Path(path))).shape() }

  /// Opens the model and its weights, and returns the error message without the folder's path, or nil if there is no
  /// error.
  func errorMessage() -> String? {
    do {
      _ = try model().weights()
      return nil
    } catch { return message(error) }
  }
}

extension GGUFBuilder {
  func files() throws -> ModelFiles { try Folder().files(data) }

  /// Opens the model and its weights, and returns the error message without the path, or nil if there is no error.
  func errorMessage() throws -> String? {
    let folder = try Folder()
    do {
      _ = try folder.files(data).weights()
      return nil
    } catch let error as CheckpointError {
      return folder.message(error).replacingOccurrences(of: "model.gguf: ", with: "")
    }
  }
}

/// An error message without the path of the folder.
struct ReadingError: Error { let text: String }

/// Returns the hyperparameters in a `config.json`, and in a `generation_config.json` if there is one.
///
/// - Throws: `ReadingError` for a `CheckpointError`.
func readShape(_ configuration: String, generation: String? = nil) throws -> ModelShape {
  let folder = try Folder()
  try folder.write("config.json", configuration)
  if let generation { try folder.write("generation_config.json", generation) }
  do { return try folder.shape() } catch let error as CheckpointError {
    throw ReadingError(text: folder.message(error))
  }
}

/// Returns the error message for a `config.json`, or nil if there is no error.
func errorMessage(_ configuration: String) throws -> String? {
  do {
    _ = try readShape(configuration)
    return nil
  } catch let error as ReadingError { return error.text }
}

/// The shapes of the tensors of a model with `smallConfiguration`, without an output head.
let smallTensors: [String: [Int]] = [
  "wte.weight": [4, 2], "wpe.weight": [3, 2], "h.0.ln_1.weight": [2], "h.0.ln_1.bias": [2],
  "h.0.attn.c_attn.weight": [2, 6], "h.0.attn.c_attn.bias": [6], "h.0.attn.c_proj.weight": [2, 2],
  "h.0.attn.c_proj.bias": [2], "h.0.ln_2.weight": [2], "h.0.ln_2.bias": [2], "h.0.mlp.c_fc.weight": [2, 8],
  "h.0.mlp.c_fc.bias": [8], "h.0.mlp.c_proj.weight": [8, 2], "h.0.mlp.c_proj.bias": [2], "ln_f.weight": [2],
  "ln_f.bias": [2],
]

/// The types of matrices that are implemented, in messages.
let matrixTypes =
  "F64, F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS, IQ3_S, IQ3_XXS, "
  + "IQ2_S, IQ2_XS, IQ2_XXS, IQ1_M, IQ1_S, TQ1_0, TQ2_0 and MXFP4"

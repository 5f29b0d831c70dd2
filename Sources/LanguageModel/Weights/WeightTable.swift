import Checkpoint
import JSON

/// The tensors of a checkpoint by the names that a family uses, and the tensors that it has requested.
final class WeightTable {
  let checkpoint: Checkpoint
  let names: FamilyNames
  let shape: ModelShape
  var embedding: Tensor?
  var head: Tensor?
  private let tensors: [String: Tensor]
  private var requested: [String: (tensor: Tensor, isWeight: Bool)] = [:]
  private var vectors: [(vector: WeightVector, tensor: Tensor, offset: Float)] = []

  init(_ checkpoint: Checkpoint, _ names: FamilyNames, _ shape: ModelShape) throws(CheckpointError) {
    (self.checkpoint, self.names, self.shape) = (checkpoint, names, shape)
    guard !checkpoint.location.isFile else {
      tensors = checkpoint.tensors
      return
    }
    var tensors: [String: Tensor] = [:]
    for tensor in checkpoint.tensors.values {
      let name = names.withoutPrefix(tensor.name)
      if let other = tensors.updateValue(tensor, forKey: name) {
        let both = [other.name, tensor.name].sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
        throw .unusable(
          file: tensor.file.path, reason: "duplicate tensor: \"\(excerpt(both[0]))\" and \"\(excerpt(both[1]))\"")
      }
      if let layer = names.layer(of: name), layer >= shape.layers {
        throw .unusable(
          file: tensor.file.path,
          reason: "unexpected tensor \"\(excerpt(tensor.name))\": config.json gives \(shape.layers) as the number of "
            + "layers")
      }
    }
    self.tensors = tensors
  }

  func find(_ name: String) -> Tensor? { tensors[name] }

  /// Returns a tensor of the model.
  ///
  /// - Parameter isWeight: false for a tensor that is computed from hyperparameters.
  func tensor(_ name: String, _ shape: [Int], isWeight: Bool = true) throws(CheckpointError) -> Tensor {
    guard let tensor = find(name) else {
      throw .unusable(
        file: checkpoint.files[0],
        reason: "missing tensor \"\(name)\", which a \(self.shape.modelType) model needs")
    }
    guard tensor.type.isComputable, tensor.type.blockLength == 1 || shape.count > 1 else {
      let supported = shape.count > 1 ? ElementType.computableNames : "F64, F32, F16 and BF16"
      throw .unusable(
        file: tensor.file.path,
        reason: "\"\(excerpt(tensor.name))\" is of type \(excerpt(tensor.typeName)), which is not implemented; "
          + "\(supported) are")
    }
    guard tensor.shape == shape else {
      let source = checkpoint.location.isFile ? "the metadata" : "config.json"
      throw .unusable(
        file: tensor.file.path,
        reason:
          "\"\(excerpt(tensor.name))\" has shape \(excerpt("\(tensor.shape)")), but \(source) requires \(shape)")
    }
    requested[name] = (tensor, isWeight)
    return tensor
  }

  func vector(_ name: String, _ shape: [Int], adding offset: Float) throws(CheckpointError) -> WeightVector {
    let tensor = try tensor(name, shape)
    let vector = WeightVector(count: tensor.count)
    vectors.append((vector, tensor, offset))
    return vector
  }

  func fillVectors() {
    for (vector, tensor, offset) in vectors { vector.fill(from: tensor, adding: offset) }
    vectors = []
  }

  var used: [Tensor] { requested.values.map(\.tensor) }

  /// The requested weights, sorted by name.
  var weights: [Tensor] { requested.values.filter(\.isWeight).map(\.tensor).sorted { $0.name < $1.name } }

  func rejectUnusedTensors() throws(CheckpointError) {
    guard checkpoint.location.isFile else { return }
    let unused = tensors.keys.filter { requested[$0] == nil }
    guard let name = unused.min(), let tensor = tensors[name] else { return }
    throw .unusable(
      file: tensor.file.path,
      reason: "unexpected tensor \"\(excerpt(name))\", which is not implemented for a \(shape.modelType) model")
  }
}

import Checkpoint

/// A family of models: its names and its hyperparameters. All families are in `ModelDefinition.families`.
protocol ModelFamily: SendableMetatype {
  /// The names of the family in files.
  static var names: FamilyNames { get }

  /// Reads the hyperparameters.
  ///
  /// - Throws: `CheckpointError` if a value is missing, is invalid, or requires a feature that is not implemented.
  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape

  /// The tensors and the forward pass, which can be those of another family.
  associatedtype Model: Network
}

/// The tensors and the forward pass of a family.
///
/// The forward pass computes the embeddings of a batch, each block in order, and the output head. In the last block,
/// the rows whose logits are not needed are dropped when their keys and values have been stored (`Pass.kept`).
protocol Network {
  /// Looks up the tensors.
  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError)

  /// Fills x (n, width) with the embeddings of ids at the positions `first`, `first + 1`, ….
  func embed(_ ids: [Int], at first: Int, into x: Matrix)

  /// The tables of RoPE, one for each element of ``ModelShape/ropes``.
  var ropes: [RoPE] { get }

  /// Computes the block of a layer in place for x (n, width), whose rows are positions of some sequences.
  ///
  /// - Returns: `pass.kept(x)`: x (m, width), which has fewer rows in the last layer.
  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix

  /// Computes the norm after the last block.
  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix

  /// The output head, width to vocabulary.
  // Named after the tensor in most checkpoints.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  var lm_head: Linear { get }
}

extension Network {
  /// The networks of families without RoPE have no tables.
  var ropes: [RoPE] { [] }
}

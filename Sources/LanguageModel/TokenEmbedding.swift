import Checkpoint
import Threads

/// The token embedding of a model: a vector for each token, as the files have them, before any factor or norm.
///
///     let embedding = try TokenEmbedding(Checkpoint(files), ModelDefinition(files))
///     let similarities = embedding.similarities(to: 1291, pool)
///     similarities[1103]?.cosine
public struct TokenEmbedding {
  private let checkpoint: Checkpoint  // keeps the files mapped
  private let matrix: WeightMatrix  // (vocabulary, width)

  /// How similar two embeddings are.
  public struct Similarity: Sendable {
    /// The cosine of the angle between them (cosine similarity); 0 if one of them is zero.
    public let cosine: Float
    /// Their scalar product.
    public let dot: Float
  }

  /// - Parameter definition: the definition of the same files.
  /// - Throws: `CheckpointError` if a tensor of the model is missing or has the wrong shape.
  public init(_ checkpoint: Checkpoint, _ definition: ModelDefinition) throws(CheckpointError) {
    self.checkpoint = checkpoint
    matrix = WeightMatrix(try definition.tokenEmbedding(checkpoint))
  }

  /// Returns the similarity of each token of the vocabulary to a token; nil for embeddings that are not finite.
  ///
  /// The sums are in float64, in the order of the elements.
  ///
  /// - Precondition: `id` is in the vocabulary.
  public func similarities(to id: Int, _ pool: ThreadPool) -> [Similarity?] {
    precondition(0..<matrix.rows ~= id)
    let (count, width) = (matrix.rows, matrix.columns)
    let workspace = Workspace()
    let (vector, results) = (workspace.matrix(1, width).start, workspace.matrix(count, 2))
    matrix.copyRow(id, to: vector)
    func product(_ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>) -> Double {
      var sum = 0.0
      for column in 0..<width { sum += Double(a[column]) * Double(b[column]) }
      return sum
    }
    let norm = product(vector, vector).squareRoot()
    pool.run(count, unit: 256, cost: 8 * count * width) { rows in  // sums in float64 are slower than multiply-adds
      withAlignedFloats(width) { row in
        for index in rows {
          matrix.copyRow(index, to: row)
          let dot = product(row, vector)
          let norms = product(row, row).squareRoot() * norm
          results.row(index)[0] = Float(norms == 0 ? 0 : dot / norms)
          results.row(index)[1] = Float(dot)
        }
      }
    }
    return (0..<count).map { index in
      let similarity = Similarity(cosine: results.row(index)[0], dot: results.row(index)[1])
      return similarity.cosine.isFinite && similarity.dot.isFinite ? similarity : nil
    }
  }
}

import Checkpoint
import JSONLines

extension Record {
  /// The ids, each of them in a vocabulary of `count` tokens.
  public func ids(inVocabularyOf count: Int) throws -> [Int] {
    guard let ids = try ids() else {
      throw try RecordError(
        "there is no \"ids\"" + (has("text") ? "; bpe-encode -j makes them from \"text\"" : ""))
    }
    for (index, id) in ids.enumerated() where !(0..<count).contains(id) {
      throw RecordError("\"ids\"[\(index)] is \(id), but the vocabulary has \(count) tokens (0…\(count - 1))")
    }
    return ids
  }

  /// The ids as a model can compute with them: no more than its context length. An empty text has none.
  public func ids(for configuration: ModelConfiguration) throws -> [Int] {
    let ids = try ids(inVocabularyOf: configuration.vocabularySize)
    guard ids.count <= configuration.contextLength else {
      throw RecordError(
        "\"ids\" has \(ids.count) tokens, but the model's context length is \(configuration.contextLength); bpe-encode --max-length cuts a text"
      )
    }
    return ids
  }
}

extension Record {
  /// Refuses `logits` of a model with a vocabulary of another size.
  public func requireLogits(_ count: Int, ofVocabulary size: Int) throws {
    guard count == size else {
      throw RecordError(
        "\"logits\" has \(count) numbers, but the vocabulary has \(size) tokens: give every tool of a pipeline the same --model"
      )
    }
  }
}

/// JSON cannot say inf or nan, and no sound model says them.
///
/// - Parameter position: of the logits in their sequence, where it is known.
public func requireFinite(_ logits: UnsafeBufferPointer<Float>, position: Int? = nil) throws {
  // All are looked at without a branch, and again where that found some.
  let greatest = logits.reduce(0 as UInt32) { max($0, $1.magnitude.bitPattern) }
  guard greatest > Float.greatestFiniteMagnitude.bitPattern, let token = logits.firstIndex(where: { !$0.isFinite })
  else { return }
  let place = position.map { " at position \($0)" } ?? ""
  throw RecordError(
    "the logit of token \(token)\(place) is \(logits[token].isNaN ? "nan" : "\(logits[token])"): the model's weights are damaged"
  )
}

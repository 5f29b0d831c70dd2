import JSONLines

extension Record {
  /// Returns the ids. Throws if they are missing, or if any id is outside a vocabulary of `count` tokens.
  public func ids(inVocabularyOf count: Int) throws -> [Int] {
    guard let ids = try ids() else {
      throw try RecordError("\"ids\" is missing" + (has("text") ? "; bpe-encode -j makes it from \"text\"" : ""))
    }
    for (index, id) in ids.enumerated() where !(0..<count).contains(id) {
      throw RecordError("\"ids\"[\(index)] is \(id), but the vocabulary has \(count) tokens (0 to \(count - 1))")
    }
    return ids
  }

  /// Returns the ids, which can be empty. Throws if a model cannot process them: if any id is outside a vocabulary of
  /// `count` tokens, or if there are more ids than its context length.
  public func ids(inVocabularyOf count: Int, contextLength maximum: Int) throws -> [Int] {
    let ids = try ids(inVocabularyOf: count)
    guard ids.count <= maximum else {
      throw RecordError(
        "\"ids\" has \(ids.count) tokens, but the model's context length is \(maximum); bpe-encode --max-length \(maximum) "
          + "keeps the first \(maximum)")
    }
    return ids
  }

  /// Throws if the number of logits differs from the size of the vocabulary: they are from another model.
  public func requireLogits(_ count: Int, ofVocabulary size: Int) throws {
    guard count == size else {
      throw RecordError(
        "\"logits\" has \(count) numbers, but the vocabulary has \(size) tokens: give every tool of a pipeline the same "
          + "--model")
    }
  }
}

/// Throws if a logit is infinite or not a number: JSON cannot represent such values, and undamaged weights do not
/// produce them.
///
/// - Parameter position: the position of the logits in their sequence, if it is known.
public func requireFinite(_ logits: UnsafeBufferPointer<Float>, position: Int? = nil) throws {
  // The first pass has no branch in its loop; the second pass runs only for an error.
  let greatest = logits.reduce(0 as UInt32) { max($0, $1.magnitude.bitPattern) }
  guard greatest > Float.greatestFiniteMagnitude.bitPattern, let token = logits.firstIndex(where: { !$0.isFinite })
  else { return }
  let place = position.map { " at position \($0)" } ?? ""
  throw RecordError(
    "the logit of token \(token)\(place) is \(logits[token].isNaN ? "nan" : "\(logits[token])"): the model's weights are "
      + "damaged")
}

import Checkpoint
import JSONLines
import Platform
import Tokenizer

extension Tokenizer {
  /// The fingerprint in the form that records contain: 16 hexadecimal digits.
  public var fingerprintText: String { hexadecimal(fingerprint, width: 16) }
}

/// The fingerprint of a model's vocabulary, for comparison with the member `vocab` of records.
public struct ModelVocabulary {
  private let fingerprint: Lazy<String>

  /// - Parameter tokenizer: returns the model's tokenizer; called when the fingerprint is first needed.
  public init(_ tokenizer: @escaping () throws -> Tokenizer) {
    fingerprint = Lazy { try tokenizer().fingerprintText }
  }

  /// Computes the fingerprint ahead of its first use. An error is reported by the record that needs the fingerprint.
  public func prepare() { _ = try? fingerprint() }

  /// Throws a `RecordError` if the record's ids belong to a different vocabulary.
  public func check(_ record: Record) throws {
    guard let vocabulary = try record.string("vocab") else { return }
    let (found, expected) = (String(decoding: vocabulary, as: UTF8.self), try fingerprint())
    guard found == expected else {
      throw RecordError(
        "\"vocab\" is \(found), but the vocabulary of this model is \(expected): give every tool of a pipeline the same "
          + "--model")
    }
  }

  /// Returns the change that adds `vocab` to a record without it. Nothing is added if the model has no tokenizer or an
  /// unsupported tokenizer. A file that cannot be read is an error, because the output must depend on the model and the
  /// input only.
  public func addition(to record: Record) throws -> [Record.Change] {
    guard try !record.has("vocab") else { return [] }
    do {
      let fingerprint = try fingerprint()
      return [.set("vocab") { $0.append(jsonString: fingerprint) }]
    } catch let error as TokenizerError {
      if case .unreadable = error.cause { throw error }
      return []
    } catch is CheckpointError {
      return []
    }
  }
}

extension ModelFiles {
  /// The number of logits: the number of tokens of the tokenizer, or the number in the configuration if that is larger.
  /// The ids after the last token are padding and have no text.
  public func vocabularySize(_ tokenizer: Tokenizer) -> Int {
    max(tokenizer.vocabularySize, declaredVocabularySize ?? 0)
  }
}

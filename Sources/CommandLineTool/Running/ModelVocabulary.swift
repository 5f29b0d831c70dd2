import Checkpoint
import JSONLines
import Platform
import Tokenizer

extension ByteLevelTokenizer {
  /// The fingerprint as records have it: 16 hexadecimal digits.
  public var fingerprintText: String { hexadecimal(fingerprint, width: 16) }
}

/// The vocabulary of a model, to compare with what records say of theirs.
public struct ModelVocabulary {
  private let fingerprint: Lazy<String>

  /// `tokenizer` is called when its vocabulary is first needed.
  public init(_ tokenizer: @escaping () throws -> ByteLevelTokenizer) {
    fingerprint = Lazy { try tokenizer().fingerprintText }
  }

  /// Opens the vocabulary, if that can be done. If not, the record that needs it reports why.
  public func prepare() { _ = try? fingerprint() }

  /// Refuses a record whose ids belong to another vocabulary.
  public func check(_ record: Record) throws {
    guard let vocabulary = try record.string("vocab") else { return }
    let (theirs, ours) = (String(decoding: vocabulary, as: UTF8.self), try fingerprint())
    guard theirs == ours else {
      throw RecordError(
        "its ids belong to the vocabulary \(theirs), but this model has \(ours): give every tool of a pipeline the same --model"
      )
    }
  }

  /// Adds `vocab` to a record that has none. A model whose tokenizer is missing or of another kind adds none. A file
  /// that the system fails to read is an error: the output of a model depends on nothing else.
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
  /// How many ids the model has: the tokens of its tokenizer and the padding after them, ids that stand for no text.
  /// The tokenizer's count, if no configuration says more.
  public func vocabularySize(_ tokenizer: ByteLevelTokenizer) -> Int {
    max(tokenizer.vocabularySize, (try? ModelConfiguration(self))?.vocabularySize ?? 0)
  }
}

import JSONLines
import Tokenizer

extension ByteLevelTokenizer {
  /// The fingerprint as records have it: 16 hexadecimal digits.
  public var fingerprintText: String {
    let digits = String(fingerprint, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// Refuses records whose ids belong to another vocabulary than the model's.
public struct VocabularyCheck {
  private let fingerprint: Lazy<String>

  /// `tokenizer` is called when the first record comes that says which vocabulary its ids belong to.
  public init(_ tokenizer: @escaping () throws -> ByteLevelTokenizer) {
    fingerprint = Lazy { try tokenizer().fingerprintText }
  }

  /// Opens the vocabulary if that can be done; if not, the record that needs it will say why.
  public func prepare() { _ = try? fingerprint() }

  public func check(_ record: Record) throws {
    guard let vocabulary = try record.string("vocab") else { return }
    let (theirs, ours) = (String(decoding: vocabulary, as: UTF8.self), try fingerprint())
    guard theirs == ours else {
      throw RecordError(
        "its ids belong to the vocabulary \(theirs), but this model has \(ours): give every tool of a pipeline the same --model"
      )
    }
  }
}

import CPlatform
import Checkpoint
import JSON
import JSONLines
import Sampling
import Tokenizer

/// A value that is made when it is first asked for: a tool reads nothing that its records don't need.
public final class Lazy<Value> {
  private let make: () throws -> Value
  private var value: Value?

  public init(_ make: @escaping () throws -> Value) { self.make = make }

  public func callAsFunction() throws -> Value {
    if let value { return value }
    let made = try make()
    value = made
    return made
  }
}

extension Arguments {
  /// Where the model is that the command line, the environment or the toolset names.
  public func modelLocation() throws -> ModelLocation { try ModelLocation.find(text(.model)) }

  public var threadCount: Int { integer(.threads) ?? Int(lmpipe_available_processors()) }

  /// The model's tokenizer.
  public func tokenizer() throws -> ByteLevelTokenizer {
    try ByteLevelTokenizer(folder: modelLocation().folder)
  }
}

extension ByteLevelTokenizer {
  /// The fingerprint as records have it: 16 hexadecimal digits.
  public var fingerprintText: String {
    let digits = String(fingerprint, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension Record {
  /// Refuses a record whose ids belong to another vocabulary.
  public func checkVocabulary(_ tokenizer: Lazy<ByteLevelTokenizer>) throws {
    guard let vocabulary = try string("vocab") else { return }
    let ours = try tokenizer().fingerprintText
    let theirs = String(decoding: vocabulary, as: UTF8.self)
    guard theirs == ours else {
      throw RecordError(
        "its ids belong to the vocabulary \(theirs), but this model has \(ours): give every tool of a pipeline the same --model"
      )
    }
  }

  /// The ids, each of them in a vocabulary of `count` tokens.
  public func ids(inVocabularyOf count: Int) throws -> [Int] {
    guard let ids = try ids() else { throw RecordError("there is no \"ids\"") }
    for (index, id) in ids.enumerated() where !(0..<count).contains(id) {
      throw RecordError("\"ids\"[\(index)] is \(id), but the vocabulary has \(count) tokens (0…\(count - 1))")
    }
    return ids
  }

  /// The ids as a model can compute with them: at least one, and no more than its context length.
  public func ids(for configuration: GPT2Configuration) throws -> [Int] {
    let ids = try ids(inVocabularyOf: configuration.vocabularySize)
    guard !ids.isEmpty else {
      throw RecordError(
        "\"ids\" has 0 tokens, and 1 to \(configuration.n_positions) are needed; bpe-encode --bos gives an empty text one"
      )
    }
    guard ids.count <= configuration.n_positions else {
      throw RecordError(
        "\"ids\" has \(ids.count) tokens, but the model's context length is \(configuration.n_positions); bpe-encode --max-length cuts a text"
      )
    }
    return ids
  }
}

/// JSON cannot say inf or nan, and no sound model says them.
///
/// - Parameter position: of the logits in their sequence, where it is known.
public func requireFinite(_ logits: UnsafeBufferPointer<Float>, position: Int? = nil) throws {
  guard let token = logits.firstIndex(where: { !$0.isFinite }) else { return }
  let place = position.map { " at position \($0)" } ?? ""
  throw RecordError("the logit of token \(token)\(place) is \(logits[token]): the model's weights are damaged")
}

extension ByteBuffer {
  /// Appends a token's text as members of an object: `"token":" of"`, or `"token":null,"bytes":[…]` where its bytes
  /// are no UTF-8 by themselves.
  private func append(tokenMembers bytes: UnsafeBufferPointer<UInt8>) {
    append("\"token\":")
    guard !isUTF8(bytes) else { return append(jsonString: bytes) }
    append("null,\"bytes\":")
    append(json: bytes.map { Int($0) })
  }

  /// Appends `{"id":…,"token":…,"logit":…,"logprob":…,"p":…}`.
  public func append(_ candidate: Distribution.Candidate, _ tokenizer: ByteLevelTokenizer) {
    append("{\"id\":")
    append(json: candidate.id)
    append(",")
    append(tokenMembers: tokenizer.bytes(of: candidate.id) ?? UnsafeBufferPointer(start: nil, count: 0))
    append(",\"logit\":")
    append(json: candidate.logit)
    append(",\"logprob\":")
    append(json: candidate.logprob)
    append(",\"p\":")
    append(json: candidate.p)
    append("}")
  }
}

import JSON
import JSONLines
import Sampling
import Tokenizer

extension ByteBuffer {
  /// Appends a token's text as members of an object: `"token":" of"`, or `"token":null,"bytes":[…]` if its bytes alone
  /// are not UTF-8 or the vocabulary has no such token (a model can have more logits than tokens).
  public func append(tokenMembers bytes: UnsafeBufferPointer<UInt8>?) {
    append("\"token\":")
    if let bytes, isUTF8(bytes.span) { return append(jsonString: bytes) }
    append("null,\"bytes\":")
    append(json: (bytes.map(Array.init) ?? []).map { Int($0) })
  }

  /// Appends `{"id":…,"token":…,"logit":…,"logprob":…,"p":…}`.
  public func append(_ candidate: Distribution.Candidate, _ tokenizer: Tokenizer) {
    append("{\"id\":")
    append(json: candidate.id)
    append(",")
    append(tokenMembers: tokenizer.bytes(of: candidate.id))
    append(",\"logit\":")
    append(json: candidate.logit)
    append(",\"logprob\":")
    append(json: candidate.logprob)
    append(",\"p\":")
    append(json: candidate.p)
    append("}")
  }

  /// Appends an array of such objects.
  public func append(_ candidates: [Distribution.Candidate], _ tokenizer: Tokenizer) {
    append("[")
    for (index, candidate) in candidates.enumerated() {
      if index > 0 { append(",") }
      append(candidate, tokenizer)
    }
    append("]")
  }
}

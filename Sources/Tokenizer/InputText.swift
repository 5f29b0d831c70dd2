/// The parts of a text that come from a user, in which control tokens are not recognized.
public struct InputText: Sendable {
  /// Ascending ranges of the bytes of the text.
  private let ranges: [Range<Int>]
  private let controlTokens: ControlTokens

  public init(_ ranges: [Range<Int>], _ controlTokens: ControlTokens) {
    self.ranges = ranges
    self.controlTokens = controlTokens
  }

  /// Returns whether a match is not recognized: the token is a control token, and the byte at its first or its last
  /// offset comes from the user. A user's bytes in the middle only are no obstacle, because templates form tokens from
  /// the names of roles, as in `<|` + role + `|>`.
  func refuses(_ token: Int32, from first: Int, to last: Int) -> Bool {
    controlTokens.ids.contains(token) && (contains(first) || contains(last))
  }

  /// Returns the first of the tokens that is special, although the model made it of ordinary text; nil if none is.
  func firstSpecial(_ ids: some Sequence<Int32>) -> Int32? { ids.first(where: controlTokens.special.contains) }

  private func contains(_ offset: Int) -> Bool {
    let index = firstIndex(below: ranges.count) { ranges[$0].upperBound > offset }
    return index < ranges.count && ranges[index].contains(offset)
  }
}

/// The added tokens that a user's text must not contain.
public struct ControlTokens: Sendable {
  fileprivate let ids: Set<Int32>
  /// Those that are special tokens, without the unknown token.
  fileprivate let special: Set<Int32>
}

private func isWhiteSpace(_ text: [UInt8]) -> Bool {
  text.withUnsafeBufferPointer { endOfLeadingWhiteSpace(in: $0, 0..<$0.count) == $0.count }
}

extension Tokenizer {
  /// Returns the special tokens, and the other added tokens for which `isUsed` returns true, unless they are white
  /// space: the rule of transformers 5.24 (`_get_control_tokens`), where `isUsed` is true for the tokens in the text of
  /// a chat template.
  public func controlTokens(_ isUsed: ([UInt8]) -> Bool) -> ControlTokens {
    let ids = addedTokens.ids(in: tokens) { token, content in
      token.isSpecial || !isWhiteSpace(content) && isUsed(content)
    }
    let unknown: Int32? =
      switch model {
      case .characters(let model): model.unknownID
      case .unigram(let model): model.unknownID
      case .byteLevel, .none: nil
      }
    return ControlTokens(ids: ids, special: ids.filter { $0 != unknown && isSpecial(Int($0)) })
  }
}

/// Finds the leftmost of some tokens in a text, and the longest of those that begin there, in one pass whatever their
/// number: the automaton of A. V. Aho and M. J. Corasick, Communications of the ACM 18 (1975).
///
/// A class, so that each text does not begin with a copy of its tables' references.
final class TokenSearch: @unchecked Sendable {  // never changes once it is made
  /// A state: some tokens begin with the bytes that lead to it, and the text read so far ends with them.
  private struct Node {
    /// The last of the bytes that lead here, and how many they are.
    let byte: UInt8
    let depth: Int32
    /// Of the states one byte further on: the first, and behind each of them the next; 0, which is the beginning, for none.
    var child: Int32 = 0
    var sibling: Int32 = 0
    /// The state for the longest end of these bytes that leads to one.
    var fallback: Int32 = 0
    /// The longest token that these bytes end with, as an index in `tokens`; -1 for none.
    var token: Int32 = -1
  }

  /// A few dozen megabytes. Sixty thousand tokens of one kind, which share most of their bytes, have a tenth of it.
  private static let mostNodes = 1 << 20

  private let tokens: [AddedTokens.Token]
  /// Of the tokens, in bytes of the text.
  private var lengths: [Int]
  private var nodes = [Node(byte: 0, depth: 0)]
  /// The states one byte from the beginning, by the byte.
  private var firsts = [Int32](repeating: 0, count: 256)

  let isSpecialOnly: Bool

  /// - Parameter composes: the text is in form C, and so the tokens must be.
  /// - Returns: nil where there are no tokens.
  init?(_ tokens: [AddedTokens.Token], of vocabulary: Vocabulary, composes: Bool) throws(VocabularyError) {
    guard !tokens.isEmpty else { return nil }
    self.tokens = tokens
    isSpecialOnly = tokens.allSatisfy(\.isSpecial)
    lengths = [Int](repeating: 0, count: tokens.count)
    var form = FormC()
    for (index, token) in tokens.enumerated() {
      guard let bytes = vocabulary.bytes(of: Int(token.id)) else { continue }
      let spelled = (composes ? form.compose(bytes, 0..<bytes.count)?.bytes : nil) ?? Array(bytes)
      lengths[index] = spelled.count
      try insert(spelled, Int32(index))
    }
    for (index, node) in nodes.enumerated() where node.depth == 1 { firsts[Int(node.byte)] = Int32(index) }
    connect()
  }

  private func insert(_ bytes: [UInt8], _ token: Int32) throws(VocabularyError) {
    var state: Int32 = 0
    for (index, byte) in bytes.enumerated() {
      if let next = child(of: state, byte) {
        state = next
        continue
      }
      guard nodes.count < Self.mostNodes else {
        throw VocabularyError(reason: "the added tokens have more than \(Self.mostNodes) bytes that they do not share")
      }
      let next = Int32(nodes.count)
      nodes.append(Node(byte: byte, depth: Int32(index + 1), sibling: nodes[Int(state)].child))
      nodes[Int(state)].child = next
      state = next
    }
    if nodes[Int(state)].token < 0 { nodes[Int(state)].token = token }
  }

  /// Sets the fallbacks, those of shorter states first.
  private func connect() {
    var queue: [Int32] = [0]
    var served = 0
    while served < queue.count {
      let state = queue[served]
      served += 1
      var next = nodes[Int(state)].child
      while next > 0 {
        queue.append(next)
        let fallback = state == 0 ? 0 : self.state(after: nodes[Int(state)].fallback, nodes[Int(next)].byte)
        nodes[Int(next)].fallback = fallback
        if nodes[Int(next)].token < 0 { nodes[Int(next)].token = nodes[Int(fallback)].token }
        next = nodes[Int(next)].sibling
      }
    }
  }

  private func child(of state: Int32, _ byte: UInt8) -> Int32? {
    var next = nodes[Int(state)].child
    while next > 0, nodes[Int(next)].byte != byte { next = nodes[Int(next)].sibling }
    return next > 0 ? next : nil
  }

  private func state(after state: Int32, _ byte: UInt8) -> Int32 {
    var state = state
    while state > 0 {
      if let next = child(of: state, byte) { return next }
      state = nodes[Int(state)].fallback
    }
    return firsts[Int(byte)]
  }

  func next(
    in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int
  ) -> (range: Range<Int>, token: AddedTokens.Token)? {
    var found: (range: Range<Int>, token: Int)?
    var state: Int32 = 0
    var index = start
    while index < limit {
      if state == 0 {  // nearly everywhere
        while index < limit, firsts[Int(text[index])] == 0 { index += 1 }
        guard index < limit else { break }
      }
      state = self.state(after: state, text[index])
      index += 1
      let node = nodes[Int(state)]
      // Whatever may still be found begins where these bytes do, or behind
      if let found, index - Int(node.depth) > found.range.lowerBound { break }
      guard node.token >= 0 else { continue }
      let begin = index - lengths[Int(node.token)]
      if begin <= found?.range.lowerBound ?? begin { found = (begin..<index, Int(node.token)) }
    }
    return found.map { ($0.range, tokens[$0.token]) }
  }
}

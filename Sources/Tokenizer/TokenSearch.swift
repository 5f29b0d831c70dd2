/// Finds the tokens in a text: the leftmost, and the longest of those that begin there, then what follows it likewise.
///
/// The text is read from its end to its beginning by the automaton of A. V. Aho and M. J. Corasick, Communications of the
/// ACM 18 (1975), for the reversed tokens: in one pass it finds the longest token that begins at each place. Read forwards,
/// a token could only be told once a longer one is excluded, perhaps at the end of the text, and again for the next.
///
/// A class, so that each text does not begin with a copy of its tables' references.
final class TokenSearch: @unchecked Sendable {  // never changes once it is made
  /// A state: some tokens end with the bytes that lead to it, and the text read so far begins with them.
  private struct Node {
    /// The last of the bytes that lead here.
    let byte: UInt8
    /// Of the states one byte further on: the first, and behind each of them the next; 0, which is the beginning, for none.
    var child: Int32 = 0
    var sibling: Int32 = 0
    /// The state for the longest beginning of these bytes that leads to one.
    var fallback: Int32 = 0
    /// The longest token that these bytes begin with, as an index in `tokens`; -1 for none.
    var token: Int32 = -1
  }

  /// A few dozen megabytes. Sixty thousand tokens of one kind, which share most of their bytes, have a tenth of it.
  private static let maxNodes = 1 << 20

  private let tokens: [AddedTokens.Token]
  /// Of the tokens, in bytes of the text.
  private var lengths: [Int]
  private var longest = 1
  private var nodes = [Node(byte: 0)]
  /// The states one byte from the beginning, by the byte.
  private var firsts = [Int32](repeating: 0, count: 256)

  let isSpecialOnly: Bool

  /// - Parameter composes: the text is in form C, and so the tokens must be.
  /// - Returns: nil where there are no tokens.
  init?(_ tokens: [AddedTokens.Token], of vocabulary: Vocabulary, normalizesNFC: Bool) throws(VocabularyError) {
    guard !tokens.isEmpty else { return nil }
    self.tokens = tokens
    isSpecialOnly = tokens.allSatisfy(\.isSpecial)
    lengths = [Int](repeating: 0, count: tokens.count)
    var form = NFC()
    for (index, token) in tokens.enumerated() {
      guard let bytes = vocabulary.bytes(of: Int(token.id)) else { continue }
      let spelled = (normalizesNFC ? form.compose(bytes, 0..<bytes.count)?.bytes : nil) ?? Array(bytes)
      lengths[index] = spelled.count
      longest = max(longest, spelled.count)
      try insert(spelled, Int32(index))
    }
    connect()
  }

  private func insert(_ bytes: [UInt8], _ token: Int32) throws(VocabularyError) {
    var state: Int32 = 0
    for byte in bytes.reversed() {
      if let next = child(of: state, byte) {
        state = next
        continue
      }
      guard nodes.count < Self.maxNodes else {
        throw VocabularyError(reason: "the added tokens have more than \(Self.maxNodes) bytes that they do not share")
      }
      let next = Int32(nodes.count)
      nodes.append(Node(byte: byte, sibling: nodes[Int(state)].child))
      if state == 0 { firsts[Int(byte)] = next }
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

  /// The search in `text[range]`.
  func matches(in text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Matches {
    Matches(search: self, text: text, limit: range.upperBound, end: range.lowerBound)
  }

  /// The tokens in a part of a text, found block by block.
  struct Matches {
    fileprivate let search: TokenSearch
    fileprivate let text: UnsafeBufferPointer<UInt8>
    fileprivate let limit: Int
    /// Of the blocks that have been searched.
    fileprivate var end: Int
    /// In the last block, the leftmost at the end: where the longest token begins, and which one that is.
    fileprivate var found: [(start: Int, token: Int32)] = []

    /// In bytes. Each block costs as many more as the longest token has.
    private static let minBlock = 1 << 16

    /// The next match that begins at `position` or after it. Positions must not decrease from call to call.
    mutating func next(from position: Int) -> (range: Range<Int>, token: AddedTokens.Token)? {
      while true {
        while let (start, token) = found.popLast() {
          guard start >= position else { continue }
          return (start..<start + search.lengths[Int(token)], search.tokens[Int(token)])
        }
        guard max(end, position) < limit else { return nil }
        findInBlock(from: max(end, position))
      }
    }

    private mutating func findInBlock(from start: Int) {
      end = min(start + max(Self.minBlock, search.longest), limit)
      var index = min(end + search.longest - 1, limit)
      var state: Int32 = 0
      while index > start {
        if state == 0 {  // nearly everywhere
          while index > start, search.firsts[Int(text[index - 1])] == 0 { index -= 1 }
          guard index > start else { break }
        }
        index -= 1
        state = search.state(after: state, text[index])
        let token = search.nodes[Int(state)].token
        if token >= 0, index < end { found.append((index, token)) }
      }
    }
  }
}

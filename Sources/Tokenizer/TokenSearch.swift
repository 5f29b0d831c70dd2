/// Finds added tokens in a text, from left to right: the leftmost match, and the longest of the tokens that begin
/// there.
///
/// An Aho-Corasick automaton (Communications of the ACM 18, 1975) of the reversed tokens reads the text backwards: one
/// pass finds the longest token that begins at each position. A forward search could report a token only after a longer
/// one is ruled out, which may take until the end of the text, again for each token.
///
/// This is a class so that encoding a text does not retain and release each of its arrays.
final class TokenSearch: @unchecked Sendable {  // immutable after init
  /// A state of the automaton: the bytes that lead to it are the end of some tokens and the beginning of the text read
  /// so far.
  private struct Node {
    /// The last byte that leads to this state.
    let byte: UInt8
    /// The first of the states one byte further, and the next state with the same parent; 0, the root, if there is no
    /// such state.
    var child: Int32 = 0
    var sibling: Int32 = 0
    /// The state of the longest proper prefix of these bytes (in text order) that is a state.
    var fallback: Int32 = 0
    /// The index in `tokens` of the longest token that these bytes begin with; -1 if they begin with no token.
    var token: Int32 = -1
  }

  /// Limits the table to some tens of megabytes. 60,000 tokens of one kind, which share most of their bytes, need a
  /// tenth of it.
  private static let maxNodes = 1 << 20

  private let tokens: [AddedTokens.Token]
  /// The length of each token in bytes of the text that is searched.
  private var lengths: [Int]
  private var longest = 1
  private var nodes = [Node(byte: 0)]
  /// The child of the root for each byte.
  private var rootChildren = [Int32](repeating: 0, count: 256)

  let isSpecialOnly: Bool

  /// Creates a search for `tokens`, or returns nil if `tokens` is empty.
  ///
  /// - Parameter normalizers: The normalizers of the text, which are applied to the tokens too. A token of which they
  ///   leave nothing is never found.
  init?(
    _ tokens: [AddedTokens.Token], of vocabulary: some TokenTable, _ normalizers: [Normalizer]
  ) throws(VocabularyError) {
    guard !tokens.isEmpty else { return nil }
    self.tokens = tokens
    isSpecialOnly = tokens.allSatisfy(\.isSpecial)
    lengths = [Int](repeating: 0, count: tokens.count)
    var normalizer = TextNormalizer(normalizers)
    for (index, token) in tokens.enumerated() {
      guard let content = token.content ?? vocabulary.bytes(of: Int(token.id)).map(Array.init) else { continue }
      let spelled = normalizer.normalize(content)
      guard !spelled.isEmpty else { continue }
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
        throw VocabularyError(
          reason: "the added tokens are too long: more than \(Self.maxNodes) bytes without shared ends")
      }
      let next = Int32(nodes.count)
      nodes.append(Node(byte: byte, sibling: nodes[Int(state)].child))
      if state == 0 { rootChildren[Int(byte)] = next }
      nodes[Int(state)].child = next
      state = next
    }
    if nodes[Int(state)].token < 0 { nodes[Int(state)].token = token }
  }

  /// Sets the fallback of each state, breadth first.
  private func connect() {
    var queue: [Int32] = [0]
    var head = 0
    while head < queue.count {
      let state = queue[head]
      head += 1
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
    return rootChildren[Int(byte)]
  }

  /// Returns the matches in `text[range]`, which are found lazily.
  func matches(in text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Matches {
    Matches(search: self, text: text, limit: range.upperBound, end: range.lowerBound)
  }

  /// The matches in a range of a text, found block by block.
  struct Matches {
    fileprivate let search: TokenSearch
    fileprivate let text: UnsafeBufferPointer<UInt8>
    fileprivate let limit: Int
    /// The end of the blocks that have been searched.
    fileprivate var end: Int
    /// The matches in the last block, from right to left: the start and the longest token.
    fileprivate var found: [(start: Int, token: Int32)] = []

    /// In bytes. Together with a block, as many bytes after it are read as the longest token has.
    private static let minBlock = 1 << 16

    /// Returns the next match that begins at `position` or later, or nil if there is no such match. Positions must not
    /// decrease from call to call.
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
        if state == 0 {  // true for most of the text
          while index > start, search.rootChildren[Int(text[index - 1])] == 0 { index -= 1 }
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

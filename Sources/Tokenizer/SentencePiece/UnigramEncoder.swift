/// Encodes texts with a `Unigram` model. An encoder caches short texts and is not thread-safe: each thread needs its
/// own encoder.
package final class UnigramEncoder {
  private let model: Unigram
  private let cache = PreTokenCache()
  /// The best sequence of pieces that ends at each byte of the text.
  private var best: [Node] = []
  private var found: [Found] = []
  /// The number of nodes that are kept for the next call.
  private static let maxNodesKept = 1 << 16

  private struct Node: BitwiseCopyable {
    var score = 0.0
    /// The start of the last piece, or -1 if no sequence of pieces ends here.
    var start = -1
    var id: Int32 = -1
  }

  /// A token: its id and its end in the text.
  private struct Found: BitwiseCopyable {
    let id: Int32
    let start: Int
    let end: Int
  }

  init(_ model: Unigram) { self.model = model }

  /// Appends the tokens of a pre-token, or of a whole text that has been normalized.
  ///
  /// - Parameters:
  ///   - offset: Added to the ends of the tokens.
  /// - Throws: `TextEncodingError` if the vocabulary lacks a character and has no unknown token. In that case
  ///   nothing is appended.
  package func encode(
    _ text: UnsafeBufferPointer<UInt8>, offset: Int = 0, into tokens: TokenBuffer
  ) throws(TextEncodingError) {
    guard let base = text.baseAddress, !text.isEmpty else { return }
    // A token has at least one byte
    try tokens.fill(upTo: text.count + PreTokenCache.padding) { (output) throws(TextEncodingError) in
      let isCached = text.count <= PreTokenCache.maxLength
      let key = PreTokenCache.Key(base, count: text.count, paddedCount: text.count)
      if isCached, cache.append(key, start: offset, to: &output) { return }
      switch model.variant {
      case .tokenizers: try findBest(text, offset) { $0 }
      case .sentencePiece: try findBest(text, offset) { Double(Float($0)) }
      }
      var entry = PreTokenCache.Entry()
      appendTokens(text, offset, &output, &entry)
      if isCached { cache.insert(key, entry) }
      if best.capacity > Self.maxNodesKept { best = [] }
    }
  }

  /// Fills `best`. `rounded` rounds a sum of scores to the precision of the reference.
  @inline(__always)
  private func findBest(
    _ text: UnsafeBufferPointer<UInt8>, _ offset: Int, _ rounded: (Double) -> Double
  ) throws(TextEncodingError) {
    best.removeAll(keepingCapacity: true)
    best.append(contentsOf: repeatElement(Node(), count: text.count + 1))
    let (model, trie, unknownScore) = (model, model.trie, model.unknownScore)
    let unencodable = best.withUnsafeMutableBufferPointer { best -> Int? in
      let scores = model.scores.base
      var start = 0
      while start < text.count {
        let score = best[start].score
        let length = decodeScalar(in: text, at: start, limit: text.count).length
        var hasSingle = false
        trie?.forEachPiece(in: text, from: start) { id, pieceLength in
          let end = start &+ pieceLength
          let candidate = rounded(scores[Int(id)] + score)
          if best[end].start < 0 || candidate > best[end].score {
            best[end] = Node(score: candidate, start: start, id: id)
          }
          if pieceLength == length { hasSingle = true }
        }
        if !hasSingle {
          let end = start &+ length
          let candidate = rounded(unknownScore + score)
          if best[end].start < 0 || candidate > best[end].score {
            guard model.unknownID >= 0 || model.byteIDs != nil else { return start }
            best[end] = Node(score: candidate, start: start, id: model.unknownID)
          }
        }
        start &+= length
      }
      return nil
    }
    if let unencodable { throw TextEncodingError(byte: text[unencodable], offset: unencodable + offset) }
  }

  /// Appends the tokens of the best sequence.
  private func appendTokens(
    _ text: UnsafeBufferPointer<UInt8>, _ offset: Int, _ output: inout TokenBuffer.Cursor,
    _ entry: inout PreTokenCache.Entry
  ) {
    guard let base = text.baseAddress else { return }
    found.removeAll(keepingCapacity: true)
    var end = text.count
    while end > 0 {
      let node = best[end]
      if node.id == model.unknownID, let last = found.last, last.id == model.unknownID {
        found[found.count - 1] = Found(id: node.id, start: node.start, end: last.end)
      } else {
        found.append(Found(id: node.id, start: node.start, end: end))
      }
      end = node.start
    }
    for token in found.reversed() {
      let length = token.end - token.start
      guard token.id == model.unknownID else {
        output.append(token.id, end: token.end + offset)
        entry.append(token.id, length: length)
        continue
      }
      let id =
        model.looksUpUnknown
        ? model.pieces.id(of: base + token.start, count: length, paddedCount: text.count - token.start) : -1
      if id >= 0 {
        output.append(id, end: token.end + offset)
        entry.append(id, length: length)
      } else if let byteIDs = model.byteIDs,
        text[token.start..<token.end].allSatisfy({ byteIDs[Int($0)] >= 0 }) || model.unknownID < 0
      {
        for index in token.start..<token.end {
          output.append(byteIDs[Int(text[index])], end: index + 1 + offset)
          entry.append(byteIDs[Int(text[index])], length: 1)
        }
      } else {
        output.append(model.unknownID, end: token.end + offset)
        entry.append(model.unknownID, length: length)
      }
    }
    if found.capacity > Self.maxNodesKept { found = [] }
  }
}

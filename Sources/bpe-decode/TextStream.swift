import CommandLineTool
import JSON
import Tokenizer

/// Writes a text that grows from record to record: only the new part, and each character when all its bytes are known.
struct TextStream {
  private let terminator: UInt8?
  private var ids: [Int]?  // the ids written so far; nil before a sequence begins
  private var tail: [UInt8] = []  // the first bytes of an incomplete character

  private let tokenizer: Tokenizer
  private let omitsSpecial: Bool
  private var decoder: TokenDecoder

  init(_ tokenizer: Tokenizer, omitsSpecial: Bool, terminator: UInt8?) {
    self.tokenizer = tokenizer
    self.omitsSpecial = omitsSpecial
    self.terminator = terminator
    decoder = tokenizer.makeDecoder()
  }

  /// Writes the text of the new ids. If the ids do not continue the previous ids, they begin a new text.
  ///
  /// - Parameter first: the first id to write if the ids begin a new text.
  mutating func write(_ newIDs: [Int], from first: Int, _ output: Output) throws {
    if let ids, !newIDs.starts(with: ids) { try finish(output) }
    if ids == nil {  // the tokens that are not written determine how the next ones are decoded
      var omitted: [UInt8] = []
      for id in newIDs[..<first] { decoder.append(id, to: &omitted) }
    }
    var bytes = tail
    for id in newIDs[(ids?.count ?? first)...] where !omitsSpecial || !tokenizer.isSpecial(id) {
      decoder.append(id, to: &bytes)
    }
    let incomplete = incompleteUTF8Suffix(bytes.span)
    output.buffer.append(Array(bytes.dropLast(incomplete)))
    try output.endLine(nil)
    tail = bytes.suffix(incomplete)
    ids = newIDs
  }

  /// Ends the text. The bytes of an incomplete character are written unchanged.
  mutating func finish(_ output: Output) throws {
    guard ids != nil else { return }
    output.buffer.append(tail)
    try output.endLine(terminator)
    tail = []
    ids = nil
    decoder = tokenizer.makeDecoder()
  }
}

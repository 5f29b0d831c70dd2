import CommandLineTool
import JSON

/// A text that grows from record to record: what is new is written, a character only when all its bytes are there.
struct GrowingText {
  private let terminator: UInt8?
  private var ids: [Int]?  // that have been shown; nil before a sequence begins
  private var tail: [UInt8] = []  // bytes of a character that is not complete

  init(terminator: UInt8?) { self.terminator = terminator }

  /// Shows the next state of the sequence. Ids that do not continue what was shown begin another text.
  mutating func show(_ newIDs: [Int], _ output: Output, _ text: (ArraySlice<Int>) -> [UInt8]) throws {
    if let ids, !newIDs.starts(with: ids) { try finish(output) }
    let bytes = tail + text(newIDs[(ids?.count ?? 0)...])
    let incomplete = bytes.withUnsafeBufferPointer { incompleteUTF8Suffix($0) }
    output.buffer.append(Array(bytes.dropLast(incomplete)))
    try output.endLine(nil)
    tail = bytes.suffix(incomplete)
    ids = newIDs
  }

  /// Ends the text: what was held back of it is written as it is.
  mutating func finish(_ output: Output) throws {
    guard ids != nil else { return }
    output.buffer.append(tail)
    try output.endLine(terminator)
    tail = []
    ids = nil
  }
}

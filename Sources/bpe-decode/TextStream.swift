import CommandLineTool
import JSON

/// Writes a text that grows from record to record: only the new part, and each character when all its bytes are known.
struct TextStream {
  private let terminator: UInt8?
  private var ids: [Int]?  // the ids written so far; nil before a sequence begins
  private var tail: [UInt8] = []  // the first bytes of an incomplete character

  init(terminator: UInt8?) { self.terminator = terminator }

  /// Writes the text of the new ids. If the ids do not continue the previous ids, they begin a new text.
  ///
  /// - Parameters:
  ///   - first: the first id to write if the ids begin a new text.
  ///   - text: returns the bytes of some ids.
  mutating func write(
    _ newIDs: [Int], from first: Int, _ output: Output, _ text: (ArraySlice<Int>) -> [UInt8]
  ) throws {
    if let ids, !newIDs.starts(with: ids) { try finish(output) }
    let bytes = tail + text(newIDs[(ids?.count ?? first)...])
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
  }
}

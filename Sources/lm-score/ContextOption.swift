import CommandLineTool
import JSON
import JSONLines
import Scoring

/// The value of `--context`: a number of tokens, or the name of a member.
enum ContextOption {
  case count(Int)
  case member(String)

  init(_ text: String) { self = Int(text).flatMap { $0 >= 0 ? .count($0) : nil } ?? .member(text) }

  /// Returns the number of tokens at the beginning of the text that are context only.
  ///
  /// - Throws: `RecordError` if the member is missing, or is not a number of the text's tokens or its beginning.
  func tokenCount(in record: Record, _ text: TokenizedText) throws -> Int {
    switch self {
    case .count(let count): return min(count, text.ranges.count)
    case .member(let name):
      guard var value = try record.value(of: name) else { throw RecordError("\"\(name)\" is missing") }
      if try value.kind() == .number {
        let count = try value.integer()
        guard 0...text.ranges.count ~= count else {
          throw RecordError("\"\(name)\" is \(count), but \"ids\" has \(text.ranges.count) tokens")
        }
        return count
      }
      guard let beginning = try record.string(name) else { return 0 }
      guard let count = text.tokenCount(ofBeginning: beginning) else {
        throw RecordError("the text of \"ids\" does not begin with \"\(name)\"")
      }
      return count
    }
  }
}

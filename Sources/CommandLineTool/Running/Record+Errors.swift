import JSON
import JSONLines

/// A record with `"fatal":true` was read: the tool that wrote it has failed, and its output is not whole.
struct FailedInput: Error {
  let message: String
}

extension Record {
  /// Whether the record says what went wrong, in a member `error`, and is only passed on. Throws `FailedInput` if it says
  /// as well that the tool which wrote it has ended.
  func isPassedOn() throws -> Bool {
    guard try isTrue("error") else { return false }
    if var fatal = try value(of: "fatal"), try fatal.kind() == .boolean, try fatal.boolean() {
      throw FailedInput(message: errorMessage)
    }
    return true
  }

  /// Whether there is such a member, and it is neither null nor false.
  public func isTrue(_ name: String) throws(JSONError) -> Bool {
    guard var value = try value(of: name) else { return false }
    guard try value.kind() == .boolean else { return true }
    return try value.boolean()
  }

  /// The text of the member `error`.
  var errorMessage: String {
    guard var value = try? value(of: "error"), let text = try? value.swiftString() else { return "an error record" }
    return text
  }
}

/// What a person most likely did when a line is no record; nil if the JSON reader's own message says it.
func mistake(in line: UnsafeBufferPointer<UInt8>, _ error: JSONError, _ tool: Tool) -> String? {
  if line.starts(with: [0xEF, 0xBB, 0xBF]) {
    return "the line begins with a byte-order mark; records are UTF-8 without one"
  }
  if looksLikeUTF16(line) {
    return "this looks like UTF-16; records are UTF-8 (iconv -f UTF-16 -t UTF-8 converts a file)"
  }
  let text = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
  let end = line.lastIndex { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\r") }
  guard let first = text.first, let end else { return nil }  // blank
  if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
    guard error.offset > end else { return nil }
    return "the record does not end in this line; a record is one line (jq -c writes one)"
  }
  var scanner = JSONScanner(line)
  if (try? scanner.skipValue()) != nil, (try? scanner.end()) != nil { return nil }  // JSON, but no record
  return tool.content == "text"
    ? "this is text, not a record: leave out --json"
    : "this is text, not a record: put bpe-encode before \(tool.name)"
}

/// Whether a text begins as UTF-16 does: with its byte-order mark, or with ASCII in two bytes a character.
public func looksLikeUTF16(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
  guard text.count >= 2 else { return false }
  let first = (text[0], text[1])
  if first == (0xFF, 0xFE) || first == (0xFE, 0xFF) { return true }
  let start = text.prefix(64)
  let zeros = (even: 0, odd: 1)
  func isZero(_ parity: Int) -> Bool { start.indices.allSatisfy { ($0 % 2 == parity) == (start[$0] == 0) } }
  return text.count >= 4 && (isZero(zeros.even) || isZero(zeros.odd))
}

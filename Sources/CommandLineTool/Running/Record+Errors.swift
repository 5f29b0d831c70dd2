import JSON
import JSONLines

/// The error for a record with `"fatal":true`: an earlier tool of the pipeline failed, and its output is incomplete.
struct UpstreamFailure: Error {
  let message: String
}

extension Record {
  /// Returns whether the record has a member `error`, so that it is passed on unchanged. Throws `UpstreamFailure` if it
  /// has `"fatal":true`.
  func isErrorRecord() throws -> Bool {
    if var fatal = try value(of: "fatal"), try fatal.kind() == .boolean, try fatal.boolean() {
      throw UpstreamFailure(message: errorMessage)
    }
    return try isTrue("error")
  }

  /// Returns whether the record has the member, and its value is neither null nor false.
  public func isTrue(_ name: String) throws(JSONError) -> Bool {
    guard var value = try value(of: name) else { return false }
    guard try value.kind() == .boolean else { return true }
    return try value.boolean()
  }

  /// The value of the member `error`, if it is a string.
  var errorMessage: String {
    guard var value = try? value(of: "error"), let text = try? value.swiftString() else { return "an error record" }
    return text
  }
}

/// Returns a message for a line that is not a record because of a common mistake; nil if the JSON error is a better
/// message.
func commonMistake(in line: UnsafeBufferPointer<UInt8>, _ error: JSONError, _ tool: Tool) -> String? {
  if line.starts(with: [0xEF, 0xBB, 0xBF]) {
    return "the line begins with a byte-order mark; records are UTF-8 without one"
  }
  if let encoding = utf16Encoding(of: line.span) {
    return "this looks like UTF-16; records are UTF-8 (iconv -f \(encoding) -t UTF-8 converts a file)"
  }
  func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
  let text = line.drop(while: isSpace)
  let end = line.lastIndex { !isSpace($0) && $0 != UInt8(ascii: "\r") }
  guard let first = text.first, let end else { return nil }  // blank
  if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
    guard error.offset > end else { return nil }
    return "the record does not end on this line: it is cut off, or it has several lines (jq -c writes one)"
  }
  var scanner = JSONScanner(line)
  if (try? scanner.skipValue()) != nil, (try? scanner.end()) != nil { return nil }  // JSON, but not a record
  if tool.content == "text" { return "this is text, not a record, which --json and --chat require" }
  let earlierTools = tool.options.contains(.keepLogits) ? "bpe-encode and lm-logits" : "bpe-encode"
  return "this is text, not a record: put \(earlierTools) before \(tool.name)"
}

/// Returns the encoding of a text that begins with a byte-order mark of UTF-16, or with ASCII characters of two bytes
/// each, as iconv names it; else nil.
public func utf16Encoding(of text: Span<UInt8>) -> String? {
  guard text.count >= 2 else { return nil }
  let first = (text[0], text[1])
  if first == (0xFF, 0xFE) || first == (0xFE, 0xFF) { return "UTF-16" }
  guard text.count >= 4 else { return nil }
  let start = text.indices.prefix(64)
  // In big-endian ASCII exactly the bytes at even offsets are zero, in little-endian those at odd offsets.
  func areZero(_ parity: Int) -> Bool { start.allSatisfy { ($0 % 2 == parity) == (text[$0] == 0) } }
  return areZero(0) ? "UTF-16BE" : areZero(1) ? "UTF-16LE" : nil
}

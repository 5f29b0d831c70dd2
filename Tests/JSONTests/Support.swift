import JSON

/// Calls `body` with a scanner at the beginning of the bytes.
func scan<Result>(_ bytes: [UInt8], _ body: (inout JSONScanner) throws -> Result) rethrows -> Result {
  try bytes.withUnsafeBufferPointer {
    var scanner = JSONScanner($0)
    return try body(&scanner)
  }
}

func scan<Result>(_ text: String, _ body: (inout JSONScanner) throws -> Result) rethrows -> Result {
  try scan(Array(text.utf8), body)
}

/// The error of parsing a text as one JSON value; nil if it is valid.
func parseError(_ bytes: [UInt8]) -> JSONError? {
  do {
    try scan(bytes) {
      _ = try $0.skipValue()
      try $0.end()
    }
    return nil
  } catch { return error as? JSONError }
}

func parseError(_ text: String) -> JSONError? { parseError(Array(text.utf8)) }

/// The text that `write` appends to an empty buffer.
func written(_ write: (ByteBuffer) -> Void) -> String {
  let buffer = ByteBuffer()
  write(buffer)
  return String(decoding: buffer.bytes, as: UTF8.self)
}

import JSON
import JSONLines
import Platform

// json-check < FILE: whether standard input is one JSON text (RFC 8259) to the reader of the tools: exit status 0, or 65 and
// the place and the reason on standard error. For the JSON Test Suite and its like; it is not installed.

func complain(_ message: String) {
  let line = Array("json-check: \(message)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

var reader = LineReader(descriptor: STDIN_FILENO, path: "standard input", delimiter: nil)
do {
  var scanner = JSONScanner(try reader.next {} ?? UnsafeBufferPointer(start: nil, count: 0))
  _ = try scanner.skipValue()
  try scanner.end()
} catch let error as JSONError {
  complain("\(error)")
  exit(65)
} catch let error as ReadError {
  complain("\(error.file)")
  exit(74)
}

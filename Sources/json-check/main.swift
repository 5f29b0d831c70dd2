import JSON
import JSONLines
import Platform

// json-check < FILE: checks with the tools' parser that standard input is one JSON text (RFC 8259). The exit status is
// 0 if it is, or 65 with a message on standard error. For the JSON Test Suite; not installed.

func printError(_ message: String) {
  let line = Array("json-check: \(message)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

var reader = LineReader(descriptor: STDIN_FILENO, path: "standard input", delimiter: nil)
do {
  var scanner = JSONScanner(try reader.next {} ?? UnsafeBufferPointer(start: nil, count: 0))
  _ = try scanner.skipValue()
  try scanner.end()
} catch let error as JSONError {
  printError("\(error)")
  exit(65)
} catch let error as ReadError {
  printError("\(error.file)")
  exit(74)
}

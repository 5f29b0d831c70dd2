import JSONLines
import Platform
import Tokenizer

// pattern-check [--fancy] PATTERN < FILE: prints for each line of standard input the ranges of the matches in bytes,
// such as "0-3 5-9". With -0, texts end with NUL instead of a line end. For the comparison of the matcher with
// reference implementations; not installed.

func fail(_ message: String) -> Never {
  let line = Array("pattern-check: \(message)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
  exit(65)
}

var arguments = CommandLine.arguments.dropFirst()
let isFancy = arguments.first == "--fancy"
if isFancy { arguments.removeFirst() }
let isSeparatedByNUL = arguments.first == "-0"
if isSeparatedByNUL { arguments.removeFirst() }
guard let source = arguments.first, arguments.count == 1 else { fail("usage: pattern-check [--fancy] [-0] PATTERN") }
do {
  let matcher = PatternMatcher(try Pattern(source, dialect: isFancy ? .fancyRegex : .oniguruma))
  var reader = LineReader(
    descriptor: STDIN_FILENO, path: "standard input", delimiter: isSeparatedByNUL ? 0 : UInt8(ascii: "\n"))
  var output: [UInt8] = []
  while let line = try reader.next(willWait: {}) {
    matcher.reset(line)
    var separator = ""
    while let range = try matcher.next() {
      output += "\(separator)\(range.lowerBound)-\(range.upperBound)".utf8
      separator = " "
    }
    output.append(0x0A)
    if output.count > 1 << 16 {
      _ = write(STDOUT_FILENO, output, output.count)
      output = []
    }
  }
  _ = write(STDOUT_FILENO, output, output.count)
} catch { fail("\(error)") }

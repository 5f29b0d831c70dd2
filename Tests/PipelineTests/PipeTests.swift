import Foundation
import TestSupport
import Testing

/// Behavior that needs processes and pipes.
@Suite struct PipeTests {
  @Test func endsSilentlyIfTheReaderExits() throws {
    let result = try Programs.shell(
      "set -o pipefail; yes 'Once upon a time' | bpe-encode | head -1 > /dev/null; echo ${PIPESTATUS[*]}")
    #expect(result.text == "141 141 0\n")
    #expect(result.errors.isEmpty)
  }

  @Test func endsSilentlyIfTheReaderExitsAndSIGPIPEIsIgnored() throws {
    let result = try Programs.shell(
      "trap '' PIPE; yes 2>/dev/null | bpe-encode | head -1 > /dev/null; echo ${PIPESTATUS[1]}")
    #expect(result.text == "141\n")
    #expect(result.errors.isEmpty)
  }

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "NOT TESTED: a full disk (needs /dev/full)"),
    arguments: [
      "echo text | bpe-encode > /dev/full", "echo '[5]' | bpe-decode > /dev/full", "echo '[5]' | lm-logits > /dev/full",
      "echo '[5]' | lm-step > /dev/full", "echo '[5]' | lm-logits | lm-topk > /dev/full", "lm-info > /dev/full",
      "bpe-encode --help > /dev/full",
    ])
  func reportsAFullDisk(_ script: String) throws {
    let result = try Programs.shell(script)
    #expect(result.status == 74)
    #expect(result.errors.hasSuffix("standard output: No space left on device\n"))
    #expect(result.errors.split(separator: "\n").count == 1)
  }

  @Test func worksAsACoprocess() throws {
    // Each output line is read before the next input line is written. A tool that does not flush its output would hang.
    let result = try Programs.shell(
      """
      set -e
      coproc TOOL { bpe-encode | bpe-decode; }
      for word in one two three; do echo $word >&${TOOL[1]}; read -t 120 -r answer <&${TOOL[0]}; echo "$answer"; done
      """)
    #expect(result.text == "one\ntwo\nthree\n")
  }

  @Test func decodingRestoresAnyBytes() throws {
    var generator = SeededGenerator(1)
    let bytes = Data((0..<20_000).map { _ in UInt8.random(in: 0...255, using: &generator) })
    let whole = try Programs.shell("bpe-encode -w | bpe-decode -n", input: bytes)
    #expect(whole.output == bytes)
    let records = try Programs.shell("bpe-encode -z | bpe-decode -z", input: bytes + [0])
    #expect(records.output == bytes + [0])
    let lines = try Programs.shell("bpe-encode | bpe-decode", input: bytes + [10])
    #expect(lines.output == bytes + [10])
  }

  @Test func writesTheRecordsBeforeABadOne() throws {
    let result = try Programs.shell(
      "lm-logits | lm-topk -k 1 | jq -c '.topk[0].id // .fatal'", input: Data("[5]\n[6]\nnonsense\n[7]\n".utf8))
    #expect(result.text.split(separator: "\n").count == 3 && result.text.hasSuffix("\ntrue\n"))
    #expect(result.errors.hasPrefix("lm-logits: standard input:3: "))
  }

  @Test func encodesALongLineAsOneRecord() throws {
    let text = String(repeating: "All work and no play makes Jack a dull boy. ", count: 50_000)
    let result = try Programs.shell("bpe-encode | bpe-decode", input: Data((text + "\n").utf8))
    #expect(result.text == text + "\n")
  }
}

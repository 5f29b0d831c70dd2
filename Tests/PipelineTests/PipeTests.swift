import Foundation
import TestSupport
import Testing

/// What only real processes and pipes can show.
@Suite struct Pipes {
  @Test func aReaderThatGoesAwayEndsTheToolsQuietly() throws {
    let result = try Programs.shell(
      "set -o pipefail; yes 'Once upon a time' | bpe-encode | head -1 > /dev/null; echo ${PIPESTATUS[*]}")
    #expect(result.text == "141 141 0\n")
    #expect(result.errors.isEmpty)
  }

  @Test func aReaderThatGoesAwayIsQuietAlsoWhereSIGPIPEIsIgnored() throws {
    let result = try Programs.shell(
      "trap '' PIPE; yes 2>/dev/null | bpe-encode | head -1 > /dev/null; echo ${PIPESTATUS[1]}")
    #expect(result.text == "141\n")
    #expect(result.errors.isEmpty)
  }

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "no /dev/full here"),
    arguments: [
      "echo text | bpe-encode > /dev/full", "echo '[5]' | bpe-decode > /dev/full", "echo '[5]' | lm-logits > /dev/full",
      "echo '[5]' | lm-step > /dev/full", "echo '[5]' | lm-logits | lm-topk > /dev/full", "lm-info > /dev/full",
      "bpe-encode --help > /dev/full",
    ])
  func aFullDiskIsAnError(_ script: String) throws {
    let result = try Programs.shell(script)
    #expect(result.status == 74)
    #expect(result.errors.hasSuffix("standard output: No space left on device\n"))
    #expect(result.errors.split(separator: "\n").count == 1)
  }

  @Test func aToolCanBeACoprocess() throws {
    // Each answer is read before the next question is asked: a tool that kept its output would hang here.
    let result = try Programs.shell(
      """
      set -e
      coproc TOOL { bpe-encode | bpe-decode; }
      for word in one two three; do echo $word >&${TOOL[1]}; read -t 120 -r answer <&${TOOL[0]}; echo "$answer"; done
      """)
    #expect(result.text == "one\ntwo\nthree\n")
  }

  @Test func anyBytesComeBack() throws {
    var generator = SeededGenerator(1)
    let bytes = Data((0..<20_000).map { _ in UInt8.random(in: 0...255, using: &generator) })
    let whole = try Programs.shell("bpe-encode -w | bpe-decode -n", input: bytes)
    #expect(whole.output == bytes)
    let records = try Programs.shell("bpe-encode -z | bpe-decode -z", input: bytes + [0])
    #expect(records.output == bytes + [0])
    let lines = try Programs.shell("bpe-encode | bpe-decode", input: bytes + [10])
    #expect(lines.output == bytes + [10])
  }

  @Test func recordsBeforeABadOneAreWritten() throws {
    let result = try Programs.shell(
      "lm-logits | lm-topk -k 1 | jq -c '.topk[0].id // .fatal'", input: Data("[5]\n[6]\nnonsense\n[7]\n".utf8))
    #expect(result.text.split(separator: "\n").count == 3 && result.text.hasSuffix("\ntrue\n"))
    #expect(result.errors.hasPrefix("lm-logits: standard input:3: "))
  }

  @Test func aLongLineIsOneRecord() throws {
    let text = String(repeating: "All work and no play makes Jack a dull boy. ", count: 50_000)
    let result = try Programs.shell("bpe-encode | bpe-decode", input: Data((text + "\n").utf8))
    #expect(result.text == text + "\n")
  }
}

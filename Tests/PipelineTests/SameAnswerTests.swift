import Foundation
import Testing

/// The section SAME BITS of lm-records(5): the output for a record does not depend on the number of threads, on
/// the batch or on the way it is computed. The tests compare bytes, with the bundled model.
@Suite struct SameAnswerTests {
  /// Returns pseudo-random ids.
  static func ids(_ count: Int) -> [Int] { (0..<count).map { (7 * $0 * $0 + 11 * $0 + 3) % 4000 } }
  static func record(_ ids: [Int]) -> String { "{\"ids\":[\(ids.map(String.init).joined(separator: ","))]}\n" }

  func run(_ script: String, _ input: String) throws -> [Substring] {
    let result = try Programs.shell(script, input: Data(input.utf8))
    #expect(result.status == 0, "\(result.errors)")
    return result.text.split(separator: "\n")
  }

  @Test(arguments: [1, 2, 5, 6, 7, 16, 17, 65, 200])
  func threadsDoNotChangeLogits(_ length: Int) throws {
    let input = Self.record(Self.ids(length))
    let one = try run("lm-logits --threads 1", input)
    #expect(one.count == 1)
    for threads in [2, 3, 16] { #expect(try run("lm-logits --threads \(threads)", input) == one) }
  }

  /// The input is large enough to be divided among threads, and has bad records.
  @Test func threadsDoNotChangeEncoding() throws {
    let words = "It was a fine evening and they walked to 東京 with \u{1F600}".split(separator: " ")
    let texts = (0..<20_000).map { index in
      (0..<index % 17).map { words[(index + $0 * $0) % words.count] }.joined(separator: " ")
    }
    let plain = texts.joined(separator: "\n") + "\n"
    let options = ["", "--offsets --tokens", "-z", "-w"]
    for option in options {
      let one = try run("bpe-encode \(option) --threads 1", plain)
      for threads in [2, 5] { #expect(try run("bpe-encode \(option) --threads \(threads)", plain) == one) }
    }
    let records = texts.enumerated().map { index, text in
      index % 997 == 990
        ? "{\"text\":7,\"n\":\(index)}" : index % 991 == 5 ? "{\"error\":\"no\"}" : "{\"text\":\"\(text)\"}"
    }
    let input = Data((records.joined(separator: "\n") + "\n").utf8)
    for option in ["", "--keep-going"] {
      let one = try Programs.shell("bpe-encode -j \(option) --threads 1", input: input)
      #expect(one.status == 65)
      for threads in [2, 5] {
        let many = try Programs.shell("bpe-encode -j \(option) --threads \(threads)", input: input)
        #expect(many.output == one.output && many.errors == one.errors && many.status == one.status)
      }
    }
  }

  /// The records are long and short; some are bad, some are done, one has logits.
  @Test func batchingDoesNotChangeResults() throws {
    var records = (0..<200).map { Self.record(Array(Self.ids(1 + 37 * $0 % 90))) }
    for index in stride(from: 3, to: 200, by: 17) { records[index] = "{\"ids\":[4096],\"n\":\(index)}\n" }
    for index in stride(from: 5, to: 200, by: 31) { records[index] = "{\"ids\":[1],\"done\":\"eos\",\"n\":\(index)}\n" }
    records[60] = "{\"error\":\"earlier\"}\n"
    records[100] = "no record\n"
    records[120] = try run("lm-logits --base64", Self.record([1, 2, 3]))[0] + "\n"
    let input = records.joined()
    for command in ["lm-logits --base64", "lm-step -n 7", "lm-step -n 5 --seed 3"] {
      let together = try Programs.shell("\(command) --keep-going", input: Data(input.utf8))
      let slowly = "while IFS= read -r record; do printf '%s\\n' \"$record\"; sleep 0.005; done"
      let oneByOne = try Programs.shell("\(slowly) | \(command) --keep-going", input: Data(input.utf8))
      #expect(together.status == 65 && oneByOne.status == 65)
      #expect(together.output == oneByOne.output && together.errors == oneByOne.errors)
      #expect(together.text.split(separator: "\n").count == records.count)
      let stopped = try Programs.shell(command, input: Data(input.utf8))
      let lines = stopped.text.split(separator: "\n")
      #expect(stopped.status == 65 && lines.count == 4 && lines[3].hasSuffix("\"fatal\":true}"))
      #expect(together.text.hasPrefix(lines[..<3].joined(separator: "\n") + "\n"))
    }
  }

  @Test func allPositionsMatchTheirPrefixes() throws {
    let ids = Self.ids(40)
    let all = try run("lm-logits --all --base64", Self.record(ids))
    let prefixes = (1...ids.count).map { Self.record(Array(ids[..<$0])) }.joined()
    let alone = try run("lm-logits --base64", prefixes)
    #expect(all.count == ids.count && alone.count == ids.count)
    for (position, pair) in zip(all, alone).enumerated() {
      #expect(pair.0.replacing("\"position\":\(position),", with: "") == pair.1)
    }
  }

  @Test func otherRecordsDoNotChangeLogits() throws {
    let lines = (1...100).map { Self.record(Self.ids(1 + $0 % 23)) }
    let together = try run("lm-logits --base64", lines.joined())
    #expect(together.count == lines.count)
    for index in [0, 41, 99] { #expect(try run("lm-logits --base64", lines[index]) == [together[index]]) }
  }

  @Test func tenStepsEqualOneStepTenTimes() throws {
    let loop =
      "record=$(cat); for i in 1 2 3 4 5 6 7 8 9 10; do record=$(echo \"$record\" | lm-step); done; echo \"$record\""
    let text = "It was a fine evening, and they walked\n"
    let one = try run("bpe-encode | lm-step -n 10", text)
    #expect(try run("bpe-encode | { \(loop); }", text) == one)
    #expect(try run("bpe-encode | lm-logits | lm-step -n 10", text) == one)
    #expect(try run("bpe-encode | lm-step -n 10 --each | tail -1", text) == one)
    #expect(try run("bpe-encode | lm-step -n 3 | lm-step -n 7 --threads 1", text) == one)
  }

  @Test func base64AndDecimalLogitsAreEqual() throws {
    let input = Self.record(Self.ids(9))
    #expect(
      try run("lm-logits | lm-topk -k 4096", input) == run("lm-logits --base64 | lm-topk -k 4096", input))
  }
}

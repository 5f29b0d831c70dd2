import Foundation
import Testing

/// Sampling: the same seed gives the same text, however the work is divided.
@Suite struct SamplingPipeTests {
  private func run(_ script: String, _ environment: [String: String] = [:]) throws -> String {
    let result = try Programs.shell("set -o pipefail; " + script, environment: environment)
    #expect(result.status == 0, "\(result.errors)")
    return result.text
  }

  static let settings = [
    "--temperature 0.8 --top-p 0.95", "--top-k 40 --min-p 0.02", "--repetition-penalty 1.2 --seed 5",
  ]

  /// One process, one process for each token, one for every seven tokens, one thread: the records are equal.
  @Test(arguments: settings)
  func loopsSampleTheSameTokensAsOneCall(_ setting: String) throws {
    let length = 40
    let folder = try TemporaryFolder()
    for seed in [1, 2, 4_000_000_000] {
      let begin = "echo 'Once upon a time' | bpe-encode"
      let options = setting.contains("--seed") ? setting : "\(setting) --seed \(seed)"
      let whole = try run("\(begin) | lm-step -n \(length) \(options)")
      #expect(try run("\(begin) | lm-step -n \(length) \(options) --threads 1") == whole)
      #expect(try run("\(begin) | lm-logits | lm-step -n \(length) \(options)") == whole)
      let loop = "\(begin) > r; for i in $(seq \(length)); do lm-step \(options) < r > s; mv s r; done; cat r"
      #expect(try run("cd \"$FOLDER\"; \(loop)", ["FOLDER": folder.url.path]) == whole)
      let chunks =
        "\(begin) > r; for n in 7 7 7 7 7 5; do lm-step -n $n \(options) < r > s; mv s r; done; cat r"
      #expect(try run("cd \"$FOLDER\"; \(chunks)", ["FOLDER": folder.url.path]) == whole)
    }
  }

  @Test func storesARandomSeedInTheRecord() throws {
    let first = try run("echo 'The old man' | bpe-encode | lm-step --temperature 1")
    let seed = try #require(first.firstMatch(of: /"seed":(\d+)/)?.1)
    let again = try run("echo 'The old man' | bpe-encode | lm-step -n 20 --temperature 1 --seed \(seed)")
    let continued = try run("printf '%s' \"$RECORD\" | lm-step -n 19 --temperature 1", ["RECORD": first])
    #expect(continued == again)
    let others = try run("printf 'The old man\\n%.0s' {1..20} | bpe-encode | lm-step -n 8 --temperature 1 | bpe-decode")
    #expect(Set(others.split(separator: "\n")).count > 10)
  }

  @Test func stopsAtTheContextLengthForAnyCount() throws {
    let many = "printf 'The old man\\n%.0s' 1 2 | bpe-encode | lm-step --ignore-eos -n \(Int.max) | jq -r .done"
    #expect(try run(many) == "length\nlength\n")
  }

  @Test func eachRecordOfARunHasADifferentSeed() throws {
    let many = try run("printf 'The old man\\n%.0s' 1 2 3 | bpe-encode | lm-step -n 5 --seed 10").split(separator: "\n")
    for (index, line) in many.enumerated() {
      #expect(try run("echo 'The old man' | bpe-encode | lm-step -n 5 --seed \(10 + index)") == line + "\n")
    }
  }

  @Test func decodesGreedilyWithoutSamplingOptions() throws {
    let greedy = try run("echo 'The old man' | bpe-encode | lm-step -n 12")
    #expect(!greedy.contains("seed"))
    #expect(try run("echo 'The old man' | bpe-encode | lm-step -n 12 --temperature 0") == greedy)
    #expect(try run("echo 'The old man' | bpe-encode | lm-step -n 12 --repetition-penalty 1") == greedy)
    #expect(
      try run("echo 'The old man' | bpe-encode | lm-step -n 12 --top-k 1 | jq -c .ids")
        == run("printf '%s' \"$RECORD\" | jq -c .ids", ["RECORD": greedy]))
  }

  @Test(arguments: [
    ("--temperature -1", "--temperature must be a number from 0 to 1000 (found \"-1\")"),
    ("--temperature nan", "--temperature must be a number from 0 to 1000 (found \"nan\")"),
    ("--top-p 2", "--top-p must be a number from 0 to 1 (found \"2\")"),
    ("--seed -3", "--seed must be a whole number from 0 to 9007199254740991 (found \"-3\")"),
  ])
  func rejectsOptionValuesOutOfRange(_ option: String, _ message: String) throws {
    let result = try Programs.shell("lm-step \(option) < /dev/null")
    #expect(result.status == 64 && result.errors.contains(message), "\(result.errors)")
  }

  @Test func rejectsRecordsWithABadSeed() throws {
    for seed in ["-1", "1.5", "\"x\"", "9007199254740992"] {
      let result = try Programs.shell("lm-step --temperature 1", input: Data("{\"ids\":[5],\"seed\":\(seed)}\n".utf8))
      #expect(result.status == 65 && result.text.hasSuffix("\"fatal\":true}\n"), "\(seed)")
    }
  }
}

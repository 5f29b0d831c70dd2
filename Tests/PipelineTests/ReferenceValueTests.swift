import Foundation
import JSON
import JSONLines
import Testing

/// Comparisons with the results of other programs.
@Suite struct ReferenceValueTests {
  struct Golden: Decodable {
    let text: String
    let ids: [Int]
    /// The ten most likely ids, in descending order of probability.
    let top: [Int]
    /// The logits of every eighth token of the vocabulary.
    let logits: [Float]
  }

  /// Logits that transformers computed for fifty sentences with the bundled model (Scripts/reference/golden.py).
  @Test func logitsMatchTransformers() throws {
    let file = Programs.checkout.appending(path: "Tests/PipelineTests/Fixtures/golden-logits.jsonl")
    let goldens = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      .map { try JSONDecoder().decode(Golden.self, from: Data($0.utf8)) }
    #expect(goldens.count == 50)
    let texts = goldens.map { $0.text + "\n" }.joined()
    let encoded = try Programs.shell("bpe-encode", input: Data(texts.utf8))
    let result = try Programs.shell("lm-logits", input: encoded.output)
    #expect(result.status == 0)
    let lines = result.text.split(separator: "\n")
    #expect(lines.count == goldens.count)
    for (line, golden) in zip(lines, goldens) {
      let bytes = Array(line.utf8)
      try bytes.withUnsafeBufferPointer { bytes in
        let record = try Record(bytes)
        #expect(try record.ids() == golden.ids)
        let logits = try #require(try record.logits())
        let sampled = stride(from: 0, to: logits.count, by: 8).map { logits[$0] }
        #expect(sampled.count == golden.logits.count)
        let worst = zip(sampled, golden.logits).map { abs($0 - $1) }.max() ?? .infinity
        #expect(worst <= 2e-4, "\(golden.text)")
        let order = logits.indices.sorted { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }
        for (ours, theirs) in zip(order, golden.top) where ours != theirs {  // only near ties may differ
          #expect(abs(logits[ours] - logits[theirs]) <= 2e-4, "\(golden.text)")
        }
      }
    }
  }

  /// Fixed prompts, with next words that were chosen before the model was trained
  /// (Models/wren/training/beginnings.tsv).
  @Test func predictsAcceptedWordsForFixedPrompts() throws {
    let list = try String(
      contentsOf: Programs.checkout.appending(path: "Models/wren/training/beginnings.tsv"), encoding: .utf8)
    let rows = list.split(separator: "\n").map { $0.split(separator: "\t") }
    let beginnings = rows.map { $0[0] + "\n" }.joined()
    let result = try Programs.shell(
      "bpe-encode | lm-logits | lm-topk -k 5 | jq -c '[.topk[].token]'", input: Data(beginnings.utf8))
    let tops = try result.text.split(separator: "\n").map {
      try JSONDecoder().decode([String?].self, from: Data($0.utf8))
    }
    #expect(rows.count == 50 && tops.count == rows.count)
    let accepted = zip(rows, tops).filter { row, top in
      let words = row[1].split(separator: " ").map(String.init)
      return top.contains { words.contains(($0 ?? "").trimmingCharacters(in: .whitespaces)) }
    }
    #expect(accepted.count >= 40)
  }

  struct Published: Decodable {
    let model: String
    let ids: [Int]
    let top: [Top]
    let tolerance: Double
    struct Top: Decodable {
      let id: Int
      let p: Double
    }
  }

  static let published: [Published] = {
    let file = Programs.checkout.appending(path: "Tests/PipelineTests/Fixtures/published.json")
    return (try? JSONDecoder().decode([Published].self, from: Data(contentsOf: file))) ?? []
  }()

  /// The user's hub cache, which other tests do not use.
  static let hubCache: String = {
    let environment = ProcessInfo.processInfo.environment.filter { ["HF_HUB_CACHE", "HF_HOME"].contains($0.key) }
    return environment["HF_HUB_CACHE"] ?? environment["HF_HOME"].map { $0 + "/hub" } ?? NSHomeDirectory()
      + "/.cache/huggingface/hub"
  }()

  /// The models with published probabilities that are in the hub cache.
  static let available: [Published] = published.filter {
    (try? Programs.shell("lm-info -m $MODEL", environment: ["HF_HUB_CACHE": hubCache, "MODEL": $0.model]))?.status == 0
  }

  /// Published probabilities of GPT-2 models.
  @Test(
    .enabled(
      if: !available.isEmpty, "NOT TESTED: published probabilities of GPT-2 models (needs them in the hub cache)"),
    arguments: available)
  func probabilitiesMatchPublishedOnes(_ published: Published) throws {
    let variables = ["HF_HUB_CACHE": Self.hubCache, "MODEL": published.model]
    let result = try Programs.shell(
      "lm-logits -m $MODEL | lm-topk -m $MODEL -k \(published.top.count) | jq -c '.topk[] | [.id, .p]'",
      input: Data("\(published.ids)\n".utf8), environment: variables)
    let lines = result.text.split(separator: "\n")
    #expect(lines.count == published.top.count)
    for (line, top) in zip(lines, published.top) {
      let pair = try JSONDecoder().decode([Double].self, from: Data(line.utf8))
      #expect(Int(pair[0]) == top.id)
      #expect(abs(pair[1] - top.p) <= published.tolerance)
    }
  }
}

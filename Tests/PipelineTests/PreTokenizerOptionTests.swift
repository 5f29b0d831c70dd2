import Foundation
import TestSupport
import Testing

/// `--pre-tokenizer` and $LM_PRE, which name the pre-tokenizer of a GGUF file that does not name its own, in the tools
/// that encode text.
@Suite struct PreTokenizerOptionTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let model = GGUFBuilder.gpt2.with { builder in
      builder.setRandomWeights(seed: 3)
      builder["tokenizer.ggml.pre"] = nil
      builder["tokenizer.ggml.tokens"] = .strings(["<|endoftext|>", "a", "b", "1", "2", "12", "Ġ", "Ġa"])
      builder["tokenizer.ggml.merges"] = .strings(["1 2", "Ġ a"])
    }
    try model.data.write(to: folder.url.appending(path: "model.gguf"))
  }

  private func run(_ script: String) throws -> Programs.Result {
    try Programs.shell(script, environment: ["LM_MODEL": "model.gguf"], in: folder.url)
  }

  /// gpt-2 keeps the digits of a number together, starcoder separates them.
  @Test func namesThePreTokenizer() throws {
    for (command, output) in [
      ("bpe-encode --pre-tokenizer gpt-2 <<< 12 | jq -c .ids", "[5]\n"),
      ("LM_PRE=starcoder bpe-encode <<< 12 | jq -c .ids", "[3,4]\n"),
      ("LM_PRE=starcoder bpe-encode --pre-tokenizer gpt-2 <<< 12 | jq -c .ids", "[5]\n"),
      ("lm-topk --of 12 --pre-tokenizer gpt-2 <<< '[1]' | jq -c '.continuations[].ids'", "[5]\n"),
      ("LM_PRE=starcoder lm-topk --of 12 <<< '[1]' | jq -c '.continuations[].ids'", "[3,4]\n"),
      ("LM_PRE=starcoder lm-topk --of 12 --pre-tokenizer gpt-2 <<< '[1]' | jq -c '.continuations[].ids'", "[5]\n"),
    ] {
      let result = try run(command)
      #expect(result.text == output && result.errors.isEmpty, "\(command): \(result.errors)")
    }
  }

  @Test func isRequiredToEncodeOnly() throws {
    for command in ["bpe-encode <<< a", "lm-topk --of a <<< '[1]'"] {
      let result = try run(command)
      #expect(result.status == 65 && result.errors.contains("--pre-tokenizer NAME names it"), "\(result.errors)")
    }
    for command in ["lm-logits", "lm-topk --nearest", "lm-score", "lm-step", "bpe-decode"] {
      let result = try run("\(command) <<< '[1]'")
      #expect(result.status == 0, "\(command): \(result.errors)")
    }
  }
}

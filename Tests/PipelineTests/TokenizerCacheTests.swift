import Foundation
import Testing

/// The tokenizer cache of the built tools.
@Suite struct TokenizerCacheTests {
  /// Runs a script in a folder with the folder `model`, whose tokenizer has 50,000 tokens and is older than two
  /// seconds.
  private func run(_ script: String) throws -> String {
    let folder = try Programs.newFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let model = folder.appending(path: "model")
    try FileManager.default.createDirectory(at: model, withIntermediateDirectories: true)
    let vocabulary = (["<unk>", "a", "b", "ab"] + (4..<50_000).map { "t\($0)" }).enumerated()
      .map { "\"\($1)\":\($0)" }.joined(separator: ",")
    let json =
      #"{"added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":{"type":"Fuse"},"#
      + #""model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"vocab":{\#(vocabulary)},"merges":["a b"]}}"#
    try Data(json.utf8).write(to: model.appending(path: "tokenizer.json"))
    let result = try Programs.shell(
      "sleep 3; export LMPIPE_CACHE=$PWD/cache LM_NO_TOKENIZER_CACHE=0\n" + script, in: folder)
    #expect(result.errors == "")
    return result.text
  }

  @Test func imagesAreWrittenUsedAndReplaced() throws {
    let text = try run(
      """
      encode() { echo 'abba c' | bpe-encode -m model; }
      LM_NO_TOKENIZER_CACHE=1 encode > expected; ls cache 2>/dev/null | wc -l
      encode | cmp - expected; ls cache/tokenizers | wc -l; cp cache/tokenizers/*.encoding image
      encode | cmp - expected; cmp image cache/tokenizers/*.encoding
      printf x | dd of=$(echo cache/tokenizers/*.encoding) bs=1 seek=100000 conv=notrunc status=none
      encode | cmp - expected; cmp image cache/tokenizers/*.encoding
      head -c 1000 image > $(echo cache/tokenizers/*.encoding)
      encode | cmp - expected; cmp image cache/tokenizers/*.encoding
      encode | bpe-decode -m model; encode | bpe-decode -m model; ls cache/tokenizers | wc -l
      """)
    #expect(text == "0\n1\nabbac\nabbac\n2\n".replacing("abbac", with: "abba<unk>"))
  }

  @Test func processesThatWriteAtTheSameTimeDoNoHarm() throws {
    let text = try run(
      """
      for i in 1 2 3 4 5 6 7 8; do echo ab | bpe-encode -m model > out$i & done; wait
      cat out? | sort -u | wc -l; ls cache/tokenizers | wc -l; echo ab | bpe-encode -m model | cmp - out1
      """)
    #expect(text == "1\n1\n")
  }

  @Test func withoutAFolderToWriteNothingIsWritten() throws {
    let text = try run(
      """
      touch file; for cache in $PWD/file $PWD/a/b/c; do echo ab | LMPIPE_CACHE=$cache bpe-encode -m model; done
      echo ab | env -u LMPIPE_CACHE -u HOME -u XDG_CACHE_HOME bpe-encode -m model
      echo ab | env -u LMPIPE_CACHE -u XDG_CACHE_HOME HOME=$PWD bpe-encode -m model; ls -A | sort | tr '\\n' ' '
      """)
    let lines = text.split(separator: "\n")
    #expect(lines.count == 5 && Set(lines.prefix(4)).count == 1 && lines.last == ".cache file model ", "\(text)")
  }
}

import Testing
import Tokenizer

/// Texts that continue another text, which get no prefix space, and the unknown token in texts.
@Suite struct ContinuationTests {
  private static let mark = "\u{2581}"

  /// Opens BPE of characters with `▁`, `a`, `b` and their pairs with `▁`.
  ///
  /// - Parameter pipeline: the members `normalizer` and `pre_tokenizer` of tokenizer.json.
  private func tokenizer(_ pipeline: String, for purpose: Tokenizer.Purpose = .encoding) throws -> Tokenizer {
    let tokens = ["<unk>", "_", "a", "b", "_a", "_b", "ab", "_ab"].enumerated().map { "\"\($1)\":\($0)" }
    let model = """
      "model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"vocab":{\(tokens.joined(separator: ","))},
      "merges":["_ a","_ b","a b","_a b"]}
      """
    let decoder = """
      "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"_"},"content":" "},{"type":"Fuse"},
      {"type":"Strip","content":" ","start":1,"stop":0}]}
      """
    let file = "{\(model),\(pipeline),\(decoder)}".replacing("_", with: Self.mark)
    // The members of the format have underscores too.
    let names = ["unk_token", "fuse_unk", "pre_tokenizer", "prepend_scheme"]
    return try openTokenizer(
      ["tokenizer.json": names.reduce(file) { $0.replacing($1.replacing("_", with: Self.mark), with: $1) }],
      for: purpose)
  }

  private static let replacement = #"{"type":"Replace","pattern":{"String":" "},"content":"_"}"#

  private static let pipelines = [
    #""normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"_"},\#(replacement)]}"#,
    #""pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"first","split":true}"#,
    #""pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"always","split":true}"#,
    #""pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},"#
      + #"{"type":"Metaspace","replacement":"_","prepend_scheme":"always","split":true}]}"#,
  ]

  @Test(arguments: pipelines)
  func continuationsGetNoPrefixSpace(_ pipeline: String) throws {
    let tokenizer = try tokenizer(pipeline)
    func encode(_ text: String, addsPrefix: Bool) throws -> [Int32] {
      let tokens = TokenBuffer(recordsEnds: false)
      try Array(text.utf8).withUnsafeBufferPointer {
        try tokenizer.makeEncoder(addsPrefix: addsPrefix).encode($0, into: tokens)
      }
      return Array(tokens.ids)
    }
    for (text, with, without) in [
      ("ab", [7], [6]), ("a", [4], [2]), ("b a", [5, 4], [3, 4]), ("ab ab a", [7, 7, 4], [6, 7, 4]),
    ] as [(String, [Int32], [Int32])] {
      #expect(try encode(text, addsPrefix: true) == with && encode(text, addsPrefix: false) == without, "\(text)")
    }
    #expect(try encode(" ab a", addsPrefix: false) == [7, 4])
  }

  @Test(arguments: [Tokenizer.Purpose.encoding, .decoding])
  func unknownTokenStandsForAnyText(_ purpose: Tokenizer.Purpose) throws {
    let tokenizer = try tokenizer(Self.pipelines[0], for: purpose)
    func isText(_ text: String, _ ids: [Int]) -> Bool { tokenizer.isText(Array(text.utf8), of: ids) }
    #expect(isText("ab \u{65E5}\u{672C} a", [7, 1, 0, 4]) && isText("xyz", [0]) && isText("a xyz a", [4, 1, 0, 4]))
    #expect(isText("a x a y b", [4, 1, 0, 4, 1, 0, 5]) && isText("x a", [1, 0, 4]))
    #expect(!isText("ab x b", [7, 1, 0, 4]) && !isText("b x a", [7, 1, 0, 4]) && !isText("a x b", [4, 1, 0, 5, 3]))
    // The time is limited: the text is then not recognized, at worst.
    let ids = (0..<20_000).flatMap { _ in [0, 2] }
    _ = isText(String(repeating: "xa", count: 100_000) + "b", ids)
  }
}

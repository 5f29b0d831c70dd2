import TestSupport
import Testing
import Tokenizer

@Suite struct EncodingTests {
  @Test func idsEqualTheReference() throws {
    let plain = try Fixture.tokenizer()
    let byteLevel = #"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"#
    func with(_ preTokenizer: String) throws -> Tokenizer {
      try Fixture.tokenizer(replacing: [#""pre_tokenizer":\#(byteLevel)"#: #""pre_tokenizer":\#(preTokenizer)"#])
    }
    let prefix = byteLevel.replacing("false", with: "true")
    func digits(_ isIndividual: Bool, _ byteLevel: String) -> String {
      #"{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":\#(isIndividual)},\#(byteLevel)]}"#
    }
    let ownPrefix = try with(prefix)
    let individual = try with(digits(true, byteLevel))
    let runs = try with(digits(false, byteLevel))
    let individualPrefix = try with(digits(true, prefix))
    func split(_ preTokenizer: KnownPattern) -> String {
      let pattern = SmallVocabulary.quoted(preTokenizer.rawValue)
      let split = #"{"type":"Split","pattern":{"Regex":\#(pattern)},"behavior":"Isolated","invert":false}"#
      let bytes = byteLevel.replacing(#""use_regex":true"#, with: #""use_regex":false"#)
      return #"{"type":"Sequence","pretokenizers":[\#(split),\#(bytes)]}"#
    }
    let explicit = try with(split(.gpt2))
    let llama3 = try with(split(.llama3))
    let qwen2 = try Fixture.tokenizer(replacing: [
      #""normalizer":null"#: #""normalizer":{"type":"NFC"}"#,
      #""pre_tokenizer":\#(byteLevel)"#: #""pre_tokenizer":\#(split(.qwen2))"#,
    ])
    for golden in try Fixture.golden() {
      #expect(try plain.encode(golden.text) == golden.ids, "\(golden.text)")
      #expect(try plain.encode(golden.text, special: true) == golden.special, "\(golden.text)")
      #expect(try plain.encode(golden.text, prefix: true) == golden.prefix, "\(golden.text)")
      #expect(try ownPrefix.encode(golden.text) == golden.prefix, "\(golden.text)")
      #expect(try ownPrefix.encode(golden.text, prefix: true) == golden.prefix, "\(golden.text)")
      #expect(try individual.encode(golden.text) == golden.digits, "\(golden.text)")
      #expect(try runs.encode(golden.text) == golden.digitRuns, "\(golden.text)")
      #expect(try individualPrefix.encode(golden.text) == golden.digitsPrefix, "\(golden.text)")
      #expect(try explicit.encode(golden.text) == golden.ids, "\(golden.text)")
      #expect(try llama3.encode(golden.text) == golden.llama3, "\(golden.text)")
      #expect(try qwen2.encode(golden.text) == golden.qwen2, "\(golden.text)")
    }
  }

  @Test func decodingReturnsAnyBytes() throws {
    let tokenizer = try Fixture.tokenizer()
    let encoder = tokenizer.makeEncoder()
    let tokens = TokenBuffer(recordsEnds: true)
    let frequent: [UInt8] = [0x20, 0x61, 0xC3, 0xA9, 0xE6, 0x9D, 0xB1, 0xF0]  // so that well-formed UTF-8 occurs
    var generator = SeededGenerator(1)
    for round in 0..<10_000 {
      let length = Int.random(in: 0...(round % 100 == 0 ? 2000 : 40), using: &generator)
      let bytes: [UInt8] = (0..<length).map { _ in
        Bool.random(using: &generator)
          ? .random(in: 0...255, using: &generator) : frequent.randomElement(using: &generator)!
      }
      tokens.removeAll()
      try bytes.withUnsafeBufferPointer { try encoder.encode($0, into: tokens) }
      let decoded = tokenizer.decode(Array(tokens.ids))
      guard decoded == bytes else {
        Issue.record("\(bytes) were decoded as \(decoded)")
        return
      }
      #expect(tokens.ends.last ?? 0 == bytes.count && tokens.ends.count == tokens.count)
    }
  }

  @Test func endsAreOffsetsInTheText() throws {
    let tokenizer = try SmallVocabulary(["a b", "Ġ c"]).open()
    #expect(try tokenizer.encode(Array("ab cab".utf8)).ends == [2, 4, 6])
    #expect(try tokenizer.encode(Array("cab".utf8), prefix: true).ends == [1, 3])  // " c" is the c of the text
    #expect(try tokenizer.encode(Array("ab".utf8), prefix: true).ends == [0, 2])  // the space is not in the text
    #expect(try tokenizer.encode(Array(" c".utf8), prefix: true).ends == [2])
    #expect(try tokenizer.encode([], prefix: true).ids == [])
  }

  @Test func prefixSpaceIsAddedOnceAtTheStart() throws {
    let tokenizer = try Fixture.tokenizer()
    for text in ["it it\nit", "\tit", "1 it", "'s"] {
      #expect(try tokenizer.encode(text, prefix: true) == tokenizer.encode(" " + text))
    }
    #expect(try tokenizer.encode(" it", prefix: true) == tokenizer.encode(" it"))
    #expect(try tokenizer.tokens("a<|endoftext|>a", special: true, prefix: true) == " a|<|endoftext|>|a")
  }

  @Test func outputIsAppended() throws {
    let tokenizer = try SmallVocabulary().open()
    let tokens = TokenBuffer(recordsEnds: true)
    tokens.append(7, end: 8)
    try [UInt8]([0x61]).withUnsafeBufferPointer { try tokenizer.makeEncoder().encode($0, into: tokens) }
    #expect(Array(tokens.ids) == [7, 0x61])
    #expect(Array(tokens.ends) == [8, 1])
  }

  // MARK: - Merges

  @Test func lowestRankFirstThenLeftmost() throws {
    let tokenizer = try SmallVocabulary(["b c", "a b", "ab c", "a a"]).open()
    #expect(try tokenizer.tokens("abc") == "a|bc")  // b c has the lower rank, and a bc is not a merge
    #expect(try tokenizer.tokens("aaa") == "aa|a")
    #expect(try tokenizer.tokens("abab") == "ab|ab")
  }

  @Test func onlyListedMergesJoin() throws {
    let tokenizer = try SmallVocabulary(["b c", "a bc", "x y", "y z", "xy z", "x yz"]).open()
    #expect(try tokenizer.tokens("abc") == "abc")
    #expect(try tokenizer.tokens("xyz") == "xyz")  // two merges make the same token
    #expect(try tokenizer.tokens("yz") == "yz")
  }

  @Test func pathsForShortAndLongPreTokensAgree() throws {
    let tokenizer = try Fixture.tokenizer()
    let merges = (0..<500).compactMap { tokenizer.bytes(of: $0).map(Array.init) }.filter { $0.count > 1 }
    let ranks = Dictionary(uniqueKeysWithValues: zip(merges, 0...))
    // Letters only, so one pre-token
    var generator = SeededGenerator(2)
    for length in [5, 13, 30, 31, 32, 100, 127, 128, 129, 130, 300, 1000] {
      let letters = (0..<length).map { _ in Array("theasonfoli".utf8).randomElement(using: &generator)! }
      let tokens = plainMerges(letters) { ranks[$0 + $1] }
      #expect(try tokenizer.encode(letters).ids == tokens.map { Int32(tokenizer.id(of: $0)!) })
    }
  }

  /// A merge may be listed before the merges that make its halves, so that a join allows another merge of a lower rank.
  @Test func mergesCanBeInAnyOrder() throws {
    var generator = SeededGenerator(4)
    for round in 0..<60 {
      var tokens = ["a", "b", "c", "d"]
      var merges: Set<[String]> = []
      for _ in 0..<40 {
        let merge = [tokens.randomElement(using: &generator)!, tokens.randomElement(using: &generator)!]
        merges.insert(merge)
        if !tokens.contains(merge.joined()) { tokens.append(merge.joined()) }
      }
      let order = merges.sorted { $0.lexicographicallyPrecedes($1) }.shuffled(using: &generator)
      let ranks = Dictionary(uniqueKeysWithValues: zip(order.map { $0.map { Array($0.utf8) } }, 0...))
      let tokenizer = try SmallVocabulary(order.map { $0.joined(separator: " ") }).open()
      let encoder = tokenizer.makeEncoder()
      let buffer = TokenBuffer(recordsEnds: false)
      for length in [1, 2, 3, 10, 12, 13, 40, 128, 129, 500] {
        let letters = (0..<length).map { _ in Array("abcd".utf8).prefix(2 + round % 3).randomElement(using: &generator)!
        }
        buffer.removeAll()
        try letters.withUnsafeBufferPointer { try encoder.encode($0, into: buffer) }
        let expected = plainMerges(letters) { ranks[[$0, $1]] }
        #expect(buffer.ids.map { tokenizer.decode([$0]) } == expected)
      }
    }
  }

  /// Pre-tokens of several windows, compared with the definition. With some of these vocabularies almost no token of a
  /// window is final, and most have merges out of order.
  @Test func windowsDoNotChangeTokens() throws {
    var generator = SeededGenerator(6)
    for round in 0..<15 {
      var tokens = ["a", "b", "c"]
      var merges: [[String]] = []
      for _ in 0..<30 {
        let merge = [tokens.randomElement(using: &generator)!, tokens.randomElement(using: &generator)!]
        guard !merges.contains(merge), merge.joined().count < 40 else { continue }
        merges.append(merge)
        if !tokens.contains(merge.joined()) { tokens.append(merge.joined()) }
      }
      if round % 2 == 0 { merges.shuffle(using: &generator) }
      let tokenizer = try SmallVocabulary(merges.map { $0.joined(separator: " ") }).open()
      let ranks = Dictionary(uniqueKeysWithValues: zip(merges.map { $0.map { Array($0.utf8) } }, 0...))
      let period = (0..<[1, 2, 3, 5, 1000][round % 5]).map { _ in Array("abc".utf8).randomElement(using: &generator)! }
      let text = (0..<40_000).map { index in
        round % 3 == 0 && index % 977 == 0
          ? Array("abc".utf8).randomElement(using: &generator)! : period[index % period.count]
      }
      #expect(try tokenizer.encode(text).ids.map { tokenizer.decode([$0]) } == quickMerges(text) { ranks[[$0, $1]] })
    }
  }

  /// Returns the same as `plainMerges` in less time: a segment tree over the ranks of all positions finds the lowest.
  private func quickMerges(_ bytes: [UInt8], _ rank: ([UInt8], [UInt8]) -> Int?) -> [[UInt8]] {
    var ends = Array(1...bytes.count)
    var previous = Array(-1..<bytes.count - 1)
    var tree = [Int](repeating: .max, count: 1 << 17)  // a node is the minimum of its two children
    func text(_ start: Int) -> ArraySlice<UInt8> { bytes[start..<ends[start]] }
    func set(_ start: Int, _ rank: Int) {
      var index = tree.count / 2 + start
      tree[index] = rank
      while index > 1 {
        index /= 2
        tree[index] = min(tree[2 * index], tree[2 * index + 1])
      }
    }
    func look(_ start: Int) {
      let isLast = ends[start] == bytes.count
      set(start, isLast ? .max : rank(Array(text(start)), Array(text(ends[start]))) ?? .max)
    }
    for start in bytes.indices { look(start) }
    while tree[1] < .max {
      var index = 1
      while index < tree.count / 2 { index = tree[2 * index] == tree[index] ? 2 * index : 2 * index + 1 }
      let start = index - tree.count / 2
      let cut = ends[start]
      set(cut, .max)
      ends[start] = ends[cut]
      if ends[start] < bytes.count { previous[ends[start]] = start }
      look(start)
      if previous[start] >= 0 { look(previous[start]) }
    }
    return sequence(first: 0) { ends[$0] < bytes.count ? ends[$0] : nil }.map { Array(text($0)) }
  }

  /// Byte-pair merging by its definition.
  private func plainMerges(_ bytes: [UInt8], _ rank: ([UInt8], [UInt8]) -> Int?) -> [[UInt8]] {
    var parts = bytes.map { [$0] }
    while true {
      let joined = (0..<max(parts.count - 1, 0)).compactMap { index in
        rank(parts[index], parts[index + 1]).map { (rank: $0, index: index) }
      }
      guard let first = joined.min(by: { ($0.rank, $0.index) < ($1.rank, $1.index) }) else { return parts }
      parts[first.index] += parts.remove(at: first.index + 1)
    }
  }

  /// More distinct pre-tokens than a cache holds, and pre-tokens that can be split because no merge joins their middle.
  @Test func cachesDoNotChangeResults() throws {
    let tokenizer = try Fixture.tokenizer()
    let encoder = tokenizer.makeEncoder()
    let buffer = TokenBuffer(recordsEnds: true)
    var generator = SeededGenerator(5)
    let words = (0..<3000).map { _ in
      " "
        + String(
          (0..<Int.random(in: 1...40, using: &generator)).map { _ in "theasonfli東京é".randomElement(using: &generator)! }
        )
    }
    for word in words + words.reversed() {
      let bytes = Array(word.utf8)
      buffer.removeAll()
      try bytes.withUnsafeBufferPointer { try encoder.encode($0, into: buffer) }
      let (ids, ends) = try tokenizer.encode(bytes)
      #expect(buffer.ids.elementsEqual(ids) && buffer.ends.elementsEqual(ends))
    }
  }

  @Test func encodesAMillionEqualLetters() throws {
    let tokenizer = try SmallVocabulary(["a a", "aa aa", "aaaa aaaa"]).open()
    let (ids, ends) = try tokenizer.encode([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_003))
    #expect(ids.count == 125_000 + 2)
    #expect(ids.dropLast(2).allSatisfy { $0 == 258 } && ids.suffix(2) == [256, 0x61])
    #expect(ends.last == 1_000_003)
  }

  @Test func tokensWithoutMergesNeedIgnoreMerges() throws {
    var small = SmallVocabulary(["a b"])
    small.tokens.append("abc")
    #expect(try small.open().tokens("abc") == "ab|c")
    func json(_ ignore: Bool) -> String {
      #"""
      {"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
       "model":{"type":"BPE","ignore_merges":\#(ignore),"vocab":\#(small.vocabularyJSON),"merges":["a b"]}}
      """#
    }
    #expect(try openTokenizer(["tokenizer.json": json(false)]).tokens("abc") == "ab|c")
    #expect(try openTokenizer(["tokenizer.json": json(true)]).tokens("abc, abc") == "abc|,| |ab|c")
  }

  // MARK: - Added tokens

  @Test func specialTokensAreTextUnlessRecognized() throws {
    let tokenizer = try Fixture.tokenizer()
    let end = try #require(tokenizer.bosTokenID)
    #expect(tokenizer.isSpecial(end) && !tokenizer.isSpecial(end + 1))
    #expect(try !tokenizer.encode("<|endoftext|>").contains(Int32(end)))
    #expect(try tokenizer.encode("<|endoftext|>", special: true) == [Int32(end)])
    #expect(try tokenizer.tokens("a<|endoftext|> a", special: true) == "a|<|endoftext|>| a")
    #expect(tokenizer.decode([Int32(end)]) == Array("<|endoftext|>".utf8))
  }

  private func withAddedTokens(_ tokens: String) throws -> Tokenizer {
    try Fixture.tokenizer(replacing: [#""added_tokens":["#: #""added_tokens":[\#(tokens),"#])
  }

  @Test func leftmostLongestAddedTokenIsFound() throws {
    let tokenizer = try withAddedTokens(
      #"""
      {"id":500,"content":"<a>","special":true,"normalized":false},
      {"id":501,"content":"<a><b>","special":true,"normalized":false}
      """#)
    #expect(tokenizer.vocabularySize == 502)
    #expect(try tokenizer.encode("<a><b><a>", special: true) == [501, 500])
    #expect(try tokenizer.tokens("x<a>y", special: true) == "x|<a>|y")
  }

  @Test func addedWordsAreAlwaysFound() throws {
    let tokenizer = try withAddedTokens(
      #"""
      {"id":500,"content":"<w>xy","special":false,"normalized":true},
      {"id":501,"content":"xy","special":false,"normalized":false},
      {"id":502,"content":"été ici","special":false}
      """#)
    #expect(try tokenizer.encode("xyxy") == [501, 501])
    #expect(try tokenizer.tokens("Q<w>xy") == "Q|<|w|>|xy")  // tokens that are not "normalized" are found first
    #expect(try tokenizer.tokens("Qété ici") == "Q|été ici")
    #expect(!tokenizer.isSpecial(500))
    #expect(tokenizer.decode([502, 501]) == Array("été icixy".utf8))
  }

  @Test func findsLeftmostLongestOfRandomTokens() throws {
    var generator = SeededGenerator(9)
    func random(_ longest: Int) -> [UInt8] {
      (0..<Int.random(in: 1...longest, using: &generator)).map { _ in
        Array("<ab>".utf8).randomElement(using: &generator)!
      }
    }
    for _ in 0..<200 {
      var added: [[UInt8]] = []
      for token in (0..<8).map({ _ in random(3) + random(3) }) where !added.contains(token) { added.append(token) }
      let tokens = added.enumerated()
        .map { #"{"id":\#(500 + $0),"content":"\#(String(decoding: $1, as: UTF8.self))","special":true}"# }
      let tokenizer = try withAddedTokens(tokens.joined(separator: ","))
      for _ in 0..<20 {
        let text = random(30)
        var expected: [Int32] = []
        var rest = text[...]
        while !rest.isEmpty {
          let found = added.enumerated().filter { rest.starts(with: $1) }.max { $0.element.count < $1.element.count }
          if let found { expected.append(Int32(500 + found.offset)) }
          rest = rest.dropFirst(found?.element.count ?? 1)
        }
        #expect(try tokenizer.encode(text, special: true).ids.filter { $0 >= 500 } == expected)
      }
    }
  }

  @Test func findsSixtyThousandAddedTokens() throws {
    let added = (0..<60_000).map { #"{"id":\#(500 + $0),"content":"<|\#($0)|>","special":true}"# }
    let tokenizer = try withAddedTokens(added.joined(separator: ","))
    let text = String(repeating: "<", count: 100_000) + "|12345|>"
    #expect(try tokenizer.encode(text, special: true).last == 12_845)
    #expect(tokenizer.isSpecial(60_499) && !tokenizer.isSpecial(60_500))
  }

  /// At each position the long token is a candidate up to the end of the text.
  @Test func aLongAddedTokenBesideItsFirstByteCostsLinearTime() throws {
    let long = String(repeating: "<", count: 60_000)
    let tokenizer = try withAddedTokens(
      #"{"id":28,"content":"<","special":true},{"id":500,"content":"\#(long)","special":true}"#)
    let text = [UInt8](repeating: UInt8(ascii: "<"), count: 460_000)
    let ids = try tokenizer.encode(text, special: true).ids
    #expect(
      ids.count == 7 + 40_000 && ids.prefix(7).allSatisfy { $0 == 500 } && ids.dropFirst(7).allSatisfy { $0 == 28 })
  }

  // MARK: - Bytes without a token

  @Test func byteWithoutTokenIsReported() throws {
    var small = SmallVocabulary()
    small.tokens.removeAll { $0 == "z" }
    let tokenizer = try small.open()
    #expect(try tokenizer.tokens("xyx") == "x|y|x")
    #expect(throws: TextEncodingError(byte: 0x7A, offset: 3)) { try tokenizer.encode("x yz") }
    #expect(throws: TextEncodingError(byte: 0x7A, offset: 0)) { try tokenizer.encode("z", prefix: true) }
    #expect(
      TextEncodingError(byte: 0x0A, offset: 3).description
        == "byte 4 of the text: the vocabulary has no token for 0x0A")
    small.tokens.removeAll { $0.hasPrefix("Ġ") }
    small.merges.removeAll { $0.hasPrefix("Ġ") }
    let spaceless = try small.open()
    #expect(throws: TextEncodingError(byte: 0x20, offset: nil)) { try spaceless.encode("x", prefix: true) }
    #expect(throws: TextEncodingError(byte: 0x20, offset: 1)) { try spaceless.encode("x y") }
    #expect(
      TextEncodingError(byte: 0x20, offset: nil).description
        == "the vocabulary has no token for the space that is added before the text")
    let tokens = TokenBuffer(recordsEnds: true)
    tokens.append(1, end: 1)
    #expect(throws: TextEncodingError.self) {
      try Array("a z".utf8).withUnsafeBufferPointer { try tokenizer.makeEncoder().encode($0, into: tokens) }
    }
    #expect(Array(tokens.ids) == [1] && Array(tokens.ends) == [1])
  }
}

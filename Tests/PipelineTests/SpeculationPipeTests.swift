import Foundation
import TestSupport
import Testing

/// Speculation does not change a byte of the output or of a cache file, whatever is drafted: drafts from the text, from
/// the model itself, whose drafts are all accepted, and from models that err always or whose logits are not finite.
@Suite struct SpeculationPipeTests {
  private let temporaryFolder: TemporaryFolder
  private var folder: URL { temporaryFolder.url }

  init() throws { temporaryFolder = try TemporaryFolder() }

  private static let wren = Programs.checkout.appending(path: "Models/wren")

  /// Texts that repeat themselves, so that drafts from the text are accepted, and texts that do not.
  private static let texts = [
    "The cat sat on the mat. The dog sat on the mat. The cat sat on the mat. The dog",
    "Once upon a time there was a little girl who", "one two three one two three one two three one two", "A",
    "Tom said: I am here. Ann said: I am here. Tom said: I am",
  ]

  private func write(_ ids: [[Int]]) throws {
    let records = ids.map { "{\"ids\":\($0)}\n" }.joined()
    try Data(records.utf8).write(to: folder.appending(path: "in"))
  }

  private func encodeTexts() throws {
    let input = Data(Self.texts.map { $0 + "\n" }.joined().utf8)
    let result = try Programs.shell("bpe-encode", input: input)
    try result.output.write(to: folder.appending(path: "in"))
  }

  /// Makes a copy of wren whose final norm multiplies by `factor`: with 0, all logits are equal and the most likely
  /// token is the first; with NaN, logits are not finite.
  private func makeDraft(_ name: String, factor: Float) throws {
    try changeWeights(name, "ln_f.weight", factor: factor)
    if factor == 0 { try changeWeights(name, "ln_f.bias", factor: 0) }
  }

  /// Multiplies the numbers of a tensor, or some of them, in a copy of wren.
  private func changeWeights(_ name: String, _ tensor: String, in range: Range<Int>? = nil, factor: Float) throws {
    let copy = folder.appending(path: name)
    if !FileManager.default.fileExists(atPath: copy.path) { try FileManager.default.copyItem(at: Self.wren, to: copy) }
    let file = copy.appending(path: "model.safetensors")
    var data = try Data(contentsOf: file)
    let headerSize = Int(data.prefix(8).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
    let header = try #require(
      try JSONSerialization.jsonObject(with: data[8..<8 + headerSize]) as? [String: [String: Any]])
    let key = try #require(header.keys.first { $0.hasSuffix(tensor) })
    let offsets = try #require(header[key]?["data_offsets"] as? [Int])
    try #require(header[key]?["dtype"] as? String == "BF16")
    let count = (offsets[1] - offsets[0]) / 2
    for index in range ?? 0..<count {
      let place = 8 + headerSize + offsets[0] + 2 * index
      let number = Float(bitPattern: UInt32(data[place + 1]) << 24 | UInt32(data[place]) << 16) * factor
      (data[place], data[place + 1]) = (
        UInt8(number.bitPattern >> 16 & 0xFF), UInt8(number.bitPattern >> 24)
      )
    }
    try data.write(to: file)
  }

  private func run(_ command: String, status: Int32 = 0) throws -> Data {
    let result = try Programs.shell(command, in: folder)
    #expect(result.status == status, "\(command): \(result.errors)")
    return result.output
  }

  /// Expects the output of `lm-step` with these options to be the same with all drafts, and with a cache file too.
  private func expectSame(_ options: String, model: String = "", status: Int32 = 0, cache hasCache: Bool = true) throws
  {
    let expected = try run("lm-step \(model) \(options) --no-speculation in", status: status)
    let drafts = ["", "--threads 1", "--draft \"$CHECKOUT/Models/wren\"", "--draft wrong", "--draft nan"]
    for draft in model.hasPrefix("-m /") ? ["", "--draft \(model.dropFirst(3))"] : drafts {
      #expect(try run("lm-step \(model) \(options) \(draft) in", status: status) == expected, "\(options) \(draft)")
      guard hasCache else { continue }
      let cached = "rm -f cache plain; lm-step -q \(model) \(options) --cache"
      _ = try run("\(cached) plain --no-speculation in", status: status)
      #expect(
        try run("lm-step -q \(model) \(options) --cache cache \(draft) in", status: status) == expected,
        "\(options) --cache \(draft)")
      #expect(
        try Data(contentsOf: folder.appending(path: "cache")) == Data(contentsOf: folder.appending(path: "plain")),
        "\(options) \(draft): the cache files differ")
    }
  }

  private func prepare() throws {
    try encodeTexts()
    try makeDraft("wrong", factor: 0)
    try makeDraft("nan", factor: .nan)
  }

  @Test(arguments: [
    "-n 60", "-n 60 --temperature 0.7 --seed 3", "-n 40 --top-k 5 --seed 1",
    "-n 40 --temperature 0.3 --top-p 0.9 --seed 2",
    "-n 40 --min-p 0.2 --seed 5", "-n 40 --repetition-penalty 1.2", "-n 40 --bias ' the=2' --bias ' and=-3'",
    "-n 40 --ban ' the' --ban '. '", "-n 40 --stop ' mat' --stop said --stop '. '",
    "-n 40 --temperature 0.5 --seed 4 --stop e --ban 'o'",
  ])
  func optionsGiveTheSameOutput(_ options: String) throws {
    try prepare()
    try expectSame(options)
  }

  @Test func alternativesAndSingleStepsGiveTheSameOutput() throws {
    try prepare()
    try expectSame("-n 40 --alternatives 4 --temperature 0.4 --seed 9", cache: false)
    try expectSame("-n 40 --each")
    try expectSame("-n 20 --each --temperature 0.2 --seed 9")
  }

  /// The last token is within a draft, for every length.
  @Test func endsAfterAnyNumberOfTokens() throws {
    try prepare()
    for count in 1...14 { try expectSame("-n \(count)", cache: count % 5 == 0) }
  }

  /// wren's context length is 512.
  @Test func endsAtTheContextLength() throws {
    try prepare()
    try expectSame("-n 1000 --ignore-eos")
  }

  /// The end-of-text token is made so likely that it is drafted and comes after any number of accepted tokens.
  @Test(arguments: ["--bias 0=6", "--bias 0=8 --temperature 0.8 --seed 2", "--bias 0=12 --ignore-eos"])
  func endOfTextTokensWithinDrafts(_ options: String) throws {
    try prepare()
    try expectSame("-n 60 \(options)")
  }

  /// Logits of later positions are not finite: the same record is refused, and those before it are written.
  @Test func refusesTheSameRecords() throws {
    try prepare()
    try changeWeights("damaged", "wpe.weight", in: 192 * 45..<192 * 45 + 10, factor: .nan)
    try expectSame("-n 60", model: "-m damaged", status: 65)
    try expectSame("-n 60 --keep-going", model: "-m damaged", status: 65)
    try expectSame("-n 60 --each --keep-going", model: "-m damaged", status: 65)
  }

  @Test func usesLogitsOfRecords() throws {
    try prepare()
    _ = try run("lm-logits in > logits; mv logits in")
    try expectSame("-n 30")
  }

  /// A cache of a longer sequence is kept, if drafts are written over it and rejected.
  @Test func draftsDoNotDamageACache() throws {
    try prepare()
    let begin = "head -n 1 in > r; lm-step -n 60 --cache c r > long; cp c kept"
    _ = try run(begin)
    let options = "-n 5 --temperature 2 --seed 3"
    let expected = try run("cp kept c; lm-step \(options) --no-speculation --cache c r")
    let plain = try Data(contentsOf: folder.appending(path: "c"))
    for draft in ["", "--draft wrong", "--draft \"$CHECKOUT/Models/wren\""] {
      #expect(try run("cp kept c; lm-step \(options) \(draft) --cache c r") == expected)
      #expect(try Data(contentsOf: folder.appending(path: "c")) == plain, "\(draft)")
    }
  }

  static let families: [String] = {
    let models = Programs.checkout.appending(path: "Tests/LanguageModelTests/Fixtures/models")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: models.path)) ?? []
    return names.filter { $0.hasSuffix(".gguf") }.sorted().map { models.appending(path: $0).path }
  }()

  /// Windows, ALiBi, RoPE of several kinds, shared keys, quantized weights.
  @Test(arguments: families)
  func familiesGiveTheSameOutput(_ model: String) throws {
    try write([[5, 6, 7, 5, 6], [9], [5, 6, 7, 8, 9, 10, 5, 6, 7, 8, 9, 10, 5]])
    try expectSame("-n 45 --ignore-eos", model: "-m \(model)")
    try expectSame("-n 45 --temperature 0.3 --seed 3", model: "-m \(model)")
  }

  @Test func requiresTheSameVocabulary() throws {
    try encodeTexts()
    let other = folder.appending(path: "other")
    try FileManager.default.copyItem(at: Self.wren, to: other)
    let file = other.appending(path: "tokenizer.json")
    let tokenizer = try String(contentsOf: file, encoding: .utf8)
    try tokenizer.replacing("\"Ġthe\":", with: "\"Ġteh\":").write(to: file, atomically: true, encoding: .utf8)
    let result = try Programs.shell("lm-step -n 5 --draft other in", in: folder)
    #expect(result.status == 65)
    #expect(
      try result.errors.firstMatch(
        of: Regex(#"--draft other: .* token \d+ is " teh" instead of " the""#)) != nil, "\(result.errors)")
    let exclusive = try Programs.shell("lm-step --draft other --no-speculation in", in: folder)
    #expect(exclusive.status == 64)
  }
}

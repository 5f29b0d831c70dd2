import Foundation
import Platform
import Testing
import Tokenizer

/// Small tokenizers of many kinds, and what `tokenizers` makes of some texts with each. Written by
/// Scripts/reference/tokenizer/make_pipelines.py.
private struct Pipeline: Decodable, CustomTestStringConvertible {
  /// The contents of tokenizer.json.
  let name, json: String
  let texts: [String]
  /// The ids of each text without and with recognition of special tokens.
  let ids, special: [[Int32]]
  /// The text of `special` without special tokens.
  let decoded: [String]

  var testDescription: String { name }

  static let all: [Pipeline] = {
    do {
      return try String(contentsOfFile: Fixture.folder + "/pipelines.jsonl", encoding: .utf8).split(separator: "\n")
        .map { try JSONDecoder().decode(Pipeline.self, from: Data($0.utf8)) }
    } catch { fatalError("\(error)") }
  }()
}

@Suite struct PreTokenizationTests {
  @Test(arguments: Pipeline.all) private func agreesWithTokenizers(pipeline: Pipeline) throws {
    let tokenizer = try openTokenizer(["tokenizer.json": pipeline.json])
    for (index, text) in pipeline.texts.enumerated() {
      let (ids, ends) = try tokenizer.encode(Array(text.utf8))
      #expect(ids == pipeline.ids[index], "\(text.debugDescription)")
      #expect(zip(ends, ends.dropFirst()).allSatisfy { $0 <= $1 } && ends.last ?? 0 <= text.utf8.count)
      let special = try tokenizer.encode(Array(text.utf8), special: true).ids
      #expect(special == pipeline.special[index], "\(text.debugDescription)")
      // `tokenizers` replaces bytes that are not UTF-8
      let decoded = String(decoding: tokenizer.decode(special.map(Int.init), omitsSpecial: true), as: UTF8.self)
      #expect(decoded == pipeline.decoded[index], "\(text.debugDescription)")
    }
  }

  @Test(arguments: Pipeline.all) private func decodesTheSameForDecodingOnly(pipeline: Pipeline) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(pipeline.json.utf8).write(to: folder.appending(path: "tokenizer.json"))
    let encoding = try Tokenizer(folder: Path(folder.path))
    let decoding = try Tokenizer(folder: Path(folder.path), for: .decoding)
    #expect(encoding.fingerprint == decoding.fingerprint)
    #expect(encoding.vocabularySize == decoding.vocabularySize)
    for ids in pipeline.special {
      #expect(decoding.decode(ids.map(Int.init)) == encoding.decode(ids.map(Int.init)))
    }
  }

  /// All names in `GGUFPreTokenizer` have patterns that compile.
  @Test func everyNameOfGGUFHasAPreTokenizer() {
    for name in GGUFPreTokenizer.names { #expect(GGUFPreTokenizer(name) != nil, "\(name)") }
    #expect(GGUFPreTokenizer("afmoe") == nil)
  }
}

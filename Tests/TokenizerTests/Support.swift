import Foundation
import Platform
import Tokenizer

/// A vocabulary of 500 tokens in both file forms, and what the `tokenizers` library makes of some texts with it; all
/// written by Tests/Reference/tokenizer/make_fixture.py.
enum Fixture {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../Reference/tokenizer/fixture").standardized.path

  static func json() throws -> String { try String(contentsOfFile: folder + "/json/tokenizer.json", encoding: .utf8) }

  static func tokenizer() throws -> ByteLevelTokenizer { try ByteLevelTokenizer(folder: Path(folder + "/json")) }

  /// The fixture's tokenizer.json with some text in it replaced.
  static func tokenizer(replacing replacements: KeyValuePairs<String, String>) throws -> ByteLevelTokenizer {
    var json = try json()
    for (old, new) in replacements {
      guard json.contains(old) else { fatalError("the fixture does not contain \(old)") }
      json = json.replacingOccurrences(of: old, with: new)
    }
    return try openTokenizer(["tokenizer.json": json])
  }

  struct Golden: Decodable {
    let text: String
    let ids, special, prefix, digits, digit_runs, digits_prefix, llama3, qwen2: [Int32]
  }

  static func golden() throws -> [Golden] {
    try String(contentsOfFile: folder + "/golden.jsonl", encoding: .utf8).split(separator: "\n")
      .map { try JSONDecoder().decode(Golden.self, from: Data($0.utf8)) }
  }
}

/// Opens a folder with these files.
func openTokenizer(_ files: [String: String]) throws -> ByteLevelTokenizer {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
  return try ByteLevelTokenizer(folder: Path(folder.path))
}

extension ByteLevelTokenizer {
  func encode(_ text: [UInt8], special: Bool = false, prefix: Bool = false) throws -> (ids: [Int32], ends: [Int]) {
    let (tokens, bare) = (TokenBuffer(recordsEnds: true), TokenBuffer(recordsEnds: false))
    try text.withUnsafeBufferPointer { text in
      for tokens in [tokens, bare] {
        try makeEncoder().encode(text, recognizeSpecial: special, addPrefixSpace: prefix, into: tokens)
      }
    }
    precondition(tokens.ids.elementsEqual(bare.ids) && bare.ends.isEmpty, "the ids are the same without ends")
    return (Array(tokens.ids), Array(tokens.ends))
  }

  func encode(_ text: String, special: Bool = false, prefix: Bool = false) throws -> [Int32] {
    try encode(Array(text.utf8), special: special, prefix: prefix).ids
  }

  func decode(_ ids: [Int32]) -> [UInt8] { ids.flatMap { bytes(of: Int($0)).map(Array.init) ?? [] } }

  /// The ids as their tokens' texts, `|` between them: for tables a person can read.
  func tokens(_ text: String, special: Bool = false, prefix: Bool = false) throws -> String {
    try encode(text, special: special, prefix: prefix)
      .map { String(decoding: decode([$0]), as: UTF8.self) }.joined(separator: "|")
  }
}

/// The byte-level alphabet, by its definition: printable Latin-1 characters, then the others from U+0100 on.
let byteLevelAlphabet: [Unicode.Scalar] = {
  var next: UInt32 = 0x100
  return (0...255).map { byte in
    if [0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF].contains(where: { $0.contains(byte) }) { return Unicode.Scalar(byte)! }
    defer { next += 1 }
    return Unicode.Scalar(next)!
  }
}()

/// A vocabulary of the 256 bytes, each with its own number for an id, and then the results of merges.
struct SmallVocabulary {
  var tokens = byteLevelAlphabet.map { String($0) }
  var merges: [String] = []

  init(_ merges: [String] = []) {
    for merge in merges { add(merge) }
  }

  mutating func add(_ merge: String) {
    merges.append(merge)
    let result = merge.replacingOccurrences(of: " ", with: "")
    if !tokens.contains(result) { tokens.append(result) }
  }

  static func quoted(_ text: String) -> String {
    String(decoding: try! JSONSerialization.data(withJSONObject: text, options: .fragmentsAllowed), as: UTF8.self)
  }

  var vocabularyJSON: String {
    "{" + tokens.enumerated().map { "\(Self.quoted($1)):\($0)" }.joined(separator: ",") + "}"
  }

  var mergesText: String { "#version: 0.2\n" + merges.map { $0 + "\n" }.joined() }

  func open() throws -> ByteLevelTokenizer {
    try openTokenizer(["vocab.json": vocabularyJSON, "merges.txt": mergesText])
  }
}

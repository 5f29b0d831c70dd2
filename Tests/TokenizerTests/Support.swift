import Foundation
import FuzzTargets
import Platform
import Tokenizer

/// A vocabulary of 500 tokens in both file formats, and the ids that the `tokenizers` library gives some texts with it.
/// Written by Scripts/reference/tokenizer/make_fixture.py.
enum Fixture {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures").path

  static func json() throws -> String { try String(contentsOfFile: folder + "/json/tokenizer.json", encoding: .utf8) }

  static func tokenizer() throws -> Tokenizer { try Tokenizer(folder: Path(folder + "/json")) }

  /// Opens the fixture's tokenizer.json after replacing some text in it.
  static func tokenizer(replacing replacements: KeyValuePairs<String, String>) throws -> Tokenizer {
    var json = try json()
    for (old, new) in replacements {
      guard json.contains(old) else { fatalError("the fixture does not contain \(old)") }
      json = json.replacingOccurrences(of: old, with: new)
    }
    return try openTokenizer(["tokenizer.json": json])
  }

  struct Golden: Decodable {
    let text: String
    let ids, special, prefix, digits, digitRuns, digitsPrefix, llama3, qwen2: [Int32]
  }

  static func golden() throws -> [Golden] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try String(contentsOfFile: folder + "/golden.jsonl", encoding: .utf8).split(separator: "\n")
      .map { try decoder.decode(Golden.self, from: Data($0.utf8)) }
  }
}

/// Opens a temporary folder with these files.
func openTokenizer(_ files: [String: String], for purpose: Tokenizer.Purpose = .encoding) throws -> Tokenizer {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
  return try Tokenizer(folder: Path(folder.path), for: purpose)
}

extension Tokenizer {
  /// Encodes a text with and without recording ends, and with the image of the tokenizer, and checks that the ids are
  /// the same.
  func encode(_ text: [UInt8], special: Bool = false, prefix: Bool = false) throws -> (ids: [Int32], ends: [Int]) {
    let (tokens, withoutEnds) = (TokenBuffer(recordsEnds: true), TokenBuffer(recordsEnds: false))
    try text.withUnsafeBufferPointer { text in
      for tokens in [tokens, withoutEnds] {
        try makeEncoder().encode(text, recognizeSpecial: special, addPrefixSpace: prefix, into: tokens)
      }
    }
    precondition(
      tokens.ids.elementsEqual(withoutEnds.ids) && withoutEnds.ends.isEmpty, "the ids differ without ends")
    if text.count < 1 << 16 {  // tests of long texts measure times
      let image = TokenizerImage.bytes(of: self, key: ImageSample.key, .encoding)
      let fromImage = TokenBuffer(recordsEnds: true)
      let encoder = ImageSample.open(image, .encoding)?.makeEncoder()
      try text.withUnsafeBufferPointer {
        try encoder?.encode($0, recognizeSpecial: special, addPrefixSpace: prefix, into: fromImage)
      }
      precondition(
        encoder != nil && tokens.ids.elementsEqual(fromImage.ids) && tokens.ends.elementsEqual(fromImage.ends),
        "the image is another tokenizer")
    }
    return (Array(tokens.ids), Array(tokens.ends))
  }

  func encode(_ text: String, special: Bool = false, prefix: Bool = false) throws -> [Int32] {
    try encode(Array(text.utf8), special: special, prefix: prefix).ids
  }

  func decode(_ ids: [Int32]) -> [UInt8] { ids.flatMap { bytes(of: Int($0)).map(Array.init) ?? [] } }

  /// The tokens as text, separated by `|`.
  func tokens(_ text: String, special: Bool = false, prefix: Bool = false) throws -> String {
    try encode(text, special: special, prefix: prefix)
      .map { String(decoding: decode([$0]), as: UTF8.self) }.joined(separator: "|")
  }
}

/// The byte-level alphabet by its definition: printable Latin-1 characters, and U+0100 and following for the other
/// bytes.
let byteLevelAlphabet: [Unicode.Scalar] = {
  var next: UInt32 = 0x100
  return (0...255).map { byte in
    if [0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF].contains(where: { $0.contains(byte) }) { return Unicode.Scalar(byte)! }
    defer { next += 1 }
    return Unicode.Scalar(next)!
  }
}()

/// A vocabulary of the 256 bytes, whose ids are their values, and the results of merges.
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

  func open() throws -> Tokenizer {
    try openTokenizer(["vocab.json": vocabularyJSON, "merges.txt": mergesText])
  }
}

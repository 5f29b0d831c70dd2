import Platform
import Tokenizer

extension FuzzTarget {
  /// Changed images of small tokenizers with a correct digest: an accepted image encodes and decodes, whatever the
  /// tokens. The first byte selects the image; of each four bytes after it, three are an offset and one is the new
  /// byte.
  static let image = FuzzTarget("image", longestInput: 65) { [samples = ImageSample.all] input in
    guard let first = input.first else { return }
    let sample = samples[Int(first) % samples.count]
    var bytes = sample.image
    for change in stride(from: 1, to: input.count - 3, by: 4) {
      let offset = Int(input[change]) << 16 | Int(input[change + 1]) << 8 | Int(input[change + 2])
      bytes[offset % bytes.count] = input[change + 3]
    }
    TokenizerImage.seal(&bytes)
    guard let tokenizer = ImageSample.open(bytes, sample.purpose) else { return }
    exercise(tokenizer, sample.purpose)
  }
}

/// Encodes and decodes some texts. The result, a checksum, is not checked, because a forged image can have any tokens.
@discardableResult
public func exercise(_ tokenizer: Tokenizer, _ purpose: Tokenizer.Purpose) -> Int {
  var sum = 0
  func add(_ bytes: some Sequence<UInt8>) { for byte in bytes { sum = 31 &* sum &+ Int(byte) } }
  for id in -1...tokenizer.vocabularySize {
    if let bytes = tokenizer.bytes(of: id) { add(bytes) }
    sum += tokenizer.isSpecial(id) ? 1 : 0
  }
  add(tokenizer.decode(0..<min(tokenizer.vocabularySize, 1000)))
  for id in tokenizer.tokensBeforeText + tokenizer.tokensAfterText { sum &+= id }
  guard purpose == .encoding else { return sum }
  for text in ImageSample.texts {
    for isSpecial in [false, true] {
      let tokens = TokenBuffer(recordsEnds: isSpecial)
      let encoder = tokenizer.makeEncoder()
      for _ in 0..<2 {
        try? text.withUnsafeBufferPointer { try encoder.encode($0, recognizeSpecial: isSpecial, into: tokens) }
      }
      add(tokenizer.decode(tokens.ids.map(Int.init), omitsSpecial: isSpecial))
    }
  }
  return sum
}

/// A small tokenizer, and its image.
public struct ImageSample: Sendable {
  public let name: String
  public let purpose: Tokenizer.Purpose
  public let image: [UInt8]
  /// Opens the tokenizer. (The leak detector does not see all pointers in an enumeration, so that a tokenizer in a
  /// global variable would be reported.)
  public let tokenizer: @Sendable () throws -> Tokenizer

  public static let key = Array("key".utf8)

  public static let texts: [[UInt8]] =
    [
      "it's the  12 <s> the<x>é\u{3042}\u{1F600}\n", "", "\u{2581}thethe the e\u{301}", "<unk>the</s>", "hhhhttttheee",
    ].map { Array($0.utf8) } + [
      [0xFF, 0x80, 0x74, 0x68], [UInt8](repeating: 0x68, count: 300), (0..<255).map { UInt8($0) },
    ]

  init(_ name: String, _ purpose: Tokenizer.Purpose, _ tokenizer: @escaping @Sendable () throws -> Tokenizer) throws {
    (self.name, self.tokenizer, self.purpose) = (name, tokenizer, purpose)
    image = TokenizerImage.bytes(of: try tokenizer(), key: Self.key, purpose)
  }

  /// Returns the tokenizer of an image; nil if the image is rejected. The image is at the end of its memory, so that
  /// the address sanitizer finds every access after it.
  public static func open(_ image: [UInt8], _ purpose: Tokenizer.Purpose, key: [UInt8] = key) -> Tokenizer? {
    let memory = ImageMemory(image)
    return TokenizerImage.contents(of: memory.bytes, owner: memory, key: key, purpose).map { Tokenizer($0) }
  }

  /// Samples of each model and each kind of setting.
  public static let all: [ImageSample] = {
    do {
      return try [Tokenizer.Purpose.encoding, .decoding].flatMap { purpose in
        [
          try ImageSample("bytes", purpose) { try folder(bytes, purpose) },
          try ImageSample("listed", purpose) { try folder(listed, purpose) },
          try ImageSample("unigram", purpose) { try folder(unigram, purpose) },
          try ImageSample("scores", purpose) { try tables("llama", purpose) },
          try ImageSample("t5", purpose) { try tables("t5", purpose) },
        ]
      }
    } catch { preconditionFailure("\(error)") }
  }()

  private static func folder(_ json: String, _ purpose: Tokenizer.Purpose) throws -> Tokenizer {
    let folder = ScratchFolder()
    folder.write("tokenizer.json", json)
    return try Tokenizer(folder: Path(folder.path), for: purpose)
  }

  private static func added(_ id: Int, _ content: String, special: Bool, normalized: Bool) -> String {
    #"{"id":\#(id),"content":"\#(content)","single_word":false,"lstrip":\#(special),"rstrip":false,"#
      + #""normalized":\#(normalized),"special":\#(special)}"#
  }

  /// A byte-level vocabulary with a token that two merges make.
  private static let bytes: String = {
    let printable = (0x21...0x7E).map {
      $0 == 0x22 || $0 == 0x5C ? "\\" + String(Unicode.Scalar($0)) : "\(Unicode.Scalar($0))"
    }
    let tokens = printable + (0xA1...0x143).filter { $0 != 0xAD }.map { "\(Unicode.Scalar($0)!)" }
    let all = tokens + ["th", "he", "the", "\u{120}the", "hh", "hhh"]
    let vocabulary = all.enumerated().map { #""\#($1)":\#($0)"# }.joined(separator: ",")
    return #"{"added_tokens":[\#(added(all.count, "<s>", special: true, normalized: false)),"#
      + #"\#(added(all.count + 3, "<x>", special: false, normalized: true))],"normalizer":{"type":"NFC"},"#
      + #""pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\p{N}{1,3}|\\s+$"},"#
      + #""behavior":"Isolated","invert":false},{"type":"Digits","individual_digits":true},"#
      + #"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true}]},"post_processor":{"type":"#
      + #""TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"#
      + #""special_tokens":{"<s>":{"id":"<s>","ids":[\#(all.count)],"tokens":["<s>"]}}},"decoder":{"type":"ByteLevel"},"#
      + #""model":{"type":"BPE","vocab":{\#(vocabulary)},"#
      + #""merges":["t h","h e","th e","t he","\#("\u{120}") the","h h","hh h","h hh"]}}"#
  }()

  private static let pieces =
    ["<unk>", "<s>", "</s>"] + (0...255).map { "<0x" + hexadecimal($0, width: 2).uppercased() + ">" }
    + ["\u{2581}", "t", "h", "e", "th", "he", "the", "\u{2581}the", "hh", "é", "\u{3042}", "\u{1F600}", "the the"]

  private static let listed: String = {
    let vocabulary = pieces.enumerated().map { #""\#($1)":\#($0)"# }.joined(separator: ",")
    return #"{"added_tokens":[\#(added(0, "<unk>", special: true, normalized: false)),"#
      + #"\#(added(1, "<s>", special: true, normalized: false)),\#(added(300, "<x>", special: false, normalized: true))],"#
      + #""normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"\#("\u{2581}")"},"#
      + #"{"type":"Replace","pattern":{"String":" "},"content":"\#("\u{2581}")"},"#
      + #"{"type":"Replace","pattern":{"Regex":"x+"},"content":"h"},{"type":"Strip","strip_left":false,"#
      + #""strip_right":true}]},"pre_tokenizer":{"type":"Split","pattern":{"String":"z"},"behavior":"#
      + #""MergedWithPrevious","invert":false},"post_processor":null,"decoder":{"type":"Sequence","decoders":["#
      + #"{"type":"Replace","pattern":{"String":"\#("\u{2581}")"},"content":" "},{"type":"ByteFallback"},"#
      + #"{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},"model":{"type":"BPE","unk_token":"<unk>","#
      + #""fuse_unk":true,"byte_fallback":true,"vocab":{\#(vocabulary)},"#
      + #""merges":["t h","h e","th e","\#("\u{2581}") the","h h"]}}"#
  }()

  private static let unigram: String = {
    let scored = pieces.enumerated().map { #"["\#($1)",-\#($0).5]"# }.joined(separator: ",")
    return #"{"added_tokens":[\#(added(0, "<unk>", special: true, normalized: false))],"normalizer":{"type":"NFKC"},"#
      + #""pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace","#
      + #""replacement":"\#("\u{2581}")","prepend_scheme":"always","split":true}]},"post_processor":null,"#
      + #""decoder":{"type":"Metaspace","replacement":"\#("\u{2581}")","prepend_scheme":"always","split":true},"#
      + #""model":{"type":"Unigram","unk_id":0,"byte_fallback":false,"vocab":[\#(scored)]}}"#
  }()

  /// The tables of a GGUF file, with pieces of all types.
  private static func tables(_ model: String, _ purpose: Tokenizer.Purpose) throws -> Tokenizer {
    let userDefined = pieces.count - 1
    let types = pieces.indices.map { id -> Int32 in
      id == 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : id == userDefined ? 4 : pieces[id] == "he" && model == "llama" ? 5 : 1
    }
    var bytes: [UInt8] = []
    func append<Number: FixedWidthInteger>(_ number: Number) {
      withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
    for piece in pieces {
      append(UInt64(piece.utf8.count))
      bytes.append(contentsOf: piece.utf8)
    }
    let end = bytes.count
    for type in types { append(type) }
    let file = try bytes.withUnsafeBytes { try MappedFile(path: "sample.gguf", beginning: $0, size: bytes.count) }
    return try Tokenizer(
      GGUFTokenizerTables(
        path: "sample.gguf", model: model, preTokenizer: nil, tokens: MappedStrings(file, 0..<end, count: pieces.count),
        types: MappedInt32s(file, at: end, count: types.count), merges: nil,
        scores: pieces.indices.map { Float(-$0) }, bosTokenID: 1, eosTokenID: 2), for: purpose)
  }
}

/// Memory with the alignment of a mapped file.
private final class ImageMemory {
  let bytes: UnsafeRawBufferPointer

  init(_ image: [UInt8]) {
    var memory: UnsafeMutableRawPointer?
    precondition(posix_memalign(&memory, 64, max(image.count, 1)) == 0)
    let copy = UnsafeMutableRawBufferPointer(start: memory, count: image.count)
    copy.copyBytes(from: image)
    bytes = UnsafeRawBufferPointer(copy)
  }

  deinit { free(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }
}

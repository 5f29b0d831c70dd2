import Platform

/// An image of a tokenizer: its tables as they are in memory, and its settings. A file with an image is mapped and used
/// in place, so that opening a large vocabulary takes some milliseconds instead of some hundred.
///
/// The format is a header, a key that says what the image was made from, and the parts of the tokenizer
/// (`ImageWriter`). All numbers are little-endian. An image is used only if header, digest and key are the expected
/// ones. The digest detects damage. It does not detect forgery, so the reader also checks everything that could lead to
/// memory outside of the tables or to a search without end (see SECURITY.md).
public enum TokenizerImage {
  /// The number of the format. It must change whenever the layout of an image changes, or the contents of the image of
  /// the same file: a test compares images with the recorded digests of this version.
  package static let version = 1

  private static let magic: UInt64 = 0x0001_6E65_6B6F_5470  // also the order of bytes
  /// Magic, version, size, digest, and zeros up to a multiple of the alignment.
  private static let headerSize = ImageWriter.alignment
  private static let digestOffset = 24
  private static let sizeLimit = 1 << 30

  /// What an image contains: a tokenizer.
  public struct Contents: Sendable {
    let model: Tokenizer.Model
    let tokens: any TokenTable
    let addedTokens: AddedTokens
    let settings: Tokenizer.Settings
    let fingerprint: UInt64
  }

  /// Returns the image of a tokenizer.
  ///
  /// - Parameters:
  ///   - key: What the image is made from.
  ///   - purpose: The purpose for which the tokenizer was opened.
  package static func bytes(of tokenizer: Tokenizer, key: [UInt8], _ purpose: Tokenizer.Purpose) -> [UInt8] {
    var writer = ImageWriter()
    for number in [magic, UInt64(version), 0, 0] { writer.append(number) }
    writer.align()
    writer.append(key)
    writer.append(tokenizer, purpose)
    writer.align()
    var bytes = writer.bytes
    store(UInt64(bytes.count), at: 16, in: &bytes)
    seal(&bytes)
    return bytes
  }

  /// Stores the digest of an image in its header.
  package static func seal(_ bytes: inout [UInt8]) {
    let digest = bytes.withUnsafeBytes { ImageDigest.of(UnsafeRawBufferPointer(rebasing: $0[headerSize...])) }
    store(digest, at: digestOffset, in: &bytes)
  }

  private static func store(_ number: UInt64, at offset: Int, in bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: number, toByteOffset: offset, as: UInt64.self) }
  }

  /// Returns the contents of an image, or nil if it is not a valid image with this key.
  ///
  /// - Parameters:
  ///   - bytes: The image, which begins at a multiple of 64 bytes.
  ///   - owner: Keeps the memory of `bytes`.
  package static func contents(
    of bytes: UnsafeRawBufferPointer, owner: AnyObject, key: [UInt8], _ purpose: Tokenizer.Purpose
  ) -> Contents? {
    guard headerSize..<sizeLimit ~= bytes.count, bytes.count % ImageWriter.alignment == 0 else { return nil }
    let body = UnsafeRawBufferPointer(rebasing: bytes[headerSize...])
    let header = [0, 8, 16, digestOffset].map { bytes.load(fromByteOffset: $0, as: UInt64.self) }
    guard header[..<3] == [magic, UInt64(version), UInt64(bytes.count)] else { return nil }
    do throws(ImageError) {
      var reader = try ImageReader(body, owner: owner)
      try require(try reader.byteString() == key && header[3] == ImageDigest.of(body))
      let contents = try reader.tokenizer(purpose)
      try reader.align()
      try require(reader.isAtEnd)
      return contents
    } catch { return nil }
  }
}

/// The digest of the bytes of an image: four lanes of multiplications of 64 by 64 bits, as in wyhash (Wang Yi), which
/// read memory as fast as it delivers.
enum ImageDigest {
  /// - Precondition: `bytes` are aligned to words, and their number is a multiple of 64.
  static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    precondition(bytes.count % 64 == 0)
    var (a, b) = (hashFactor1, hashFactor2)
    var (c, d) = (~hashFactor1, ~hashFactor2)
    let words = bytes.assumingMemoryBound(to: UInt64.self)
    var index = 0
    while index < words.count {
      a = fold(words[index] ^ hashFactor1, words[index &+ 1] ^ a)
      b = fold(words[index &+ 2] ^ hashFactor2, words[index &+ 3] ^ b)
      c = fold(words[index &+ 4] ^ ~hashFactor1, words[index &+ 5] ^ c)
      d = fold(words[index &+ 6] ^ ~hashFactor2, words[index &+ 7] ^ d)
      index &+= 8
    }
    return fold(fold(a ^ UInt64(bytes.count), b ^ hashFactor1), fold(c ^ hashFactor2, d ^ hashFactor1) | 1)
  }
}

extension ImageWriter {
  fileprivate mutating func append(_ tokenizer: Tokenizer, _ purpose: Tokenizer.Purpose) {
    append(tokenizer.fingerprint)
    append(tokenizer.settings)
    append(tokenizer.addedTokens.definitions) { $0.append($1) }
    if let tokens = tokenizer.tokens as? DecodedTokens {
      append(1)
      append(tokens.spellings.pieces, hasIndex: purpose == .encoding)
      append(tokens)
    } else if let vocabulary = tokenizer.tokens as? Vocabulary {
      append(0)
      append(vocabulary)
    }
    switch tokenizer.model {
    case .none(let unknownID):
      append(0)
      append(unknownID) { $0.append($1) }
    case .byteLevel(_, let ignoresMerges):
      append(1)
      append(ignoresMerges)
    case .characters(let model):
      append(2)
      append(model)
    case .unigram(let model):
      append(3)
      append(model)
    }
  }
}

extension ImageReader {
  fileprivate mutating func tokenizer(_ purpose: Tokenizer.Purpose) throws(ImageError) -> TokenizerImage.Contents {
    let fingerprint = try word()
    let settings = try settings()
    let definitions = try values { (reader) throws(ImageError) in try reader.addedToken() }
    let tokens: any TokenTable
    let pieces: PieceTable?
    if try flag() {
      let table = try pieceTable()
      (tokens, pieces) = (try decodedTokens(table), table)
    } else {
      (tokens, pieces) = (try vocabulary(), nil)
    }
    let model: Tokenizer.Model
    switch (try integer(), pieces, tokens as? Vocabulary) {
    case (0, _, _):
      let limit = tokens.count
      model = .none(
        unknownID: try optional { (reader) throws(ImageError) in try reader.integer(in: 0...limit - 1) })
    case (1, _, let vocabulary?): model = .byteLevel(vocabulary, ignoresMerges: try flag())
    case (2, let pieces?, _): model = .characters(try characterBPE(pieces))
    case (3, let pieces?, _): model = .unigram(try unigram(pieces))
    default: throw ImageError()
    }
    if case .none = model { try require(purpose == .decoding) } else { try require(purpose == .encoding) }
    try checkAlphabet(settings.preTokenizer, isByteLevel: pieces == nil)
    do {
      let addedTokens = try AddedTokens(definitions, of: tokens, settings.normalizers, for: purpose)
      return TokenizerImage.Contents(
        model: model, tokens: tokens, addedTokens: addedTokens, settings: settings, fingerprint: fingerprint)
    } catch { throw ImageError() }
  }

  /// Checks the rules of tokenizer.json for the byte-level alphabet.
  private func checkAlphabet(_ steps: [PreTokenizerStep], isByteLevel: Bool) throws(ImageError) {
    var isAlphabet = false
    for step in steps {
      switch step {
      case .byteAlphabet:
        try require(isByteLevel && !isAlphabet)
        isAlphabet = true
      case .metaspace, .prefixSpace: try require(!isAlphabet)
      case .known, .split, .digits: continue
      }
    }
  }
}

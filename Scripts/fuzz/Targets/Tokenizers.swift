import Checkpoint
import CommandLineTool
import JSON
import Platform
import Tokenizer

extension FuzzTarget {
  /// tokenizer.json: an accepted file encodes texts twice with the same result, and is accepted for either purpose.
  static let tokenizerJSON = FuzzTarget("tokenizer", longestInput: 4000) { [folder = ScratchFolder()] input in
    folder.write("tokenizer.json", input)
    guard let tokenizer = try open(folder) else { return }
    for text in sampleTexts(tokenizer) { try checkEncoding(of: text, tokenizer) }
  }

  /// vocab.json and merges.txt, separated by a NUL byte: an accepted vocabulary encodes as the plain tokenizer does.
  static let vocabularyFiles = FuzzTarget("vocabulary", longestInput: 2000) { [folder = ScratchFolder()] input in
    let separator = input.firstIndex(of: 0) ?? input.count
    folder.write("vocab.json", UnsafeBufferPointer(rebasing: input[..<separator]))
    folder.write("merges.txt", UnsafeBufferPointer(rebasing: input[min(separator + 1, input.count)...]))
    guard let tokenizer = try open(folder) else { return }
    guard let vocabulary = PlainJSON(input[..<separator]),
      let plain = PlainTokenizer(vocabulary, mergeLines(input.dropFirst(separator + 1)))
    else { throw Finding(description: "accepted, but not a vocabulary") }
    for text in sampleTexts(tokenizer) {
      let ids = try encode(text, tokenizer)
      try expect(ids == plain.encode(text), "\(ids ?? []), not \(plain.encode(text) ?? []) of \(text)")
      if let ids { try expect(decode(ids, tokenizer) == text, "not decoded: \(text)") }
    }
  }

  /// The pre-tokenizers, after `Digits`. The first byte selects both.
  static let splitting = FuzzTarget("splitting", longestInput: 300) { input in
    guard let first = input.first else { return }
    let text = Array(input.dropFirst())
    let characters = PlainPreTokenizer.characters(of: text)
    guard !characters.contains(where: \.isNew) else { return }
    let digits: DigitSplitting = [.none, .runs, .individual][Int(first % 3)]
    let all = KnownPattern.allCases
    let preTokenizer = all[Int(first / 3) % all.count]
    let expected = plainSegments(text, characters, digits).flatMap {
      PlainPreTokenizer.preTokens(of: Array($0), preTokenizer)
    }
    var found: [[UInt8]] = []
    text.withUnsafeBufferPointer { bytes in
      var start = 0
      while start < bytes.count {
        let segmentEnd = digits.segmentEnd(in: bytes, from: start, to: bytes.count)
        while start < segmentEnd {
          let end = preTokenizer.preTokenEnd(in: bytes, from: start, to: segmentEnd)
          found.append(Array(text[start..<end]))
          start = end
        }
      }
    }
    try expect(found == expected, "\(preTokenizer), \(digits): \(found), not \(expected)")
  }

  /// Any bytes, with the bundled model's vocabulary: the ids are the plain tokenizer's, and decoding returns the text.
  /// The first byte holds the options.
  static let encoding = FuzzTarget("encoding", longestInput: 400) { [wren = Wren()] input in
    guard let first = input.first else { return }
    let text = Array(input.dropFirst())
    let (isSpecial, hasPrefix) = (first & 1 == 1, first & 2 == 2)
    let tokens = TokenBuffer(recordsEnds: first & 4 == 0)
    try text.withUnsafeBufferPointer {
      try wren.tokenizer.makeEncoder().encode($0, recognizeSpecial: isSpecial, addPrefixSpace: hasPrefix, into: tokens)
    }
    let ids = tokens.ids.map(Int.init)
    let spaced = hasPrefix && text.first.map { $0 != 0x20 } ?? false ? [0x20] + text : text
    try expect(decode(ids, wren.tokenizer) == spaced, "not decoded")
    if !isSpecial, !PlainPreTokenizer.characters(of: text).contains(where: \.isNew) {
      try expect(ids == wren.plain.encode(spaced), "\(ids)")
    }
    guard first & 4 == 0 else { return }
    var end = text.count - spaced.count
    for (id, tokenEnd) in zip(ids, tokens.ends) {
      end += wren.tokenizer.bytes(of: id)?.count ?? 0
      try expect(tokenEnd == end, "a token that ends at \(tokenEnd), not \(end)")
    }
  }
}

/// Opens a tokenizer from the tables of a GGUF file; encodes and decodes with it.
func checkTokenizer(_ tables: TokenizerTables) throws {
  let tokenizer: Tokenizer
  do throws(TokenizerError) {
    tokenizer = try Tokenizer(GGUFTokenizerTables(tables), for: .encoding)
  } catch { return try expect(error.path == tables.path, "a message without the file's name: \(error)") }
  for text in sampleTexts(tokenizer) {
    try checkEncoding(of: text, tokenizer)
    // NFC changes only characters that are not ASCII
    guard let ids = try encode(text, tokenizer), text.allSatisfy({ $0 < 0x80 }), tables.model == "gpt2" else {
      continue
    }
    try expect(decode(ids, tokenizer) == text, "not decoded: \(text)")
  }
}

/// Opens the tokenizer of the folder for encoding; nil if it is rejected. Opened for decoding, it must be the same.
private func open(_ folder: ScratchFolder) throws -> Tokenizer? {
  do {
    let tokenizer = try Tokenizer(folder: Path(folder.path), for: .encoding)
    let decoder: Tokenizer
    do { decoder = try Tokenizer(folder: Path(folder.path), for: .decoding) } catch {
      throw Finding(description: "rejected for decoding only: \(error)")
    }
    try expect(decoder.vocabularySize == tokenizer.vocabularySize, "\(decoder.vocabularySize) tokens for decoding")
    for id in 0..<tokenizer.vocabularySize {
      let (ours, theirs) = (tokenizer.bytes(of: id), decoder.bytes(of: id))
      try expect(ours.map(Array.init) == theirs.map(Array.init), "token \(id) differs for decoding")
    }
    try expect(decoder.fingerprint == tokenizer.fingerprint, "a different fingerprint for decoding")
    return tokenizer
  } catch let error as TokenizerError {
    try expect(error.path.parent == Path(folder.path), "a message without the file's name: \(error)")
    return nil
  }
}

/// Returns a sample text, and texts made of the vocabulary's tokens.
private func sampleTexts(_ tokenizer: Tokenizer) -> [[UInt8]] {
  var tokens: [UInt8] = []
  for id in 0..<min(tokenizer.vocabularySize, 300) where tokens.count < 300 {
    tokens += tokenizer.bytes(of: id).map { Array($0.prefix(200)) } ?? []
  }
  return [Array("it's  12 <|endoftext|> é\n".utf8), tokens, tokens.reversed()]
}

/// Encodes a text with two encoders, one of them twice, and checks that ids have tokens, that ends are ascending
/// offsets in the text, and that the ids do not depend on caches or on recording of ends.
private func checkEncoding(of text: [UInt8], _ tokenizer: Tokenizer) throws {
  let (encoder, tokens, again) = (
    tokenizer.makeEncoder(), TokenBuffer(recordsEnds: true), TokenBuffer(recordsEnds: false)
  )
  for isSpecial in [false, true] {
    tokens.removeAll()
    do {
      try text.withUnsafeBufferPointer { try encoder.encode($0, recognizeSpecial: isSpecial, into: tokens) }
    } catch let error as TextEncodingError {
      try expect(error.offset.map { (0...text.count).contains($0) } ?? true, "an offset outside of the text: \(error)")
      continue
    }
    for encoder in [encoder, tokenizer.makeEncoder()] {
      again.removeAll()
      try text.withUnsafeBufferPointer { try encoder.encode($0, recognizeSpecial: isSpecial, into: again) }
      try expect(tokens.ids.elementsEqual(again.ids), "other ids the second time")
    }
    for id in tokens.ids { try expect(tokenizer.bytes(of: Int(id)) != nil, "the id \(id) has no token") }
    for (end, next) in zip(tokens.ends, tokens.ends.dropFirst()) { try expect(end <= next, "\(end) before \(next)") }
    try expect(tokens.ends.allSatisfy { (0...text.count).contains($0) }, "an end outside of the text")
    _ = tokenizer.decode(tokens.ids.map(Int.init), omitsSpecial: isSpecial)
  }
}

/// Returns the ids of a text, or nil if a byte has no token.
private func encode(_ text: [UInt8], _ tokenizer: Tokenizer) throws -> [Int]? {
  let tokens = TokenBuffer(recordsEnds: false)
  do {
    try text.withUnsafeBufferPointer { try tokenizer.makeEncoder().encode($0, into: tokens) }
    return tokens.ids.map(Int.init)
  } catch let error as TextEncodingError {
    let isInText =
      error.offset.map { text.indices.contains($0) && error.reason == .noToken(text[$0]) }
      ?? (error.reason == .noToken(0x20))
    try expect(isInText, "not the byte at this offset: \(error)")
    return nil
  }
}

private func decode(_ ids: [Int], _ tokenizer: Tokenizer) -> [UInt8] {
  ids.flatMap { tokenizer.bytes(of: $0).map(Array.init) ?? [] }
}

/// Parses a merges.txt line by line.
private func mergeLines(_ text: some Sequence<UInt8>) -> [(left: [UInt8], right: [UInt8])] {
  var merges: [(left: [UInt8], right: [UInt8])] = []
  for line in Array(text).split(separator: UInt8(ascii: "\n")) {
    let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    guard !line.isEmpty, !line.starts(with: "#version".utf8), let space = line.firstIndex(of: 0x20) else { continue }
    merges.append((Array(line[..<space]), Array(line[(space + 1)...])))
  }
  return merges
}

/// Returns the segments into which `Digits` splits a text.
private func plainSegments(
  _ text: [UInt8], _ characters: [PlainPreTokenizer.Character], _ digits: DigitSplitting
) -> [ArraySlice<UInt8>] {
  guard digits != .none else { return text.isEmpty ? [] : [text[...]] }
  var starts: [Int] = []
  var offset = 0
  var wasNumber: Bool?
  for character in characters {
    let isNumber = character.isNumber
    if isNumber != wasNumber || isNumber && digits == .individual { starts.append(offset) }
    wasNumber = isNumber
    offset += character.bytes.count
  }
  return zip(starts, starts.dropFirst() + [text.count]).map { text[$0..<$1] }
}

/// The bundled model's tokenizer, and its plain counterpart.
private struct Wren: Sendable {
  let tokenizer: Tokenizer
  let plain: PlainTokenizer

  init() {
    guard let file = try? MappedFile(path: Path(checkout + "/Models/wren/tokenizer.json")),
      let model = PlainJSON(file.characters)?.values(of: "model").first,
      let vocabulary = model.values(of: "vocab").first, case .array(let merges) = model.values(of: "merges").first,
      let plain = PlainTokenizer(vocabulary, merges.compactMap(halves)),
      let tokenizer = try? Tokenizer(folder: Path(checkout + "/Models/wren"))
    else { preconditionFailure("the bundled model is missing") }
    (self.plain, self.tokenizer) = (plain, tokenizer)
  }
}

/// Parses a merge of tokenizer.json, a pair of strings.
private func halves(_ merge: PlainJSON) -> (left: [UInt8], right: [UInt8])? {
  guard case .array(let pair) = merge, pair.count == 2, let left = pair[0].characters, let right = pair[1].characters
  else { return nil }
  return (left, right)
}

/// The folder of Package.swift.
private let checkout = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 }

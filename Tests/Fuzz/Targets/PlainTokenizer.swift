/// GPT-2's tokenizer in the plainest way: pieces by the regular expression's alternatives, one after the other; merges by
/// looking for the lowest rank again and again.
struct PlainTokenizer {
  private var ids: [[UInt8]: Int] = [:]
  private var ranks: [[[UInt8]]: Int] = [:]
  /// A piece that is a token is that token.
  var ignoresMerges = false

  /// - Parameters:
  ///   - vocabulary: of tokens and ids, spelled in the byte-level alphabet.
  ///   - merges: the two halves of each, likewise.
  /// - Returns: nil where something in it is not understood.
  init?(_ vocabulary: PlainJSON, _ merges: [(left: [UInt8], right: [UInt8])]) {
    guard case .object(let members) = vocabulary else { return nil }
    for member in members {
      guard let token = PlainJSON.characters(of: member.name).flatMap(bytes(spelled:)),
        case .number(let text) = member.value,
        let id = Int(text)
      else { continue }  // an added token
      ids[token] = id
    }
    for (rank, merge) in merges.enumerated() {
      guard let left = bytes(spelled: merge.left), let right = bytes(spelled: merge.right) else { return nil }
      ranks[[left, right]] = rank
    }
  }

  /// The ids of the tokens; nil where a byte has none.
  func encode(_ text: [UInt8]) -> [Int]? {
    var result: [Int] = []
    for piece in gpt2Pieces(text) {
      if ignoresMerges, let id = ids[Array(piece)] {
        result.append(id)
        continue
      }
      var parts = piece.map { [$0] }
      while let (index, _) = parts.indices.dropLast().compactMap({ index in
        ranks[[parts[index], parts[index + 1]]].map { (index, $0) }
      }).min(by: { $0.1 < $1.1 }) {
        parts[index] += parts.remove(at: index + 1)
      }
      for part in parts {
        guard let id = ids[part] else { return nil }
        result.append(id)
      }
    }
    return result
  }
}

/// The bytes that a spelling in the byte-level alphabet stands for; nil where it is in other characters.
private func bytes(spelled spelling: [UInt8]) -> [UInt8]? {
  guard let text = String(validating: spelling, as: UTF8.self) else { return nil }
  var bytes: [UInt8] = []
  for scalar in text.unicodeScalars {
    guard let byte = byteLevelAlphabet[scalar] else { return nil }
    bytes.append(byte)
  }
  return bytes
}

/// By its definition: printable Latin-1 characters stand for themselves, the other bytes follow from U+0100 on.
private let byteLevelAlphabet: [Unicode.Scalar: UInt8] = {
  var alphabet: [Unicode.Scalar: UInt8] = [:]
  var next: UInt32 = 0x100
  for byte in UInt8.min...UInt8.max {
    let isPrintable = [0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF].contains { $0.contains(byte) }
    alphabet[Unicode.Scalar(isPrintable ? UInt32(byte) : next) ?? "?"] = byte
    if !isPrintable { next += 1 }
  }
  return alphabet
}()

/// The pieces of a text by
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
func gpt2Pieces(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
  let items = PlainItem.items(of: text)
  func ends(of run: PlainItem.Class, _ start: Int) -> Int {
    var end = start
    while end < items.count, items[end].kind == run { end += 1 }
    return end
  }
  func spells(_ word: String, at start: Int) -> Bool {
    items[start...].prefix(word.utf8.count).map(\.first).elementsEqual(word.utf8)
  }
  var pieces: [ArraySlice<UInt8>] = []
  var start = 0
  while start < items.count {
    var end = start
    if let contraction = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].first(where: { spells($0, at: start) }) {
      end = start + contraction.utf8.count
    }
    for kind in [PlainItem.Class.letter, .number, .other] where end == start {
      let afterSpace = items[start].first == 0x20 ? start + 1 : start
      let runEnd = ends(of: kind, afterSpace)
      if runEnd > afterSpace { end = runEnd }
    }
    if end == start {
      let runEnd = ends(of: .space, start)
      end = runEnd == items.count || runEnd == start + 1 ? runEnd : runEnd - 1
    }
    pieces.append(text[items[start].offset..<(end < items.count ? items[end].offset : text.count)])
    start = end
  }
  return pieces
}

/// A scalar of a text, or a byte that belongs to none.
struct PlainItem {
  enum Class { case letter, number, space, other }

  let offset: Int
  /// Its first byte.
  let first: UInt8
  let scalar: Unicode.Scalar?

  static func items(of text: [UInt8]) -> [PlainItem] {
    var items: [PlainItem] = []
    var offset = 0
    while offset < text.count {
      let length = (1...4).first { length in
        offset + length <= text.count && String(validating: text[offset..<offset + length], as: UTF8.self) != nil
      }
      let scalar = length.flatMap { String(decoding: text[offset..<offset + $0], as: UTF8.self).unicodeScalars.first }
      items.append(PlainItem(offset: offset, first: text[offset], scalar: scalar))
      offset += length ?? 1
    }
    return items
  }

  var kind: Class {
    guard let properties = scalar?.properties else { return .other }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
    case .decimalNumber, .letterNumber, .otherNumber: return .number
    default: return properties.isWhitespace ? .space : .other
    }
  }

  /// Whether the scalar is so new that tables of different age may disagree on it.
  var isNew: Bool { (scalar?.properties.age).map { $0.major >= 16 } ?? (scalar != nil) }
}

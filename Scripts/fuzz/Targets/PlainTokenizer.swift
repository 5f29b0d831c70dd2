/// GPT-2's tokenizer in the plainest way: merges by looking for the lowest rank again and again.
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
    for piece in PlainPreTokenizer.pieces(of: text, .gpt2) {
      if ignoresMerges, let id = ids[piece] {
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

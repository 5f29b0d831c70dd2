/// GPT-2's tokenizer in the simplest way: after each merge, all pairs are searched for the lowest rank.
struct PlainTokenizer {
  private var ids: [[UInt8]: Int] = [:]
  private var ranks: [[[UInt8]]: Int] = [:]
  /// If true, a pre-token that is in the vocabulary becomes this token.
  var ignoresMerges = false

  /// - Parameters:
  ///   - vocabulary: An object of tokens, spelled in the byte-level alphabet, and ids.
  ///   - merges: The two halves of each merge, spelled likewise.
  /// - Returns: Nil if an element is invalid.
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

  /// Returns the ids of a text's tokens, or nil if a byte has no token.
  func encode(_ text: [UInt8]) -> [Int]? {
    var result: [Int] = []
    for preToken in PlainPreTokenizer.preTokens(of: text, .gpt2) {
      if ignoresMerges, let id = ids[preToken] {
        result.append(id)
        continue
      }
      var parts = preToken.map { [$0] }
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

/// Decodes a spelling in the byte-level alphabet; nil if it contains other characters.
private func bytes(spelled spelling: [UInt8]) -> [UInt8]? {
  guard let text = String(validating: spelling, as: UTF8.self) else { return nil }
  var bytes: [UInt8] = []
  for scalar in text.unicodeScalars {
    guard let byte = byteLevelAlphabet[scalar] else { return nil }
    bytes.append(byte)
  }
  return bytes
}

/// The byte-level alphabet by its definition: printable Latin-1 characters, and U+0100 and following for the other
/// bytes.
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

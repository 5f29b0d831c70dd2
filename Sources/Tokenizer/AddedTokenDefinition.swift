import JSON

/// An added token as a file defines it.
struct AddedTokenDefinition {
  var content: [UInt8]
  /// The id in the file, or nil if the file names only the text of the token.
  var id: Int?
  var isSpecial: Bool
  var isNormalized: Bool
  var stripsLeft = false
  var stripsRight = false
  var isSingleWord = false

  fileprivate func token(_ id: Int, _ content: [UInt8]?) -> AddedTokens.Token {
    AddedTokens.Token(
      id: Int32(truncatingIfNeeded: id), isSpecial: isSpecial, isNormalized: isNormalized, stripsLeft: stripsLeft,
      stripsRight: stripsRight, isSingleWord: isSingleWord, content: content)
  }
}

/// A vocabulary to which added tokens can be added.
protocol AddedTokenTarget {
  /// The highest id plus one.
  var tokenCount: Int { get }
  /// Returns true if a token has this id.
  func hasToken(_ id: Int) -> Bool
  /// Returns true if the token with this id has these bytes.
  func isToken(_ id: Int, _ content: [UInt8]) -> Bool
  /// Returns the ids of the added tokens that are spelled like tokens of the model.
  mutating func modelIDs(of definitions: [AddedTokenDefinition]) -> [[UInt8]: Int]
  mutating func defineAdded(_ id: Int, content: [UInt8]) throws(VocabularyError)
  /// True if the text of an added token is not its bytes in the vocabulary.
  var keepsContent: Bool { get }
}

extension AddedTokenTarget {
  /// Defines added tokens, in the order of the files. As in `tokenizers`, an empty token is ignored, a token that the
  /// model has under another id gets the model's id, and of two definitions of a token the later one counts. Otherwise
  /// a token gets the id in the file, even after a gap (`tokenizers` closes gaps), or, if this id belongs to another
  /// token, the first id after the vocabulary.
  ///
  /// - Parameter foreign: The tokens of the model that are not spelled in the byte-level alphabet, and their ids.
  /// - Returns: The added tokens, and a warning for each id that differs from the file's.
  mutating func define(
    _ definitions: [AddedTokenDefinition], foreign: [[UInt8]: Int] = [:]
  ) throws(VocabularyError) -> (tokens: [AddedTokens.Token], warnings: [String]) {
    var tokens: [AddedTokens.Token] = []
    var warnings: [String] = []
    var indices: [[UInt8]: Int] = [:]  // in `tokens`
    let modelIDs = modelIDs(of: definitions)
    let foreignIDs = Set(foreign.values)
    func warn(_ definition: AddedTokenDefinition, _ id: Int, _ reason: String) {
      guard let fileID = definition.id, fileID != id else { return }
      warnings.append(
        "the added token \"\(excerpt(definition.content))\" gets the id \(id) instead of \(fileID): \(reason)")
    }
    for definition in definitions where !definition.content.isEmpty {
      let content = definition.content
      if let index = indices[content] {
        let known = tokens[index]
        warn(definition, Int(known.id), "an earlier definition has this id")
        tokens[index] = definition.token(Int(known.id), known.content)
        continue
      }
      var id = definition.id ?? tokenCount
      var spelled: [UInt8]?
      if let modelID = modelIDs[content] {
        warn(definition, modelID, "the vocabulary has this id")
        id = modelID
        if !isToken(id, content) {
          spelled = content
          warnings.append(
            "the added token \"\(excerpt(content))\" is the spelling of token \(id), which is decoded as other bytes")
        }
      } else {
        if let foreignID = foreign[content] {
          warn(definition, foreignID, "the vocabulary has this id")
          id = foreignID
        } else if hasToken(id) || foreignIDs.contains(id) {
          id = tokenCount
          warn(definition, id, "this id belongs to another token")
        }
        try defineAdded(id, content: content)
      }
      indices[content] = tokens.count
      tokens.append(definition.token(id, keepsContent ? content : spelled))
    }
    return (tokens, warnings)
  }
}

extension VocabularyBuilder: AddedTokenTarget {
  var keepsContent: Bool { false }

  mutating func modelIDs(of definitions: [AddedTokenDefinition]) -> [[UInt8]: Int] {
    var spellings: [[UInt8]: [[UInt8]]] = [:]  // the bytes that a spelling stands for, and the spellings
    for definition in definitions where !definition.content.isEmpty {
      guard let bytes = decodedSpelling(definition.content) else { continue }
      spellings[bytes, default: []].append(definition.content)
    }
    var ids: [[UInt8]: Int] = [:]
    for (id, bytes) in modelTokens(matching: spellings.keys) {
      for spelling in spellings[bytes] ?? [] { ids[spelling] = id }
    }
    return ids
  }
}

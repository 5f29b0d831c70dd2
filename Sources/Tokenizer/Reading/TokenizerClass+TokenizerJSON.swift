/// What a class changes in a tokenizer.json.
///
/// transformers 5.24 rebuilds all components of these classes from the vocabulary, and ignores those in
/// tokenizer.json. That is followed here, except that tokenizer.json's components are kept if they have a step that the
/// class lacks: the vocabulary was trained with this step, and transformers 4 applied it. SmolLM2, for example, has
/// `GPT2Tokenizer` in tokenizer_config.json, and `Digits` before `ByteLevel` in tokenizer.json.
extension TokenizerClass {
  /// Sets `add_prefix_space` of the pre-tokenizer `ByteLevel` with GPT-2's pattern. The classes of Qwen have a pattern
  /// of their own.
  func applyPrefixSpace(_ files: TokenizerFiles, to settings: inout Tokenizer.Settings) {
    func isGPT2(_ step: PreTokenizerStep) -> Bool { if case .known(.gpt2) = step { true } else { false } }
    guard components(files, nil).preTokenizer.contains(where: isGPT2) else { return }
    settings.preTokenizer.removeAll { if case .prefixSpace = $0 { true } else { false } }
    guard files.addsPrefixSpace ?? false, let index = settings.preTokenizer.firstIndex(where: isGPT2) else { return }
    settings.preTokenizer.insert(.prefixSpace, at: index)
  }

  /// Returns true if the class has the model that a tokenizer.json describes.
  func fits(_ tables: CharacterModelTables) -> Bool {
    switch model {
    case .bytes, .any: false
    case .characters: !tables.isUnigram
    case .unigram: tables.isUnigram
    }
  }

  /// Returns true if the components of the class replace these components.
  func replaces(_ pipeline: TokenizerJSONPipeline) -> Bool {
    pipeline.normalizers.allSatisfy(replaces) && pipeline.preTokenizer.allSatisfy(replaces)
  }

  private func replaces(_ normalizer: Normalizer) -> Bool {
    let isALBERT = name == Self.albert.name
    switch normalizer {
    case .prepend, .strip: return true
    case .replace(_, let content), .replaceMatches(_, let content):
      return content.isEmpty || content == SafeSplitting.mark || content == TokenizerComponents.space || isALBERT
    case .characterMap: if case .unigram = model { return true } else { return false }
    case .form(.nfkd), .stripAccents, .lowercase: return isALBERT
    case .form, .nmt, .byteLevel, .sentencePiece: return false
    }
  }

  private func replaces(_ step: PreTokenizerStep) -> Bool {
    switch step {
    case .metaspace: true
    case .split(let rule):
      // Spaces, or for a unigram model white space
      switch rule.delimiter {
      case .literal(let search): search.pattern == TokenizerComponents.space || search.pattern == SafeSplitting.mark
      case .pattern: if case .unigram = model { rule.behavior == .removed } else { false }
      }
    case .known, .digits, .prefixSpace, .byteAlphabet: false
    }
  }

  /// Sets the settings of the model.
  func apply(_ files: TokenizerFiles, to tables: inout CharacterModelTables) {
    switch model {
    case .bytes, .any: return
    case .characters(let hasUnknown):
      // Without `hasUnknown`, transformers drops a character that has neither a token nor bytes. Here it becomes the
      // unknown token if there is one, as when these models were published.
      tables.unknownToken = files.specialToken("unk_token", of: self)?.content
      tables.requiresUnknownToken = hasUnknown
      tables.fusesUnknown = true
      tables.hasByteFallback = true
      tables.ignoresMerges = false
    case .unigram(let unknownID):
      tables.unknownID = unknownID
      tables.hasByteFallback = false
    }
  }
}

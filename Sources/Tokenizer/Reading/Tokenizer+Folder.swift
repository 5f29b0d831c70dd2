import JSON
import Platform

extension Tokenizer {
  /// Opens the tokenizer of a model folder: tokenizer.json, or else the vocabulary in the form that the class of the
  /// folder reads, which is vocab.json and merges.txt, or tokenizer.model.
  public convenience init(folder: Path, for purpose: Purpose = .encoding) throws(TokenizerError) {
    if let file = try Self.open(folder.appending("tokenizer.json")) {
      try self.init(tokenizerJSON: file, TokenizerFiles(folder: folder), for: purpose)
      return
    }
    let files = try TokenizerFiles(folder: folder)
    let tokenizerClass = files.className.flatMap(TokenizerClass.named)
    let vocabulary = try Self.open(folder.appending("vocab.json"))
    var pieces: MappedFile?
    for name in Self.pieceFiles where pieces == nil { pieces = try Self.open(folder.appending(Path(name))) }
    if let pieces, vocabulary == nil || tokenizerClass?.model != .bytes {
      try self.init(pieces: pieces, files, for: purpose)
    } else if let vocabulary {
      guard let merges = try Self.open(folder.appending("merges.txt")) else {
        throw TokenizerError(
          .notFound, folder, "merges.txt is missing beside vocab.json, and there is no tokenizer.json")
      }
      // GPT-2, with which the two files were published, has no other files
      let byName = files.tokenizerClass.flatMap(TokenizerClass.named)
      let found =
        files.className == nil ? .gpt2 : [tokenizerClass, byName].lazy.compactMap(\.self).first { $0.model == .bytes }
      guard let found else {
        throw TokenizerError(
          .malformed, folder,
          "there is no tokenizer.json, and the rule of vocab.json and merges.txt is unknown for the \(files.kind) "
            + "(supported: \(TokenizerClass.names))")
      }
      try self.init(vocabulary: vocabulary, merges: merges, found, files, for: purpose)
    } else if try Self.open(folder.appending("tekken.json")) != nil {
      throw TokenizerError(
        .malformed, folder, "tekken.json is not supported; tokenizer.json of the same model is required")
    } else {
      throw TokenizerError(
        .notFound, folder,
        isDirectory(folder)
          ? "no tokenizer found: tokenizer.json, vocab.json and merges.txt, or tokenizer.model is required"
          : "no such folder")
    }
  }

  /// The names that the classes of transformers give a file of SentencePiece, and a list of tokens in base64.
  private static let pieceFiles = [
    "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "sentencepiece.model", "spm.model", "tiktoken.model",
  ]

  /// All files that a folder's tokenizer can depend on.
  static let folderFiles =
    ["tokenizer.json", "vocab.json", "merges.txt", "tekken.json"].map { Path($0) } + pieceFiles.map { Path($0) }
    + TokenizerFiles.fileNames

  /// Opens the file, or returns nil if it does not exist.
  static func open(_ path: Path) throws(TokenizerError) -> MappedFile? {
    let file: MappedFile
    do {
      file = try MappedFile(path: path)
    } catch {
      if error.code == ENOENT || error.code == ENOTDIR { return nil }
      throw TokenizerError(.unreadable(error), path, error.reason)
    }
    if let placeholder = file.placeholder { throw TokenizerError(.malformed, path, placeholder) }
    return file
  }
}

extension TokenizerFiles {
  /// What determines the class, for messages.
  var kind: String {
    tokenizerClass.map { "tokenizer class \"\(excerpt($0))\"" } ?? "model type \"\(excerpt(modelType ?? ""))\""
  }
}

import JSON
import Platform

extension Tokenizer {
  /// Opens the tokenizer of a model folder: tokenizer.json, or vocab.json and merges.txt if there is no tokenizer.json.
  public convenience init(folder: Path, for purpose: Purpose = .encoding) throws(TokenizerError) {
    if let file = try Self.open(folder.appending("tokenizer.json")) {
      try self.init(tokenizerJSON: file, TokenizerFiles(folder: folder), for: purpose)
    } else if let vocabulary = try Self.open(folder.appending("vocab.json")) {
      guard let merges = try Self.open(folder.appending("merges.txt")) else {
        throw TokenizerError(
          .notFound, folder, "merges.txt is missing beside vocab.json, and there is no tokenizer.json")
      }
      let files = try TokenizerFiles(folder: folder)
      guard let tokenizerClass = TokenizerClass(files.tokenizerClass, modelType: files.modelType) else {
        let kind =
          files.tokenizerClass.map { "tokenizer class \"\(excerpt($0))\"" }
          ?? "model type \"\(excerpt(files.modelType ?? ""))\""
        throw TokenizerError(
          .malformed, folder,
          "there is no tokenizer.json, and the rule of vocab.json and merges.txt is unknown for the \(kind) "
            + "(supported: \(TokenizerClass.names))")
      }
      try self.init(vocabulary: vocabulary, merges: merges, tokenizerClass, files, for: purpose)
    } else {
      throw TokenizerError(
        .notFound, folder,
        isDirectory(folder)
          ? "no tokenizer found: tokenizer.json, or vocab.json and merges.txt, is required" : "no such folder")
    }
  }

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

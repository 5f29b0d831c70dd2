import Platform

/// The reason why a model cannot be used: one line that names the file and the remedy.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
  /// The model or one of its files is missing or unreadable.
  case notFound(String)
  /// The file is damaged, contradicts itself, or requires a feature that is not implemented.
  case unusable(file: Path, reason: String)

  init(_ error: FileError) { self = .notFound(error.description) }

  public var description: String {
    switch self {
    case .notFound(let message): message
    case .unusable(let file, let reason): "\(file): \(reason)"
    }
  }
}

/// Maps a file into memory.
///
/// - Throws: ``CheckpointError`` if the file cannot be read, or if a failed download left a placeholder in its place.
func mapFile(_ path: Path) throws(CheckpointError) -> MappedFile {
  let file: MappedFile
  do { file = try MappedFile(path: path) } catch {
    guard error.code == ENOENT, lexists(path) else { throw CheckpointError(error) }
    let hint = completionHint(forFolder: path.parent)
    throw .notFound("\(path): broken symbolic link\(hint.isEmpty ? "; download the model again" : hint)")
  }
  if let placeholder = file.placeholder { throw .unusable(file: path, reason: placeholder) }
  return file
}

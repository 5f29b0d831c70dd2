import Platform

/// Why a model cannot be used, as a person needs to know it: one line that names the file and says what to do.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
  /// The model, or a file of it, is not there or cannot be read.
  case notFound(String)
  /// It is there, and is damaged, contradicts itself, or asks for something that is not implemented.
  case unusable(file: Path, reason: String)

  init(_ error: FileError) { self = .notFound(error.description) }

  public var description: String {
    switch self {
    case .notFound(let message): message
    case .unusable(let file, let reason): "\(file): \(reason)"
    }
  }
}

/// Opens a file for one of the readers.
func mapFile(_ path: Path) throws(CheckpointError) -> MappedFile {
  let file: MappedFile
  do { file = try MappedFile(path: path) } catch {
    guard error.code == ENOENT, hasEntry(path) else { throw CheckpointError(error) }
    throw .notFound("\(path): this link leads to a file that is missing: download the model again")
  }
  if let placeholder = file.placeholder { throw .unusable(file: path, reason: placeholder) }
  return file
}

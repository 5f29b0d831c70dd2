import Platform

/// Why a model cannot be used, as a person needs to know it: one line that names the file and says what to do.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
  /// The model, or a file of it, is not there or cannot be read.
  case notFound(String)
  /// It is there, and is damaged, contradicts itself, or asks for something that is not implemented.
  case unusable(file: String, reason: String)

  init(_ error: FileError) { self = .notFound(error.description) }

  public var description: String {
    switch self {
    case .notFound(let message): message
    case .unusable(let file, let reason): "\(file): \(reason)"
    }
  }
}

/// Opens a file for one of the readers.
func mapFile(_ path: String) throws(CheckpointError) -> MappedFile {
  do { return try MappedFile(path: path) } catch { throw CheckpointError(error) }
}

/// `1234567` as `1,234,567`.
public func grouped(_ number: Int) -> String {
  let digits = String(number)
  var result = ""
  for (index, digit) in digits.enumerated() {
    if index > 0, digit != "-", (digits.count - index) % 3 == 0, result != "-" { result.append(",") }
    result.append(digit)
  }
  return result
}

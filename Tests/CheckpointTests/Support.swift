import Checkpoint
import Foundation
import Platform
import TestSupport

extension Folder {
  /// Opens config.json and the weights of the folder. Writes `smallConfiguration` first if there is no config.json.
  func open() throws -> Checkpoint {
    if !has("config.json") { try write("config.json", smallConfiguration) }
    let files = try ModelFiles(.find(Path(path)))
    _ = try files.configuration()
    return try Checkpoint(files)
  }

  /// Opens the folder and returns the error message without the folder's path, or nil if there is no error.
  func errorMessage() -> String? {
    do {
      _ = try open()
      return nil
    } catch { return message(error) }
  }
}

extension GGUFBuilder {
  /// Opens a file and returns the error message without the path, or nil if there is no error.
  static func errorMessage(_ data: Data) throws -> String? {
    let folder = try Folder()
    do {
      _ = try Checkpoint(folder.files(data))
      return nil
    } catch let error as CheckpointError {
      return folder.message(error).replacingOccurrences(of: "model.gguf: ", with: "")
    }
  }

  func errorMessage() throws -> String? { try Self.errorMessage(data) }
}

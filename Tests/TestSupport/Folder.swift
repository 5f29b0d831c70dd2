import Foundation

/// A temporary folder, which is removed when the object is deinitialized.
package final class Folder {
  package let path = FileManager.default.temporaryDirectory.appending(path: "lmpipe-\(UUID().uuidString)").path

  package init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  package func write(_ name: String, _ data: Data) throws {
    let file = URL(filePath: path).appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
  }

  package func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

  package func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }

  /// Returns the description of an error without the folder's path.
  package func message(_ error: any Error) -> String { "\(error)".replacingOccurrences(of: path + "/", with: "") }
}

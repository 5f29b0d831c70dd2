import Checkpoint
import Foundation
import Platform
import Testing

/// A temporary folder, which is removed when the object is deinitialized.
final class Folder {
  let path = FileManager.default.temporaryDirectory.appending(path: "lmpipe-\(UUID().uuidString)").path

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ data: Data) throws {
    let file = URL(filePath: path).appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
  }

  func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }

  /// Opens the folder as a model. Writes `smallConfiguration` first if there is no config.json.
  func open() throws -> Checkpoint {
    if !FileManager.default.fileExists(atPath: path + "/config.json") { try write("config.json", smallConfiguration) }
    return try Checkpoint(ModelLocation.find(Path(path)))
  }

  /// Opens the folder as a model and returns the error message without the folder's path, or nil if there is no error.
  func errorMessage() -> String? {
    do {
      _ = try open()
      return nil
    } catch { return "\(error)".replacingOccurrences(of: path + "/", with: "") }
  }
}

let smallConfiguration = #"{"model_type":"gpt2","vocab_size":4,"n_positions":3,"n_embd":2,"n_layer":1,"n_head":1}"#

/// Returns a safetensors file with this header and data.
func safetensors(_ header: String, data: [UInt8] = [], headerLength: UInt64? = nil) -> Data {
  let length = headerLength ?? UInt64(header.utf8.count)
  return Data((0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }) + Data(header.utf8) + Data(data)
}

/// Returns a safetensors file with float32 tensors of these shapes.
func safetensors(_ tensors: KeyValuePairs<String, [Int]>) -> Data { safetensors(tensors.map { $0 }) }

func safetensors(_ tensors: some Sequence<(key: String, value: [Int])>) -> Data {
  var (entries, end): ([String], Int) = ([], 0)
  for (name, shape) in tensors {
    let size = shape.reduce(4, *)
    entries.append(#""\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":[\#(end),\#(end + size)]}"#)
    end += size
  }
  return safetensors("{\(entries.joined(separator: ","))}", data: (0..<end).map { UInt8($0 & 255) })
}

extension Data {
  func write(to folder: Folder) throws -> Folder {
    try folder.write("model.safetensors", self)
    return folder
  }
}

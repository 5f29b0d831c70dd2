import Checkpoint
import Foundation

/// The `config.json` of a GPT-2 model with one layer of width 2, four tokens and three positions.
package let smallConfiguration =
  #"{"model_type":"gpt2","vocab_size":4,"n_positions":3,"n_embd":2,"n_layer":1,"n_head":1}"#

/// Returns a safetensors file with this header and data.
package func safetensors(_ header: String, data: [UInt8] = [], headerLength: UInt64? = nil) -> Data {
  let length = headerLength ?? UInt64(header.utf8.count)
  return Data((0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }) + Data(header.utf8) + Data(data)
}

/// Returns a safetensors file with float32 tensors of these shapes.
package func safetensors(_ tensors: KeyValuePairs<String, [Int]>) -> Data { safetensors(tensors.map { $0 }) }

/// Returns a safetensors file with tensors of these shapes.
///
/// - Parameter types: the types of the tensors that are not float32, by name.
package func safetensors(
  _ tensors: some Sequence<(key: String, value: [Int])>, types: [String: ElementType] = [:]
) -> Data {
  let (header, size) = safetensorsHeader(tensors, types: types)
  // A period of 1,004 bytes, which is longer than most files: an output head at this distance from the token embedding
  // would be a copy of it.
  return safetensors(header, data: (0..<size).map { UInt8($0 % 251) })
}

/// Returns the header of a safetensors file, and the size of the data in bytes.
package func safetensorsHeader(
  _ tensors: some Sequence<(key: String, value: [Int])>, types: [String: ElementType] = [:]
) -> (header: String, size: Int) {
  var (entries, end): ([String], Int) = ([], 0)
  for (name, shape) in tensors {
    let type = types[name] ?? .float32
    let size = shape.reduce(type.blockSize, *)
    entries.append(
      #""\#(name)":{"dtype":"\#(type.rawValue)","shape":\#(shape),"data_offsets":[\#(end),\#(end + size)]}"#)
    end += size
  }
  return ("{\(entries.joined(separator: ","))}", end)
}

extension Data {
  /// Writes the file as the weights of a model, and returns the folder.
  package func write(to folder: Folder) throws -> Folder {
    try folder.write("model.safetensors", self)
    return folder
  }
}

import Platform

/// The named hyperparameters of a model: `config.json`, or the metadata of a GGUF file.
///
/// Each function returns nil if the name is absent, and throws if its value has a different type.
package protocol ConfigurationSource {
  var path: Path { get }
  /// Returns whether the file has a value of this name.
  func has(_ name: String) -> Bool
  func integer(_ name: String) throws(CheckpointError) -> Int?
  func number(_ name: String) throws(CheckpointError) -> Double?
  func boolean(_ name: String) throws(CheckpointError) -> Bool?
  func string(_ name: String) throws(CheckpointError) -> String?
}

extension ConfigurationSource {
  package func refuse(_ reason: String) -> CheckpointError { .unusable(file: path, reason: reason) }

  /// Returns a size, which must be present and in the range from 1 to `limit`.
  ///
  /// - Parameter name: the name for messages.
  package func size(_ name: String, _ found: Int?, limit: Int = sizeLimit) throws(CheckpointError) -> Int {
    guard let size = found else { throw refuse("\(name) is missing") }
    guard 1...limit ~= size else { throw refuse("\(name) is \(size); must be from 1 to \(limit)") }
    return size
  }

  package func size(_ name: String, default value: Int? = nil, limit: Int = sizeLimit) throws(CheckpointError) -> Int {
    try size(name, try integer(name) ?? value, limit: limit)
  }

  package func boolean(_ name: String, default value: Bool) throws(CheckpointError) -> Bool {
    try boolean(name) ?? value
  }

  package func string(_ name: String, default value: String) throws(CheckpointError) -> String {
    try string(name) ?? value
  }

  /// Returns a number that must be positive and finite as a float32.
  package func positive(_ name: String, default value: Double? = nil) throws(CheckpointError) -> Double {
    guard let number = try number(name) ?? value else { throw refuse("\(name) is missing") }
    guard Float(number) > 0, Float(number).isFinite else {
      throw refuse("\(name) is \(number); must be positive and finite as a float32")
    }
    return number
  }
}

/// The maximum of every size, far above the sizes of real models. A product of three sizes fits in 64 bits.
package let sizeLimit = 1 << 20
/// The maximum number of layers, far above that of real models. The table of their tensors is then small and quickly
/// built.
package let layerLimit = 1 << 10

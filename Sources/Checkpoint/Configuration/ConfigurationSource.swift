import Platform

/// A file that says by names what a model is: `config.json`, or the metadata of a GGUF file.
///
/// Each of the functions answers nil where there is no such name, and throws where its value is of another type.
protocol ConfigurationSource {
  var path: Path { get }
  func integer(_ name: String) throws(CheckpointError) -> Int?
  func number(_ name: String) throws(CheckpointError) -> Double?
  func boolean(_ name: String) throws(CheckpointError) -> Bool?
  func string(_ name: String) throws(CheckpointError) -> String?
}

extension ConfigurationSource {
  func refuse(_ reason: String) -> CheckpointError { .unusable(file: path, reason: reason) }

  /// The size of something, that a model can have.
  func size(_ name: String, _ found: Int?, limit: Int = sizeLimit) throws(CheckpointError) -> Int {
    guard let size = found else { throw refuse("\(name) is missing") }
    guard 1...limit ~= size else { throw refuse("\(name) is \(size), which no model has") }
    return size
  }

  func size(_ name: String, default absent: Int? = nil, limit: Int = sizeLimit) throws(CheckpointError) -> Int {
    try size(name, try integer(name) ?? absent, limit: limit)
  }

  func boolean(_ name: String, default absent: Bool) throws(CheckpointError) -> Bool { try boolean(name) ?? absent }

  func string(_ name: String, default absent: String) throws(CheckpointError) -> String { try string(name) ?? absent }

  /// A number that must be positive, and that float32 can hold.
  func positive(_ name: String, default absent: Double? = nil) throws(CheckpointError) -> Double {
    guard let number = try number(name) ?? absent else { throw refuse("\(name) is missing") }
    guard Float(number) > 0, Float(number).isFinite else {
      throw refuse("\(name) is \(number), and must be a positive number of moderate size")
    }
    return number
  }

  /// A number that RoPE's frequencies are divided by, or whose powers they are divided by.
  func frequencyDivisor(_ name: String, default absent: Double? = nil) throws(CheckpointError) -> Double {
    let number = try positive(name, default: absent)
    guard number >= RotaryEmbedding.leastDivisor else {
      throw refuse("\(name) is \(number), and must be at least \(RotaryEmbedding.leastDivisor)")
    }
    return number
  }

  /// The width of one head, where a model's width is shared out among so many.
  func share(of width: (name: String, value: Int), among heads: (name: String, value: Int)) throws(CheckpointError)
    -> Int
  {
    guard width.value % heads.value == 0 else {
      throw refuse("\(width.name) (\(width.value)) is not a multiple of \(heads.name) (\(heads.value))")
    }
    return width.value / heads.value
  }
}

/// Far beyond any model; products of three such sizes still fit 64 bits.
let sizeLimit = 1 << 20
/// Likewise; and a table of that many layers' tensors is still made in no time.
let layerLimit = 1 << 10

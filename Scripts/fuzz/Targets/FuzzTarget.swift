/// A parser of untrusted input, with the properties that must hold for any input.
///
/// `make fuzz` runs libFuzzer on all targets; `make test` replays the seeds and all earlier findings.
public struct FuzzTarget: Sendable {
  public let name: String
  /// Longer input is not expected to find more.
  public let longestInput: Int
  private let check: @Sendable (UnsafeBufferPointer<UInt8>) throws -> Void

  init(
    _ name: String, longestInput: Int, _ check: @escaping @Sendable (UnsafeBufferPointer<UInt8>) throws -> Void
  ) {
    self.name = name
    self.longestInput = longestInput
    self.check = check
  }

  /// Throws a `Finding` if a property does not hold. Traps, out-of-bounds reads and leaks are reported by the driver
  /// and its sanitizers.
  public func run(_ input: UnsafeBufferPointer<UInt8>) throws { try check(input) }

  public static let all: [FuzzTarget] = [
    .json, .records, .numbers, .utf8, .base64, .lines, .safetensors, .shards, .configuration, .models, .gguf, .parts,
    .cache,
    .tokenizerJSON, .softmax, .rope,
    .vocabularyFiles, .splitting, .encoding, .sentencePiece, .characterMap, .scores, .pattern, .wordDivision, .template,
    .image,
  ]
}

/// A property that does not hold.
public struct Finding: Error, CustomStringConvertible {
  public let description: String
}

/// Throws a `Finding` with the message if `holds` is false.
func expect(_ holds: Bool, _ message: @autoclosure () -> String) throws {
  guard holds else { throw Finding(description: message()) }
}

extension UnsafeBufferPointer<UInt8> {
  /// Returns the bytes as packed numbers; bytes left over are ignored.
  func loaded<Number: FixedWidthInteger>(as type: Number.Type) -> [Number] {
    let bytes = UnsafeRawBufferPointer(self)
    let size = MemoryLayout<Number>.size
    return (0..<count / size).map { bytes.loadUnaligned(fromByteOffset: $0 * size, as: type) }
  }
}

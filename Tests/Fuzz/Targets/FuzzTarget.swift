/// Something that reads what strangers write, and what must hold whatever they wrote.
///
/// `make fuzz` has libFuzzer look for input that breaks it; `make test` replays the seeds and every input that ever did.
public struct FuzzTarget: Sendable {
  public let name: String
  /// Longer input finds nothing that shorter input does not.
  public let longestInput: Int
  private let check: @Sendable (UnsafeBufferPointer<UInt8>) throws -> Void

  init(
    _ name: String, longestInput: Int, _ check: @escaping @Sendable (UnsafeBufferPointer<UInt8>) throws -> Void
  ) {
    self.name = name
    self.longestInput = longestInput
    self.check = check
  }

  /// Throws a `Finding` where something does not hold. What is wrong in other ways (a trap, a read out of bounds, a leak)
  /// is for the driver and its sanitizers to notice.
  public func run(_ input: UnsafeBufferPointer<UInt8>) throws { try check(input) }

  public static let all: [FuzzTarget] = [
    .json, .records, .numbers, .utf8, .base64, .lines, .safetensors, .shards, .configuration, .gguf, .cache,
    .tokenizerJSON, .softmax, .rope,
    .vocabularyFiles, .splitting, .encoding,
  ]
}

/// What does not hold.
public struct Finding: Error, CustomStringConvertible {
  public let description: String
}

/// Requires that something holds.
func expect(_ holds: Bool, _ otherwise: @autoclosure () -> String) throws {
  guard holds else { throw Finding(description: otherwise()) }
}

extension UnsafeBufferPointer<UInt8> {
  /// The numbers that lie here one behind the other; bytes left over are not looked at.
  func loaded<Number: FixedWidthInteger>(as type: Number.Type) -> [Number] {
    let bytes = UnsafeRawBufferPointer(self)
    let size = MemoryLayout<Number>.size
    return (0..<count / size).map { bytes.loadUnaligned(fromByteOffset: $0 * size, as: type) }
  }
}

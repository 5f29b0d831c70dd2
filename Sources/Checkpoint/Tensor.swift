import Platform

/// How a tensor's elements are stored.
public enum ElementType: String, Sendable {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case float8e4m3 = "F8_E4M3"
  case float8e5m2 = "F8_E5M2"
  case int64 = "I64"
  case int32 = "I32"
  case int16 = "I16"
  case int8 = "I8"
  case uint64 = "U64"
  case uint32 = "U32"
  case uint16 = "U16"
  case uint8 = "U8"
  case boolean = "BOOL"

  /// In bytes.
  public var size: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float8e4m3, .float8e5m2, .int8, .uint8, .boolean: 1
    }
  }
}

/// An array in a mapped file, row-major, at no particular alignment.
///
/// `bytes` holds exactly the product of `shape` elements (the reader checked it) and is valid while `file` is.
public struct Tensor: @unchecked Sendable {  // read-only memory
  public let name: String
  public let type: ElementType
  public let shape: [Int]
  public let bytes: UnsafeRawBufferPointer
  public let file: MappedFile

  public var count: Int { bytes.count / type.size }
}

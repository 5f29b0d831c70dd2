import Platform

/// The storage format of a tensor's elements. Raw values are the names in safetensors and ggml.
public enum ElementType: String, CaseIterable, Sendable {
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
  // Quantized formats of GGUF: blocks of elements with a common scale (ggml, "ggml-common.h"). The cases have ggml's
  // names, in which the part after the underscore is the variant of the format.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q4_0 = "Q4_0"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q4_1 = "Q4_1"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q5_0 = "Q5_0"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q5_1 = "Q5_1"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q8_0 = "Q8_0"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q2_k = "Q2_K"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q3_k = "Q3_K"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q4_k = "Q4_K"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q5_k = "Q5_K"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case q6_k = "Q6_K"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case iq4_nl = "IQ4_NL"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case iq4_xs = "IQ4_XS"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case iq3_s = "IQ3_S"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case iq3_xxs = "IQ3_XXS"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case iq2_s = "IQ2_S"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case iq2_xs = "IQ2_XS"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case iq2_xxs = "IQ2_XXS"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case iq1_m = "IQ1_M"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case iq1_s = "IQ1_S"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case tq1_0 = "TQ1_0"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case tq2_0 = "TQ2_0"
  case mxfp4 = "MXFP4"
  /// A type that is not in this list. The elements are opaque: `Tensor.bytes` is their memory, and `Tensor.typeName` is
  /// the name of the type.
  case other

  /// The number of elements in a block: 32, or 256 for super-blocks. 1 if elements are stored
  /// individually.
  public var blockLength: Int {
    switch self {
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4_nl, .mxfp4: 32
    case .q2_k, .q3_k, .q4_k, .q5_k, .q6_k, .iq4_xs, .iq3_s, .iq3_xxs, .iq2_s, .iq2_xs, .iq2_xxs, .iq1_m, .iq1_s,
      .tq1_0, .tq2_0:
      256
    default: 1
    }
  }

  /// The size of a block in bytes; of one element if `blockLength` is 1.
  public var blockSize: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float8e4m3, .float8e5m2, .int8, .uint8, .boolean, .other: 1
    case .q4_0: 18
    case .q4_1: 20
    case .q5_0: 22
    case .q5_1: 24
    case .q8_0: 34
    case .q2_k: 84
    case .q3_k: 110
    case .q4_k: 144
    case .q5_k: 176
    case .q6_k: 210
    case .iq4_nl: 18
    case .iq4_xs: 136
    case .iq3_s: 110
    case .iq3_xxs: 98
    case .iq2_s: 82
    case .iq2_xs: 74
    case .iq2_xxs: 66
    case .iq1_m: 56
    case .iq1_s: 50
    case .tq1_0: 54
    case .tq2_0: 66
    case .mxfp4: 17
    }
  }
}

extension ElementType {
  /// True if the kernels can multiply by a matrix of this type.
  package var isComputable: Bool {
    switch self {
    case .float64, .float32, .float16, .bfloat16: true
    default: blockLength > 1
    }
  }

  /// The types with `isComputable`, for messages.
  package static var computableNames: String {
    let names = allCases.filter(\.isComputable).map(\.rawValue)
    return names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
  }
}

/// A row-major array in a mapped file, without any alignment.
///
/// `bytes` has exactly the size of `shape` (checked by the readers) unless the type is `other`, whose sizes are
/// unknown, and is valid as long as `file` exists.
public struct Tensor: @unchecked Sendable {  // read-only memory
  public let name: String
  public let type: ElementType
  /// The name of the type in safetensors or ggml. From the file, and untrusted, if `type` is `other`.
  public let typeName: String
  public let shape: [Int]
  public let bytes: UnsafeRawBufferPointer
  public let file: MappedFile

  /// - Parameter typeName: the name of the type; nil for the name of `type`.
  init(
    name: String, type: ElementType, typeName: String? = nil, shape: [Int], bytes: UnsafeRawBufferPointer,
    file: MappedFile
  ) {
    (self.name, self.type, self.typeName) = (name, type, typeName ?? type.rawValue)
    (self.shape, self.bytes, self.file) = (shape, bytes, file)
  }

  /// The range of `bytes` in the file.
  var range: Range<Int> {
    guard let start = bytes.baseAddress, let fileStart = file.bytes.baseAddress else { return 0..<0 }
    let offset = start - fileStart
    return offset..<offset + bytes.count
  }

  /// The number of elements; of bytes if the type is `other`.
  public var count: Int { bytes.count / type.blockSize * type.blockLength }
}

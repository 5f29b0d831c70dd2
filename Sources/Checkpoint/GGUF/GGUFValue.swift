/// A metadata value in a GGUF file: its type and its position in the file.
struct GGUFValue {
  /// The types of values. Raw values are their numbers in the file (`enum gguf_metadata_value_type`).
  enum Kind: UInt32 {
    case uint8 = 0
    case int8
    case uint16
    case int16
    case uint32
    case int32
    case float32
    case boolean
    case string
    case array
    case uint64
    case int64
    case float64

    /// The size of a value in bytes; nil if it depends on the value.
    var size: Int? {
      switch self {
      case .uint8, .int8, .boolean: 1
      case .uint16, .int16: 2
      case .uint32, .int32, .float32: 4
      case .uint64, .int64, .float64: 8
      case .string, .array: nil
      }
    }
  }

  /// The type of the value, or of the elements of an array.
  let kind: Kind
  /// The number of elements of an array; nil if the value is not an array.
  let count: Int?
  /// The bytes of the value. The length prefix of a string and the type and count of an array are not included.
  let range: Range<Int>
}

extension GGUFCursor {
  /// Skips the value of a key and returns its description.
  mutating func value(of key: String) throws(CheckpointError) -> GGUFValue {
    let kind = try self.kind(of: key)
    if kind == .string { return GGUFValue(kind: kind, count: nil, range: try string("the string \(key)")) }
    if let size = kind.size {
      let start = try skip(UInt64(size), "the value of \(key)")
      return GGUFValue(kind: kind, count: nil, range: start..<position)
    }
    let element = try self.kind(of: key)
    let count = try number(UInt64.self)
    let range: Range<Int>
    if let size = element.size {
      let (total, overflow) = count.multipliedReportingOverflow(by: UInt64(size))
      let start = try skip(overflow ? .max : total, "the array \(key)")
      range = start..<position
    } else if element == .string {
      range = try strings(count, "a string of \(key)")
    } else {
      throw damaged("\(key) is an array of arrays, which is not supported")
    }
    return GGUFValue(kind: element, count: Int(count), range: range)
  }

  private mutating func kind(of key: String) throws(CheckpointError) -> GGUFValue.Kind {
    let number = try number(UInt32.self)
    guard let kind = GGUFValue.Kind(rawValue: number) else {
      throw damaged("the value of \(key) has an unknown type, \(number); download it again")
    }
    return kind
  }
}

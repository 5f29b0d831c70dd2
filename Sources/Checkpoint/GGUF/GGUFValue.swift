/// A value of GGUF's metadata: its type, and where it lies in the file.
struct GGUFValue {
  /// The types of values, under the numbers they have in the file.
  enum Kind: UInt32 {
    case uint8 = 0, int8, uint16, int16, uint32, int32, float32, boolean, string, array, uint64, int64, float64

    /// The bytes that a value of this type takes; nil where it depends on the value.
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

  /// Of the value, or of the elements of an array.
  let kind: Kind
  /// How many elements an array has; nil for a value that is none.
  let count: Int?
  /// The bytes of the value, of a string without its length, or of an array's elements.
  let range: Range<Int>
}

extension GGUFCursor {
  /// Passes over the value of a key.
  mutating func value(of key: String) throws(CheckpointError) -> GGUFValue {
    let kind = try self.kind(of: key)
    if kind == .string { return GGUFValue(kind: kind, count: nil, range: try string("the text of \(key)")) }
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
      range = try strings(count, "a text of \(key)")
    } else {
      throw damaged("\(key) is an array of arrays, which no GGUF file of a model has")
    }
    return GGUFValue(kind: element, count: Int(count), range: range)
  }

  private mutating func kind(of key: String) throws(CheckpointError) -> GGUFValue.Kind {
    let number = try number(UInt32.self)
    guard let kind = GGUFValue.Kind(rawValue: number) else {
      throw damaged("the value of \(key) has the type \(number), which GGUF does not know: download it again")
    }
    return kind
  }
}

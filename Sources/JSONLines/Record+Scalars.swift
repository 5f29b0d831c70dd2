import JSON

extension Record {
  /// A member whose value is a string, a number, a boolean or null.
  public struct Scalar {
    /// The member's name.
    public let name: [UInt8]
    /// The characters of a string, or the source text of a number or a boolean; nil for null.
    public let value: [UInt8]?
  }

  /// Returns the members with scalar values, in order.
  ///
  /// - Throws: `JSONError` if a name or a string has an unpaired surrogate.
  public func scalars() throws(JSONError) -> [Scalar] {
    var scalars: [Scalar] = []
    guard memberCount > 0 else { return [] }
    var scanner = JSONScanner(line)
    try scanner.object { (text, scanner) throws(JSONError) in
      let kind = try scanner.kind()
      guard kind != .object, kind != .array else {
        _ = try scanner.skipValue()
        return
      }
      var name: [UInt8] = []
      guard scanner.decode(text, into: &name) else {
        throw scanner.failure("a member's name contains an unpaired surrogate", at: text.range.lowerBound)
      }
      switch kind {
      case .null:
        try scanner.null()
        scalars.append(Scalar(name: name, value: nil))
      case .string:
        let string = try scanner.string()
        var value: [UInt8] = []
        guard scanner.decode(string, into: &value) else {
          throw scanner.failure("a string contains an unpaired surrogate", at: string.range.lowerBound)
        }
        scalars.append(Scalar(name: name, value: value))
      default: scalars.append(Scalar(name: name, value: Array(line[try scanner.skipValue()])))
      }
    }
    return scalars
  }

  /// Reads an array of strings; nil if the member is missing or null.
  public func strings(_ name: String) throws(JSONError) -> [[UInt8]]? {
    guard var scanner = try value(of: name) else { return nil }
    var strings: [[UInt8]] = []
    try scanner.array { (scanner) throws(JSONError) in
      let text = try scanner.string()
      var characters: [UInt8] = []
      guard scanner.decode(text, into: &characters) else {
        throw scanner.failure("\"\(name)\" contains an unpaired surrogate", at: text.range.lowerBound)
      }
      strings.append(characters)
    }
    return strings
  }

  /// Reads an array of numbers and nulls; nil if the member is missing or null.
  public func optionalFloats(_ name: String) throws(JSONError) -> [Float?]? {
    try optionals(name) { (scanner) throws(JSONError) in try scanner.float() }
  }

  /// Reads an array of integers and nulls; nil if the member is missing or null.
  public func optionalIntegers(_ name: String) throws(JSONError) -> [Int?]? {
    try optionals(name) { (scanner) throws(JSONError) in try scanner.integer() }
  }

  private func optionals<Number>(
    _ name: String, _ read: (inout JSONScanner) throws(JSONError) -> Number
  ) throws(JSONError) -> [Number?]? {
    guard var scanner = try value(of: name) else { return nil }
    var numbers: [Number?] = []
    try scanner.array { (scanner) throws(JSONError) in
      guard try scanner.kind() == .null else { return numbers.append(try read(&scanner)) }
      try scanner.null()
      numbers.append(nil)
    }
    return numbers
  }
}

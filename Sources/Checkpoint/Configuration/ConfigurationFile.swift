import JSON
import Platform

/// A JSON object such as `config.json`, stored as the positions of its members' values.
///
/// A `null` member is treated as absent (see `isNull`). As in Python, which writes these files, the last of several
/// members of the same name is used, and members that are not read may be `NaN` or `Infinity`. Unlike in Python, the
/// file may begin with a byte-order mark, which some editors write.
package struct ConfigurationFile: ConfigurationSource, Sendable {
  private let file: MappedFile
  private let members: [String: Member]

  private struct Member {
    let position: Int
    let isNull: Bool
  }

  package var path: Path { file.path }

  // Limits far above those of real configurations, to bound time and memory for untrusted files.
  private static let byteLimit = 1 << 22
  private static let memberLimit = 1 << 12
  /// Above the length of every name that is read. Members with longer names are skipped.
  private static let nameLimit = 128

  package init(path: Path) throws(CheckpointError) { try self.init(mapFile(path)) }

  init(_ file: MappedFile) throws(CheckpointError) {
    self.file = file
    let path = file.path
    guard file.bytes.count <= Self.byteLimit else {
      throw .unusable(
        file: path,
        reason: "\(withThousandsSeparators(file.bytes.count)) bytes are too many for a configuration; "
          + "the limit is \(withThousandsSeparators(Self.byteLimit))")
    }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]  // U+FEFF in UTF-8
    var scanner = JSONScanner(file.characters, position: file.characters.starts(with: mark) ? mark.count : 0)
    do {
      members = try Self.members(&scanner)
      try scanner.end()
    } catch { throw .unusable(file: path, reason: "\(error)") }
  }

  private init(_ file: MappedFile, at position: Int) throws(CheckpointError) {
    self.file = file
    var scanner = JSONScanner(file.characters, position: position)
    do { members = try Self.members(&scanner) } catch { throw .unusable(file: file.path, reason: "\(error)") }
  }

  private static func members(_ scanner: inout JSONScanner) throws(JSONError) -> [String: Member] {
    var members: [String: Member] = [:]
    var count = 0
    try scanner.object { (name, scanner) throws(JSONError) in
      count += 1
      guard count <= memberLimit else { throw scanner.failure("more than \(memberLimit) members") }
      let value = try scanner.skipValue(allowsConstants: true)
      let isNull = scanner.bytes[value.lowerBound] == UInt8(ascii: "n")
      guard name.range.count <= nameLimit else { return }
      members[scanner.source(name.range)] = Member(position: value.lowerBound, isNull: isNull)
    }
    return members
  }

  /// Returns the position of a member's value, or nil if the member is absent or null.
  private func position(of name: String) -> Int? { members[name].flatMap { $0.isNull ? nil : $0.position } }

  package func has(_ name: String) -> Bool { position(of: name) != nil }

  package func isNull(_ name: String) -> Bool { members[name]?.isNull == true }

  package var isEmpty: Bool { members.isEmpty }

  /// Reads the value of a member; nil if the member is absent or null.
  package func read<Value>(_ name: String, _ body: (inout JSONScanner) throws(JSONError) -> Value)
    throws(CheckpointError) -> Value?
  {
    guard let position = position(of: name) else { return nil }
    var scanner = JSONScanner(file.characters, position: position)
    do { return try body(&scanner) } catch { throw .unusable(file: path, reason: "\(error) (in \"\(name)\")") }
  }

  package func integer(_ name: String) throws(CheckpointError) -> Int? {
    try read(name) { (scanner) throws(JSONError) in try scanner.integralNumber() }
  }

  package func number(_ name: String) throws(CheckpointError) -> Double? {
    try read(name) { (scanner) throws(JSONError) in try scanner.double() }
  }

  package func boolean(_ name: String) throws(CheckpointError) -> Bool? {
    try read(name) { (scanner) throws(JSONError) in try scanner.boolean() }
  }

  package func string(_ name: String) throws(CheckpointError) -> String? {
    try read(name) { (scanner) throws(JSONError) in try scanner.swiftString() }
  }

  /// Returns an array of integers, or a single integer as an array of one.
  package func integers(_ name: String) throws(CheckpointError) -> [Int]? {
    try read(name) { (scanner) throws(JSONError) in
      guard try scanner.kind() == .array else { return [try scanner.integralNumber()] }
      var integers: [Int] = []
      try scanner.array { (scanner) throws(JSONError) in integers.append(try scanner.integralNumber()) }
      return integers
    }
  }

  /// Returns an array of numbers.
  package func numbers(_ name: String) throws(CheckpointError) -> [Double]? {
    try read(name) { (scanner) throws(JSONError) in
      var numbers: [Double] = []
      try scanner.array { (scanner) throws(JSONError) in numbers.append(try scanner.double()) }
      return numbers
    }
  }

  package func strings(_ name: String) throws(CheckpointError) -> [String]? {
    try read(name) { (scanner) throws(JSONError) in
      var strings: [String] = []
      try scanner.array { (scanner) throws(JSONError) in strings.append(try scanner.swiftString()) }
      return strings
    }
  }

  /// Returns a member that is an object.
  package func object(_ name: String) throws(CheckpointError) -> ConfigurationFile? {
    guard let position = position(of: name) else { return nil }
    return try ConfigurationFile(file, at: position)
  }
}

extension JSONScanner {
  /// Reads a number that is an integer. It may have a fraction or an exponent, such as `8192.0` and `1e4`: programs
  /// that compute in floating point write those, transformers 4 accepts them, and transformers 5 does in
  /// `rope_parameters`. True and false are not numbers.
  fileprivate mutating func integralNumber() throws(JSONError) -> Int {
    var copy = self
    let range = try copy.number()
    guard bytes[range].contains(where: { ".eE".utf8.contains($0) }) else { return try integer() }
    guard let integer = Int(exactly: try double()) else {
      throw failure("\(excerpt(bytes[range])) is not an integer", at: range.lowerBound)
    }
    return integer
  }
}

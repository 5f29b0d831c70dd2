import JSON

/// A record: one line with a JSON object. It stores only the ranges of the members in the line. A tool reads the
/// members that it needs; all other members are copied to the output as source text.
///
/// A record borrows its line and is valid only as long as the line's bytes.
///
/// ```swift
/// let record = try Record(line)
/// let ids = try record.ids()
/// record.write(to: output, [.set("next") { $0.append(json: next) }, .drop("logits")])
/// ```
public struct Record {
  /// Ranges in 16 bytes, because a member may be as short as five bytes, `"":0,`. A line has less than 4 GiB.
  private struct Member {
    private let nameStart, nameEnd, valueStart, valueEnd: UInt32

    init(_ name: Range<Int>, _ value: Range<Int>) {
      (nameStart, nameEnd) = (UInt32(truncatingIfNeeded: name.lowerBound), UInt32(truncatingIfNeeded: name.upperBound))
      (valueStart, valueEnd) = (
        UInt32(truncatingIfNeeded: value.lowerBound), UInt32(truncatingIfNeeded: value.upperBound)
      )
    }

    var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }

    /// - Parameter hasEscapes: whether any name in the record has an escape.
    func name(hasEscapes: Bool) -> JSONScanner.Text { JSONScanner.Text(range: name, hasEscapes: hasEscapes) }

    var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
  }

  /// The source line.
  public let line: UnsafeBufferPointer<UInt8>
  private var members: [Member] = []
  /// Whether the name of any member has an escape.
  private var hasEscapedNames = false

  /// Creates a record without members.
  public init() { line = UnsafeBufferPointer(start: nil, count: 0) }

  /// Reads a JSON object, or a bare array of ids, which is equivalent to `{"ids": […]}`.
  public init(_ line: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    self.line = line
    var scanner = JSONScanner(line)
    guard line.count <= UInt32.max else { throw scanner.failure("record longer than 4 GiB", at: 0) }
    guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else {
      throw scanner.failure("blank line; a record is a JSON object", at: 0)
    }
    switch try scanner.kind() {
    case .object:
      var members: [Member] = []
      members.reserveCapacity(8)
      var hasEscapedNames = false
      try scanner.object { (name, scanner) throws(JSONError) in
        members.append(Member(name.range, try scanner.skipValue()))
        if name.hasEscapes { hasEscapedNames = true }
      }
      (self.members, self.hasEscapedNames) = (members, hasEscapedNames)
    case .array:
      bareArray = try scanner.skipValue()
    default:
      throw scanner.failure("expected a JSON object or an array of ids")
    }
    try scanner.end()
  }

  /// The range of a bare array; nil if the record is an object.
  private var bareArray: Range<Int>?

  /// Returns a scanner at the value of a member; nil if the member is missing or null. A duplicate member is an error.
  public func value(of name: String) throws(JSONError) -> JSONScanner? {
    try source(of: name).map { scanner(of: $0) }
  }

  /// Returns a scanner of a value. Its text is the line up to the end of the value, so that error offsets refer to the
  /// line.
  func scanner(of source: Range<Int>) -> JSONScanner {
    JSONScanner(UnsafeBufferPointer(rebasing: line[..<source.upperBound]), position: source.lowerBound)
  }

  /// Returns the range of a member's source text; nil if the member is missing or null. A duplicate member is an error.
  func source(of name: String) throws(JSONError) -> Range<Int>? {
    if let bareArray, name == "ids" { return bareArray }
    let scanner = JSONScanner(line)
    var found: Range<Int>?
    for member in members where scanner.matches(member.name(hasEscapes: hasEscapedNames), name) {
      guard found == nil else {
        throw scanner.failure("duplicate member \"\(name)\"", at: member.name.lowerBound)
      }
      found = member.value
    }
    return found.flatMap { line[$0.lowerBound] == UInt8(ascii: "n") ? nil : $0 }
  }

  /// The number of members of the object; 0 for a bare array.
  public var memberCount: Int { members.count }

  /// Returns whether the record has a member that is not null.
  public func has(_ name: String) throws(JSONError) -> Bool { try value(of: name) != nil }

  /// A change of one member when the record is written again.
  public struct Change {
    let name: String
    let write: ((ByteBuffer) -> Void)?
    var dropsNumberOnly = false

    /// Replaces the value of the member, or appends the member if it is missing. `write` appends the value's JSON.
    public static func set(_ name: String, _ write: @escaping (ByteBuffer) -> Void) -> Change {
      Change(name: name, write: write)
    }
    /// Removes the member.
    public static func drop(_ name: String) -> Change { Change(name: name, write: nil) }
    /// Removes the member if its value is a number; members of the same name with other values are not from these
    /// tools.
    public static func dropNumber(_ name: String) -> Change {
      Change(name: name, write: nil, dropsNumberOnly: true)
    }
  }

  /// Appends the record to `output` with the changes applied, without a line end. Other members keep their source text
  /// and order. If several changes name the same member, the first one applies.
  public func write(to output: ByteBuffer, _ changes: [Change]) {
    let scanner = JSONScanner(line)
    var isWritten = [Bool](repeating: false, count: changes.count)
    var separator = UInt8(ascii: "{")
    func begin(_ name: UnsafeBufferPointer<UInt8>) {  // in source form, with escapes
      output.append(separator)
      output.append(UInt8(ascii: "\""))
      output.append(name)
      output.append("\":")
      separator = UInt8(ascii: ",")
    }
    func begin(_ name: String) {
      var name = name
      name.withUTF8 { begin($0) }
    }
    func text(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: line[range]) }
    for member in members {
      let name = member.name(hasEscapes: hasEscapedNames)
      let first = line[member.value.lowerBound]
      let isNumber = first == UInt8(ascii: "-") || UInt8(ascii: "0")...UInt8(ascii: "9") ~= first
      guard
        let index = changes.firstIndex(where: {
          scanner.matches(name, $0.name) && (isNumber || !$0.dropsNumberOnly)
        })
      else {
        begin(text(name.range))
        output.append(text(member.value))
        continue
      }
      guard let write = changes[index].write, !isWritten[index] else { continue }
      begin(text(name.range))
      write(output)
      isWritten[index] = true
    }
    if let bareArray, !changes.contains(where: { $0.name == "ids" }) {
      begin("ids")
      output.append(text(bareArray))
    }
    for (index, change) in changes.enumerated() where !isWritten[index] {
      guard let write = change.write, !changes[..<index].contains(where: { $0.name == change.name }) else {
        continue
      }
      begin(change.name)
      write(output)
    }
    if separator == UInt8(ascii: "{") { output.append(separator) }
    output.append(UInt8(ascii: "}"))
  }
}

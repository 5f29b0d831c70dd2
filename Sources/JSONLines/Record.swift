import JSON

/// One line as a JSON object: where its members lie in the line, nothing else. What a tool needs it reads from there;
/// what it does not need it writes again as the source text says.
///
/// A record borrows its line and is valid for as long as the line's bytes are.
public struct Record {
  /// 16 bytes, because a member may have as few as five in the line, `"":0,`. The line is not longer than 4 GiB.
  private struct Member {
    private let nameStart, nameEnd, valueStart, valueEnd: UInt32

    init(_ name: Range<Int>, _ value: Range<Int>) {
      (nameStart, nameEnd) = (UInt32(truncatingIfNeeded: name.lowerBound), UInt32(truncatingIfNeeded: name.upperBound))
      (valueStart, valueEnd) = (
        UInt32(truncatingIfNeeded: value.lowerBound), UInt32(truncatingIfNeeded: value.upperBound)
      )
    }

    var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }

    /// - Parameter hasEscapes: of the record, whether any of its names has.
    func name(hasEscapes: Bool) -> JSONScanner.Text { JSONScanner.Text(range: name, hasEscapes: hasEscapes) }

    var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
  }

  /// The line that the record was read from.
  public let line: UnsafeBufferPointer<UInt8>
  private var members: [Member] = []
  /// Whether the name of a member has an escape in it.
  private var hasEscapedNames = false

  /// A record without members.
  public init() { line = UnsafeBufferPointer(start: nil, count: 0) }

  /// Reads `{…}`; a bare array stands for `{"ids": […]}`.
  public init(_ line: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    self.line = line
    var scanner = JSONScanner(line)
    guard line.count <= UInt32.max else { throw scanner.failure("a record must not be longer than 4 GiB", at: 0) }
    guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else {
      throw scanner.failure("a record is a JSON object; this line is blank", at: 0)
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
      throw scanner.failure("a record is a JSON object, or an array of ids")
    }
    try scanner.end()
  }

  /// The range of the array, where that is all there is.
  private var bareArray: Range<Int>?

  /// A scanner of the value of the member; nil where there is no such member or it is null.
  /// Two of the same name are an error: which one was meant?
  public func value(of name: String) throws(JSONError) -> JSONScanner? {
    try source(of: name).map { scanner(of: $0) }
  }

  /// A scanner of a value, which knows places in the line but nothing behind the value.
  func scanner(of source: Range<Int>) -> JSONScanner {
    JSONScanner(UnsafeBufferPointer(rebasing: line[..<source.upperBound]), position: source.lowerBound)
  }

  /// The range of the value's source text, likewise.
  func source(of name: String) throws(JSONError) -> Range<Int>? {
    if let bareArray, name == "ids" { return bareArray }
    let scanner = JSONScanner(line)
    var found: Range<Int>?
    for member in members where scanner.matches(member.name(hasEscapes: hasEscapedNames), name) {
      guard found == nil else {
        throw scanner.failure("there is a second \"\(name)\"", at: member.name.lowerBound)
      }
      found = member.value
    }
    return found.flatMap { line[$0.lowerBound] == UInt8(ascii: "n") ? nil : $0 }
  }

  /// How many members the object has; 0 for a bare array.
  public var memberCount: Int { members.count }

  public func has(_ name: String) throws(JSONError) -> Bool { try value(of: name) != nil }

  /// What to do with a member when the record is written again.
  public struct Change {
    let name: String
    let write: ((ByteBuffer) -> Void)?
    var dropsNumberOnly = false

    /// Writes another value: in the member's place if it is there, at the end if it is not.
    public static func set(_ name: String, _ write: @escaping (ByteBuffer) -> Void) -> Change {
      Change(name: name, write: write)
    }
    public static func drop(_ name: String) -> Change { Change(name: name, write: nil) }
    /// Drops the member if it is a number: with any other value it is not ours.
    public static func dropNumber(_ name: String) -> Change {
      Change(name: name, write: nil, dropsNumberOnly: true)
    }
  }

  /// Appends the record to `output` with the changes made, without a line end. Members that no change names keep their
  /// source text and their order. Of several changes of one member the first counts.
  public func write(to output: ByteBuffer, _ changes: [Change]) {
    let scanner = JSONScanner(line)
    var isWritten = [Bool](repeating: false, count: changes.count)
    var separator = UInt8(ascii: "{")
    func begin(_ name: UnsafeBufferPointer<UInt8>) {  // as it stands in JSON, escapes and all
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

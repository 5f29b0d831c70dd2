import JSON
import Platform

extension FuzzTarget {
  /// `JSONScanner` accepts what the grammar does and nothing else, and all of its readers say what stands there.
  static let json = FuzzTarget("json", longestInput: 1000) { input in
    let plain = PlainJSON(input)
    var scanner = JSONScanner(input)
    do {
      let range = try scanner.skipValue()
      try scanner.end()
      try expect(plain != nil, "accepted, and no JSON")
      try expect(!range.isEmpty && range.upperBound <= input.count, "a value at \(range) of \(input.count)")
    } catch let error as JSONError {
      try expect(plain == nil, "refused: \(error)")
      try expect((0...input.count).contains(error.offset), "an error at \(error.offset) of \(input.count)")
    }
    guard let plain else { return }
    scanner = JSONScanner(input)
    try compare(plain, &scanner)
  }
}

/// Reads the value that stands next in all ways that there are for it.
private func compare(_ plain: PlainJSON, _ scanner: inout JSONScanner) throws {
  switch plain {
  case .null: try scanner.null()
  case .boolean(let value): try expect(try scanner.boolean() == value, "another truth")
  case .number(let text): try compare(number: text, &scanner)
  case .string(let units):
    let text = try scanner.string()
    try compare(units, text, scanner)
  case .array(let elements):
    try compare(numbers: elements, scanner)
    guard try scanner.beginArray() else { return try expect(elements.isEmpty, "an empty array") }
    for (index, element) in elements.enumerated() {
      try compare(element, &scanner)
      let isLast = index == elements.count - 1
      try expect(try scanner.another(closing: UInt8(ascii: "]")) != isLast, "another number of elements")
    }
  case .object(let members):
    guard try scanner.beginObject() else { return try expect(members.isEmpty, "an empty object") }
    for (index, member) in members.enumerated() {
      try compare(member.name, try scanner.memberName(), scanner)
      try compare(member.value, &scanner)
      let isLast = index == members.count - 1
      try expect(try scanner.another(closing: UInt8(ascii: "}")) != isLast, "another number of members")
    }
  }
}

private func compare(_ units: [UInt16], _ text: JSONScanner.Text, _ scanner: JSONScanner) throws {
  var decoded: [UInt8] = [0x2A]
  let expected = PlainJSON.characters(of: units)
  try expect(scanner.decode(text, into: &decoded) == (expected != nil), "halves of surrogate pairs")
  try expect(decoded == [0x2A] + (expected ?? []), "other characters: \(decoded)")
  if let expected {
    try expect(scanner.matches(text, String(decoding: expected, as: UTF8.self)), "a string that is not itself")
  }
}

private func compare(number text: String, _ scanner: inout JSONScanner) throws {
  var (first, second, third) = (scanner, scanner, scanner)
  let integer = text.utf8.allSatisfy { $0 < 0x3A && $0 != UInt8(ascii: ".") } ? Int(text) : nil
  try expect((try? first.integer()) == integer, "another integer than \(text)")
  let (double, float) = (strtod(text, nil), strtof(text, nil))
  try expect((try? second.double())?.bitPattern == (double.isFinite ? double.bitPattern : nil), "not \(text)")
  try expect((try? third.float())?.bitPattern == (float.isFinite ? float.bitPattern : nil), "not \(text)")
  try expect(scanner.source(try scanner.number()) == text, "another number than \(text)")
}

/// The readers of whole arrays give what the readers of single numbers do.
private func compare(numbers elements: [PlainJSON], _ scanner: JSONScanner) throws {
  var (first, second, third, fourth) = (scanner, scanner, scanner, scanner)
  let integers = try? first.integers()
  var eachInteger: [Int]? = []
  do {
    try second.array { (scanner) throws(JSONError) in eachInteger?.append(try scanner.integer()) }
  } catch { eachInteger = nil }
  try expect(integers == eachInteger, "an array of other integers")
  let floats = try? third.floats()
  var eachFloat: [Float]? = []
  do {
    try fourth.array { (scanner) throws(JSONError) in eachFloat?.append(try scanner.float()) }
  } catch { eachFloat = nil }
  try expect(floats?.map(\.bitPattern) == eachFloat?.map(\.bitPattern), "an array of other numbers")
  try expect(integers == nil || integers?.count == elements.count, "another number of integers")
}

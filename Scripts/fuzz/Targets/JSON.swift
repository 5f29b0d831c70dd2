import JSON
import Platform

extension FuzzTarget {
  /// `JSONScanner` accepts exactly the grammar, and all of its readers return the same value as `PlainJSON`.
  static let json = FuzzTarget("json", longestInput: 1000) { input in
    let plain = PlainJSON(input)
    var scanner = JSONScanner(input)
    do {
      let range = try scanner.skipValue()
      try scanner.end()
      try expect(plain != nil, "accepted, but not JSON")
      try expect(!range.isEmpty && range.upperBound <= input.count, "a value at \(range) of \(input.count)")
    } catch let error as JSONError {
      try expect(plain == nil, "rejected: \(error)")
      try expect((0...input.count).contains(error.offset), "an error at \(error.offset) of \(input.count)")
    }
    guard let plain else { return }
    scanner = JSONScanner(input)
    try compare(plain, &scanner)
  }
}

/// Reads the next value with every reader for its kind.
private func compare(_ plain: PlainJSON, _ scanner: inout JSONScanner) throws {
  switch plain {
  case .null: try scanner.null()
  case .boolean(let value): try expect(try scanner.boolean() == value, "a different boolean")
  case .number(let text): try compare(number: text, &scanner)
  case .string(let units):
    let text = try scanner.string()
    try compare(units, text, scanner)
  case .array(let elements):
    try compare(numbers: elements, scanner)
    guard try scanner.beginArray() else { return try expect(elements.isEmpty, "the array is empty") }
    for (index, element) in elements.enumerated() {
      try compare(element, &scanner)
      let isLast = index == elements.count - 1
      try expect(try scanner.another(closing: UInt8(ascii: "]")) != isLast, "a different number of elements")
    }
  case .object(let members):
    guard try scanner.beginObject() else { return try expect(members.isEmpty, "the object is empty") }
    for (index, member) in members.enumerated() {
      try compare(member.name, try scanner.memberName(), scanner)
      try compare(member.value, &scanner)
      let isLast = index == members.count - 1
      try expect(try scanner.another(closing: UInt8(ascii: "}")) != isLast, "a different number of members")
    }
  }
}

private func compare(_ units: [UInt16], _ text: JSONScanner.Text, _ scanner: JSONScanner) throws {
  var decoded: [UInt8] = [0x2A]
  let expected = PlainJSON.characters(of: units)
  try expect(scanner.decode(text, into: &decoded) == (expected != nil), "unpaired surrogates")
  try expect(decoded == [0x2A] + (expected ?? []), "different characters: \(decoded)")
  if let expected {
    try expect(scanner.matches(text, String(decoding: expected, as: UTF8.self)), "a string does not match itself")
  }
}

private func compare(number text: String, _ scanner: inout JSONScanner) throws {
  var (first, second, third) = (scanner, scanner, scanner)
  let integer = text.utf8.allSatisfy { $0 < 0x3A && $0 != UInt8(ascii: ".") } ? Int(text) : nil
  try expect((try? first.integer()) == integer, "not the integer \(text)")
  let (double, float) = (strtod(text, nil), strtof(text, nil))
  try expect((try? second.double())?.bitPattern == (double.isFinite ? double.bitPattern : nil), "not \(text)")
  try expect((try? third.float())?.bitPattern == (float.isFinite ? float.bitPattern : nil), "not \(text)")
  try expect(scanner.source(try scanner.number()) == text, "not the number \(text)")
}

/// The readers of whole arrays return the same as the readers of single numbers.
private func compare(numbers elements: [PlainJSON], _ scanner: JSONScanner) throws {
  var (first, second, third, fourth) = (scanner, scanner, scanner, scanner)
  let integers = try? first.integers()
  var eachInteger: [Int]? = []
  do {
    try second.array { (scanner) throws(JSONError) in eachInteger?.append(try scanner.integer()) }
  } catch { eachInteger = nil }
  try expect(integers == eachInteger, "different integers in an array")
  let floats = try? third.floats()
  var eachFloat: [Float]? = []
  do {
    try fourth.array { (scanner) throws(JSONError) in eachFloat?.append(try scanner.float()) }
  } catch { eachFloat = nil }
  try expect(floats?.map(\.bitPattern) == eachFloat?.map(\.bitPattern), "different numbers in an array")
  try expect(integers == nil || integers?.count == elements.count, "a different number of integers")
}

import JSON
import JSONLines

extension FuzzTarget {
  /// A line as a record: its members are found, and it is written with changes to some of them.
  static let records = FuzzTarget("records", longestInput: 600) { input in
    let plain = PlainJSON(input)
    let record: Record
    do { record = try Record(input) } catch {
      switch plain {
      case .array, .object: throw Finding(description: "rejected: \(error)")
      default: return
      }
    }
    guard var members = plain.flatMap(members) else { throw Finding(description: "accepted, but not a record") }
    try compare(record, members)

    let output = ByteBuffer()
    record.write(to: output, [.set("ids") { $0.append("[7]") }, .drop("logits"), .set("text") { $0.append("\"x\"") }])
    change("ids", .array([.number("7")]), &members)
    change("logits", nil, &members)
    change("text", .string(Array("x".utf16)), &members)
    try expect(PlainJSON(output.bytes) == .object(members), "written: \(String(decoding: output.bytes, as: UTF8.self))")
  }
}

/// Returns the members of a record. A bare array is the member `ids`.
private func members(of plain: PlainJSON) -> [PlainJSON.Member]? {
  switch plain {
  case .object(let members): members
  case .array: [PlainJSON.Member(name: Array("ids".utf16), value: plain)]
  default: nil
  }
}

private func compare(_ record: Record, _ members: [PlainJSON.Member]) throws {
  let plain = PlainJSON.object(members)
  /// Returns the only value of the name, or nil if there is none or it is null.
  func value(_ name: String) throws -> PlainJSON? {
    let values = plain.values(of: name)
    try expect((try? record.has(name)) == nil || values.count < 2, "duplicate \"\(name)\" accepted")
    return values.count == 1 && values[0] != .null ? values[0] : nil
  }
  for name in ["ids", "logits", "text", "seed", "error", "vocab", "done"] {
    let isPresent = try value(name) != nil
    if plain.values(of: name).count < 2 {
      try expect(try record.has(name) == isPresent, "\"\(name)\" present: \(isPresent)")
    }
  }
  if let text = try value("text") { try expect((try? record.string("text")) == text.characters, "a different text") }
  if let ids = try value("ids") { try expect((try? record.ids()) == integers(ids), "different ids") }
  if case .number(let seed) = try value("seed") {
    try expect(
      (try? record.seed()) == UInt64(seed).flatMap { $0 < 1 << 53 ? $0 : nil } || seed == "-0", "a different seed")
  }
  if case .array(let logits) = try value("logits") {
    try expect((try? record.logits())?.count ?? logits.count == logits.count, "a different number of logits")
  }
}

private func integers(_ plain: PlainJSON) -> [Int]? {
  guard case .array(let elements) = plain else { return nil }
  var integers: [Int] = []
  for element in elements {
    guard case .number(let text) = element, let integer = Int(text) else { return nil }
    integers.append(integer)
  }
  return integers
}

/// Sets the first member with this name and removes the rest; if `value` is nil, removes all.
private func change(_ name: String, _ value: PlainJSON?, _ members: inout [PlainJSON.Member]) {
  let name = Array(name.utf16)
  let index = members.firstIndex { $0.name == name } ?? members.count
  members.removeAll { $0.name == name }
  if let value { members.insert(PlainJSON.Member(name: name, value: value), at: index) }
}

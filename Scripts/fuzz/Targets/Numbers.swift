import JSON
import Platform

extension FuzzTarget {
  /// The input as float32 and as integers: written numbers are read back exactly, and are as short as possible.
  static let numbers = FuzzTarget("numbers", longestInput: 256) { input in
    let floats = input.loaded(as: UInt32.self).map { Float(bitPattern: $0) }.filter(\.isFinite)
    let buffer = ByteBuffer()
    floats.withUnsafeBufferPointer { buffer.append(json: $0) }
    guard case .array(let texts) = PlainJSON(buffer.bytes) else {
      throw Finding(description: "an array that is not JSON: \(String(decoding: buffer.bytes, as: UTF8.self))")
    }
    try expect(texts.count == floats.count, "\(texts.count) texts for \(floats.count) numbers")
    for (text, float) in zip(texts, floats) {
      guard case .number(let text) = text else { throw Finding(description: "\(text) is not a number") }
      try expect(strtof(text, nil).bitPattern == float.bitPattern, "\(text) is not \(float)")
      try expect(significantDigits(text) <= significantDigits("\(float)"), "\(text) is longer than \(float)")
    }

    let integers = input.loaded(as: Int.self) + input.loaded(as: Int32.self).map(Int.init)
    buffer.removeAll()
    buffer.append(UInt8(ascii: "["))
    for integer in integers {
      buffer.append(json: integer)
      buffer.append(UInt8(ascii: ","))
    }
    buffer.append("0]")
    var scanner = JSONScanner(buffer.bytes)
    try expect(try scanner.integers() == integers + [0], "not the integers \(integers)")

    let ids = input.loaded(as: Int32.self).map { $0 & .max }
    buffer.removeAll()
    ids.withUnsafeBufferPointer { buffer.append(json: $0) }
    scanner = JSONScanner(buffer.bytes)
    try expect(try scanner.integers() == ids.map(Int.init), "not the ids \(ids)")
  }
}

private func significantDigits(_ number: String) -> Int {
  let digits = number.prefix { $0 != "e" && $0 != "E" }.filter(\.isNumber).drop { $0 == "0" }
  return digits.reversed().drop { $0 == "0" }.count
}

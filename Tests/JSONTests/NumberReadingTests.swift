import Foundation
import JSON
import TestSupport
import Testing

@Suite struct NumberReadingTests {
  @Test(arguments: [
    ("0", 0), ("-0", 0), ("7", 7), ("-50257", -50257), ("9223372036854775807", Int.max),
    ("9223372036854775806", Int.max - 1),
    ("-9223372036854775808", Int.min), ("-9223372036854775807", Int.min + 1),
  ])
  func readsIntegers(_ text: String, _ value: Int) throws {
    #expect(try scan(text) { try $0.integer() } == value)
    if text != "-0" { #expect(written { $0.append(json: value) } == text) }
  }

  @Test(arguments: [
    ("9223372036854775808", "is too large"), ("-9223372036854775809", "is too large"),
    ("10000000000000000000", "is too large"),
    ("18446744073709551616", "is too large"), ("-99999999999999999999999", "is too large"),
    ("1.0", "is not an integer"),
    ("1e3", "is not an integer"), ("-1.5", "is not an integer"), ("0.0", "is not an integer"),
    ("0e0", "is not an integer"),
  ])
  func rejectsNumbersThatAreNotIntegers(_ text: String, _ reason: String) {
    let error = #expect(throws: JSONError.self) { try scan(" " + text) { try $0.integer() } }
    #expect(error == JSONError(offset: 1, reason: "\(text) \(reason)"))
  }

  @Test(arguments: ["\"1\"", "null", "[1]", "true", ""])
  func rejectsValuesThatAreNotNumbers(_ text: String) {
    #expect(throws: JSONError.self) { try scan(text) { try $0.integer() } }
    #expect(throws: JSONError.self) { try scan(text) { try $0.float() } }
    #expect(throws: JSONError.self) { try scan(text) { try $0.double() } }
  }

  /// Returns whether `double` and `float` give the same bits as strtod and strtof, which round correctly, and reject
  /// numbers that are infinite there.
  private func agrees(_ text: String) -> Bool {
    let wide = strtod(text, nil)
    let narrow = strtof(text, nil)
    let double = try? scan(text) { try $0.double() }
    let float = try? scan(text) { try $0.float() }
    return double?.bitPattern == (wide.isFinite ? wide.bitPattern : nil)
      && float?.bitPattern == (narrow.isFinite ? narrow.bitPattern : nil)
  }

  @Test(arguments: [
    "0", "-0", "0.0", "-0.0e5", "0e999999", "-0e-999999", "1", "-1", "0.1", "0.3", "3.14159", "1e22", "1e23", "1e-22",
    "1e-23", "9007199254740992",
    "9007199254740993", "9007199254740994", "9007199254740993e-3", "16777217", "16777219", "33554431",
    "16777216.000000001",
    "0.000000000000000000000000000000000000000000001", "1.401298464324817e-45", "7.006492321624085e-46",
    "7.006492321624086e-46",
    "1.1754943508222875e-38", "1.1754942807573643e-38", "1.1754942e-38", "3.4028234663852886e38",
    "3.4028235677973366e38", "3.4028235677973365e38",
    "3.4028235e38", "3.4028236e38", "1e38", "1e39", "1e308", "1.7976931348623157e308", "1.7976931348623159e308",
    "1e309", "1e400", "-1e400",
    "1e-400", "-1e-400", "2.2250738585072011e-308", "2.2250738585072014e-308", "4.9e-324", "5e-324", "2e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324", "1e99999", "1e-99999", "1e0005", "1e+0", "1E-0",
    "0.00000000000000000000000000000000000000000000001e60",
    "123456789012345678", "1234567890123456789", "12345678901234567890", "123456789012345678901234567890",
    "1.00000005960464477539062500",
    "1.000000059604644775390625", "1.0000000596046447753906250000000000000000001",
    "1.0000000596046447753906249999999999999999999",
    "100000000000000000000000000000000000000000000000000e-50", "8.41e21", "9.5e-21",
    "0.500000000000000166533453693773481063544750213623046875",
  ])
  func roundsCorrectly(_ text: String) {
    #expect(agrees(text))
  }

  @Test func rejectsNumbersThatRoundToInfinity() {
    for text in ["1e39", "-3.5e38"] {
      let error = #expect(throws: JSONError.self) { try scan(text) { try $0.float() } }
      #expect(error?.reason == "\(text) is too large")
      #expect(throws: Never.self) { try scan(text) { try $0.double() } }
    }
    #expect(throws: JSONError.self) { try scan("1e309") { try $0.double() } }
    let zero = Result { try scan("1e-400") { try $0.double() } }
    #expect((try? zero.get()) == 0, "numbers that are too small become zero")
  }

  @Test func roundsRandomTextsCorrectly() {
    var generator = SeededGenerator(2)
    var wrong: [String] = []
    for _ in 0..<60_000 {
      var text = Bool.random(using: &generator) ? "-" : ""
      let whole = Int.random(in: 1...(Int.random(in: 0..<8, using: &generator) == 0 ? 30 : 10), using: &generator)
      text += String(Int.random(in: 1...9, using: &generator))
      for _ in 1..<whole { text += String(Int.random(in: 0...9, using: &generator)) }
      if Bool.random(using: &generator) {
        text += "."
        for _ in 0..<Int.random(in: 1...25, using: &generator) {
          text += String(Int.random(in: 0...9, using: &generator))
        }
      }
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: text += "e\(Int.random(in: -30...30, using: &generator))"
      case 1: text += "E\(Int.random(in: -60...45, using: &generator))"
      case 2 where Bool.random(using: &generator): text += "e\(Int.random(in: -345...310, using: &generator))"
      default: break
      }
      if !agrees(text) { wrong.append(text) }
    }
    #expect(wrong.isEmpty)
  }

  /// The exact midpoint between two floats and its nearest neighbors, for which double rounding gives a wrong result.
  @Test func roundsMidpointsBetweenFloatsToEven() {
    var generator = SeededGenerator(3)
    var wrong: [String] = []
    for index in 0..<8_000 {
      let subnormal = index % 8 == 0
      let float = Float(bitPattern: UInt32.random(in: 0..<(subnormal ? 0x80_0000 : 0x7F80_0000), using: &generator))
      guard float.nextUp.isFinite else { continue }
      let midpoint = (Double(float) + Double(float.nextUp)) / 2  // exact in a Double
      for text in [exact(midpoint), nudgedUp(exact(midpoint)), exact(midpoint.nextDown), exact(midpoint.nextUp)]
      where !agrees(text) { wrong.append(text) }
      let short = "\(midpoint)".replacing("+", with: "")  // the shortest text, of at most 17 digits
      if !agrees(short) { wrong.append(short) }
    }
    // With few digits, so that the fast path must detect them
    for integer in stride(from: 16_777_217, to: 16_777_217 + 4_000, by: 2) {
      for text in [
        "\(integer)", "\(integer).0", "\(integer).00000001", "\(integer - 1).99999999", "\(integer)e-3",
        "\(integer)e10",
      ] where !agrees(text) {
        wrong.append(text)
      }
    }
    #expect(wrong.isEmpty)
  }

  @Test func roundsMidpointsBetweenDoublesToEven() {
    var generator = SeededGenerator(4)
    var wrong: [String] = []
    for _ in 0..<5_000 {  // 2^53 + odd: an integer halfway between two doubles
      let odd = 9_007_199_254_740_992 + UInt64.random(in: 0..<4_000_000_000_000_000, using: &generator) * 2 + 1
      for text in ["\(odd)", "\(odd).0", "\(odd)e0", "\(odd).0000000000000001", "\(odd - 1).9999999999999999"]
      where !agrees(text) { wrong.append(text) }
    }
    #expect(wrong.isEmpty)
  }

  /// The exact decimal digits of a number in scientific notation, with zeros at the end.
  private func exact(_ value: Double) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    let count = withVaList([value]) { vsnprintf(&buffer, buffer.count, "%.180e", $0) }
    return String(decoding: buffer[..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A slightly larger number: the last of the zeros is replaced by 1.
  private func nudgedUp(_ text: String) -> String {
    let parts = text.split(separator: "e")
    return parts[0].dropLast() + "1e" + parts[1]
  }
}

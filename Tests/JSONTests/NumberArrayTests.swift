import Foundation
import JSON
import TestSupport
import Testing

/// Arrays of numbers have a fast path that reads 64 bytes at a time. Anything that it does not handle must be found at
/// any offset in a block.
@Suite struct NumberArrayTests {
  /// The same array with a space before every comma, which the fast path does not accept.
  private func withoutFastPath(_ text: String) -> String { text.replacing(",", with: " ,") }

  /// The bits of the numbers of an array; nil if it is invalid.
  private func floats(_ text: String) -> [UInt32]? { try? scan(text) { try $0.floats() }.map(\.bitPattern) }

  @Test(arguments: [
    "-", "+1", "01", "-01", "00", "00.5", "-00", "1.", ".5", "-.5", "1.e5", "1e", "1e+", "1..2", "0.1.2", "1.5.",
    "1.2e3.4",
    "- 1", "--1", "1-", "1+2", "1-2", "1 2", "1. 5", "", " ", "1a", "NaN", "x", "1}", "\"", "1;2", "é", "\u{0}",
    "1/2",
    "1:2",
  ])
  func rejectsInvalidNumbersAtAnyOffset(_ wrong: String) throws {
    let alone = try #require(parseError("[\(wrong),7.25,-7]"))
    for position in 0..<70 {
      let before = "0." + String(repeating: "6", count: position + 1) + ",-0.5,12.75, 3,"
      let text = "[" + before + wrong + ",7.25,-7" + String(repeating: ",7.25", count: 30) + "]"
      let expected = JSONError(offset: alone.offset + before.utf8.count, reason: alone.reason)
      #expect(parseError(text) == expected, "after \(before)")
      let error = #expect(throws: JSONError.self) { try scan(text) { try $0.floats() } }
      #expect(error?.offset == expected.offset, "after \(before)")
    }
  }

  @Test(arguments: [
    "0", "-0", "7", "-7", "10", "0.5", "-0.0", "100.001", "1e5", "1E+5", "-1.5e-3", "0e0", " 7", "7 ", "\t7", "  7",
    " -7.5 ",
    "123456789.123456789", "12345678", "123456789", "0.1234567890123456", "0.12345678901234567", "1234567.12345678901",
    "0.123456789012345678901234567890", "3.4028234663852886e38", "16777217", "16777216.99999999",
    "0.000000000000000000001",
  ])
  func readsNumbersOfEveryFormAtAnyOffset(_ number: String) throws {
    let expected = strtof(number, nil).bitPattern
    for position in 0..<70 {
      let before = String(repeating: "6", count: position % 35 + 1) + String(repeating: ", 1", count: position / 35)
      let text = "[" + before + "," + number + String(repeating: ",-0.25", count: 40) + "," + number + "]"
      #expect(parseError(text) == nil)
      let read = try scan(text) { try $0.floats() }
      #expect(read.count == 43 + position / 35)
      #expect(read[1 + position / 35].bitPattern == expected && read.last?.bitPattern == expected)
      #expect(read[20] == -0.25)
    }
  }

  /// Arrays with a few changed bytes: most are invalid, some have other numbers. The general path must give the same
  /// result.
  @Test func fastPathAgreesWithGeneralPath() {
    var generator = SeededGenerator(11)
    let strange = Array(",,..--+eE00123456789  ]x\t".utf8)
    var (wrong, accepted) = ([String](), 0)
    for _ in 0..<10_000 {
      var bytes: [UInt8] = [0x5B]
      for index in 0..<Int.random(in: 12...40, using: &generator) {
        if index > 0 { bytes += Array((Bool.random(using: &generator) ? "," : ", ").utf8) }
        let value = Float.random(in: -300..<300, using: &generator)
        bytes += Array((Int.random(in: 0..<4, using: &generator) == 0 ? "\(Int(value))" : "\(value)").utf8)
      }
      bytes.append(0x5D)
      for _ in 0..<Int.random(in: 0...2, using: &generator) {
        bytes[Int.random(in: 1..<bytes.count, using: &generator)] = strange.randomElement(using: &generator)!
      }
      let text = String(decoding: bytes, as: UTF8.self)
      let isValid = parseError(text) == nil
      if isValid { accepted += 1 }
      let (fast, general) = (floats(text), floats(withoutFastPath(text)))
      if isValid != (parseError(withoutFastPath(text)) == nil) || fast != general { wrong.append(text) }
    }
    #expect(wrong.isEmpty)
    #expect(accepted > 3_000, "most arrays are invalid: the test is too weak")
  }

  /// Arrays of numbers whose text is hard to round.
  @Test func roundsNumbersInArraysCorrectly() throws {
    var generator = SeededGenerator(12)
    var texts: [String] = []
    for _ in 0..<100_000 {
      let float = Float(bitPattern: UInt32.random(in: 0x3000_0000..<0x4E00_0000, using: &generator))
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: texts.append("\(float)")
      case 1: texts.append("-\(Double(float))")
      case 2: texts.append("\((Double(float) + Double(float.nextUp)) / 2)")
      case 3: texts.append("\(((Double(float) + Double(float.nextUp)) / 2).nextUp)")
      case 4: texts.append("-\(((Double(float) + Double(float.nextUp)) / 2).nextDown)")
      default: texts.append(String(format: "%.*f", Int.random(in: 0...17, using: &generator), float))
      }
    }
    for integer in 16_777_216..<16_779_000 {
      texts += ["\(integer)", "\(integer).0", "\(integer).00000001", "\(integer - 1).99999999"]
    }
    let read = try scan("[" + texts.joined(separator: ",") + "]") { try $0.floats() }
    #expect(read.count == texts.count)
    let wrong = zip(texts, read).filter { strtof($0, nil).bitPattern != $1.bitPattern }
    #expect(wrong.isEmpty)
  }

  @Test func rejectsFloatsThatAreTooLarge() {
    let numbers = String(repeating: "0.5,", count: 50)
    let error = #expect(throws: JSONError.self) { try scan("[\(numbers)3.5e38,1]") { try $0.floats() } }
    #expect(error == JSONError(offset: 201, reason: "3.5e38 is too large"))
    let digits = String(repeating: "9", count: 40)
    let other = #expect(throws: JSONError.self) { try scan("[\(numbers)\(digits),\(numbers)1]") { try $0.floats() } }
    #expect(other == JSONError(offset: 201, reason: "\(digits) is too large"))
  }

  @Test func readsIntegersAndRejectsOtherNumbers() throws {
    var generator = SeededGenerator(13)
    for count in [0, 1, 2, 20, 100, 1000] {
      let numbers = (0..<count).map { _ in
        Int.random(in: .min ... .max, using: &generator) >> Int.random(in: 0..<64, using: &generator)
      }
      for separator in [",", ", ", " ,", "\n,"] {
        let text = "[" + numbers.map(String.init).joined(separator: separator) + "]"
        #expect(try scan(text) { try $0.integers() } == numbers)
      }
    }
    let sevens = String(repeating: "7,", count: 50)
    for (wrong, reason) in [
      ("1.0", "1.0 is not an integer"), ("1e3", "1e3 is not an integer"),
      ("9223372036854775808", "9223372036854775808 is too large"),
      ("\"1\"", "expected a number, found '\"'"),
    ] {
      let error = #expect(throws: JSONError.self) { try scan("[\(sevens)\(wrong),\(sevens)7]") { try $0.integers() } }
      #expect(error == JSONError(offset: 101, reason: reason))
    }
    #expect(try scan("[-0,-7,00000000]".replacing("00000000", with: "0")) { try $0.integers() } == [0, -7, 0])
  }

  @Test(arguments: [0, 1, 2, 255, 256, 257, 1000])
  func writesArraysLikeSingleNumbers(_ count: Int) {
    var generator = SeededGenerator(14)
    var numbers: [Float] = [0, -0.0, 1, 1e-7, -1e16, 0.5, 1e15, .leastNonzeroMagnitude, -.greatestFiniteMagnitude]
    while numbers.count < count {
      let number = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &generator))
      if number.isFinite { numbers.append(number) }
    }
    numbers = Array(numbers.prefix(count))
    let elements = numbers.map { number in written { $0.append(json: number) } }
    let array = written { buffer in numbers.withUnsafeBufferPointer { buffer.append(json: $0) } }
    #expect(array == "[" + elements.joined(separator: ",") + "]")
  }
}

import Checkpoint
import Foundation
import TestSupport
import Testing

@Suite struct ConfigurationFileTests {
  private func open(_ data: Data) throws -> ConfigurationFile {
    let folder = try Folder()
    try folder.write("config.json", data)
    return try ConfigurationFile(path: .init(folder.path + "/config.json"))
  }

  private func open(_ text: String) throws -> ConfigurationFile { try open(Data(text.utf8)) }

  private func message(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return "\(error)".components(separatedBy: "config.json: ").last }
  }

  /// Python's json module reads these numbers as floats.
  @Test(arguments: [
    ("50257.0", 50257), ("1e1", 10), ("1E+2", 100), ("1.5e1", 15), ("-3.0", -3), ("0.0", 0), ("-0.0", 0),
    ("200e-1", 20),
    ("9007199254740992.0", 1 << 53), ("7", 7), ("-9223372036854775808", .min),
  ])
  func readsIntegersWrittenAsFloats(_ text: String, _ number: Int) throws {
    let file = try open(#"{"a":\#(text),"b":[\#(text), 4],"c":9}"#)
    #expect(try file.integer("a") == number)
    #expect(try file.integers("a") == [number])
    #expect(try file.integers("b") == [number, 4])
    #expect(try file.integer("c") == 9)
  }

  @Test(arguments: [
    ("1.5", "1.5 is not an integer"), ("1e-1", "1e-1 is not an integer"), ("1e30", "1e30 is not an integer"),
    ("-0.5", "-0.5 is not an integer"), ("1e999", "1e999 is too large"),
    ("9223372036854775808", "9223372036854775808 is too large"), ("true", #"expected a number, found "t""#),
    ("NaN", #"expected a number, found "N""#), ("-Infinity", #"expected a digit, found "I""#),
    (#""4""#, "expected a number, found '\"'"),
  ])
  func rejectsOtherValuesOfIntegers(_ text: String, _ reason: String) throws {
    let file = try open(#"{"a":\#(text)}"#)
    let at = reason.hasPrefix("expected a digit") ? 7 : 6  // counted from 1
    #expect(message { _ = try file.integer("a") } == "byte \(at): \(reason) (in \"a\")")
    #expect(message { _ = try file.integers("a") } != nil)
  }

  /// Numbers are not truth values: transformers refuses them as well.
  @Test(arguments: ["0", "1", "1.0", #""true""#]) func rejectsNumbersAsTruthValues(_ text: String) throws {
    let file = try open(#"{"a":\#(text)}"#)
    #expect(message { _ = try file.boolean("a") }?.contains("(in \"a\")") == true)
  }

  @Test func acceptsByteOrderMark() throws {
    let mark = Data([0xEF, 0xBB, 0xBF])
    #expect(try open(mark + Data(#"{"a":{"b":5}}"#.utf8)).object("a")?.integer("b") == 5)
    #expect(try open(mark + Data(" \r\n{\"a\":7}\n".utf8)).integer("a") == 7)
    let file = try open(mark + Data(#"{"a":x}"#.utf8).replacing(Data("x".utf8), with: Data("true".utf8)))
    #expect(message { _ = try file.integer("a") } == #"byte 9: expected a number, found "t" (in "a")"#)
    for invalid in [mark, mark + mark + Data("{}".utf8), mark.dropLast() + Data("{}".utf8), Data("{}".utf8) + mark] {
      #expect(message { _ = try open(Data(invalid)) } != nil)
    }
    #expect(message { _ = try open("{}".data(using: .utf16LittleEndian)!) } != nil)
  }

  /// Each position of a constant in a member that is not read, or that a later member replaces.
  @Test(arguments: ["NaN", "Infinity", "-Infinity"]) func acceptsPythonConstants(_ constant: String) throws {
    let file = try open(
      """
      {"first": \(constant), "a": \(constant), "list": [\(constant), 1, [\(constant)], {"x":\(constant)},\(constant) ],
       "object": {"x" :\(constant) ,"y": {"z": [[\(constant)]]}, "n": \(constant), "n": 3}, "a": 4, "last":\(constant)}
      """)
    #expect(try file.integer("a") == 4)
    #expect(try file.object("object")?.integer("n") == 3)
    #expect(message { _ = try file.number("last") } != nil)
    #expect(message { _ = try file.numbers("list") } != nil)
    #expect(file.has("first") && !file.isNull("first"))
  }

  @Test(arguments: ["nan", "NAN", "+Infinity", "-NaN", "Inf", "- Infinity", "NaN0", "Infinity1", "// comment\n1"])
  func rejectsOtherConstants(_ constant: String) throws {
    for text in [#"{"a":\#(constant)}"#, #"{"a":[\#(constant)]}"#, #"{"a":{"b":\#(constant)}}"#] {
      #expect(message { _ = try open(text) } != nil, "\(text)")
    }
  }
}

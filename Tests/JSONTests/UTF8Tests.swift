import JSON
import TestSupport
import Testing

@Suite struct UTF8Tests {
  /// The first and last scalar of each row of Unicode's table 3-7.
  static let scalars: [UInt32] = [
    0x00, 0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xCFFF, 0xD000, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x3FFFF, 0x40000,
    0xFFFFF, 0x100000, 0x10FFFF,
  ]
  /// Bytes at the boundaries of the rules.
  static let edges: [UInt8] = [
    0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
    0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
  ]

  private func length(_ bytes: [UInt8], at index: Int = 0) -> Int? {
    utf8SequenceLength(bytes.span, at: index)
  }
  private func incomplete(_ bytes: [UInt8]) -> Int { incompleteUTF8Suffix(bytes.span) }
  private func isWellFormed(_ bytes: [UInt8]) -> Bool { isUTF8(bytes.span) }

  @Test(arguments: scalars)
  func findsCompleteAndTruncatedSequences(_ value: UInt32) throws {
    let whole = Array(String(Character(try #require(Unicode.Scalar(value)))).utf8)
    #expect(length(whole) == whole.count)
    #expect(length([0x41] + whole + [0x41], at: 1) == whole.count)
    for count in 1..<max(whole.count, 1) {
      let cut = Array(whole[..<count])
      #expect(length(cut) == nil)
      #expect(length(cut + [0x41, 0x41, 0x41]) == nil)
      for before in [[], [0x41], Array("é".utf8), Array("😀".utf8), [0x80], [0xFF], [0xE2, 0x82]] as [[UInt8]] {
        #expect(incomplete(before + cut) == count)
      }
      #expect(incomplete(cut + [0x41]) == 0)
    }
    #expect(incomplete(whole) == 0)
    #expect(incomplete(cut: whole, by: 0x80) == 0, "one continuation byte too many")
  }

  private func incomplete(cut whole: [UInt8], by extra: UInt8) -> Int { incomplete(whole + [extra]) }

  /// Compares with the standard library: whether the first 1 to 4 bytes are one valid scalar.
  @Test func agreesWithTheStandardLibraryAtBoundaries() {
    var wrong: [[UInt8]] = []
    func check(_ bytes: [UInt8]) {
      let expected = (1...bytes.count).first {
        String(validating: bytes[..<$0], as: UTF8.self)?.unicodeScalars.count == 1
      }
      if length(bytes) != expected || isWellFormed(bytes) != (String(validating: bytes, as: UTF8.self) != nil) {
        wrong.append(bytes)
      }
    }
    for first in UInt8.min...UInt8.max {
      check([first])
      for second in Self.edges {
        check([first, second])
        for third in [0x41, 0x7F, 0x80, 0xBF, 0xC0] as [UInt8] {
          check([first, second, third])
          if first >= 0xE0 {
            for fourth in [0x41, 0x80, 0xBF, 0xC2] as [UInt8] { check([first, second, third, fourth]) }
          }
        }
      }
    }
    #expect(wrong.isEmpty)
  }

  /// Text is checked in blocks of 64 bytes: the same boundaries across the end of a block, and in partial blocks.
  @Test func agreesWithTheStandardLibraryAcrossBlocks() {
    var wrong: [[UInt8]] = []
    for first in Self.edges {
      for second in Self.edges {
        for rest in [[], [0x80], [0xBF, 0x80], [0x80, 0x80, 0x80], [0x41, 0x80], [0xE2, 0x82, 0xAC]] as [[UInt8]] {
          let sequence = [first, second] + rest
          let expected = String(validating: sequence, as: UTF8.self) != nil
          for (before, after) in [(58, 0), (60, 70), (61, 70), (62, 70), (63, 70), (64, 3), (125, 1), (126, 64)] {
            let bytes = Array(repeating: 0x61, count: before) + sequence + Array(repeating: 0x61, count: after)
            if isWellFormed(bytes) != expected { wrong.append(sequence) }
          }
        }
      }
    }
    #expect(wrong.isEmpty)
  }

  @Test func agreesWithTheStandardLibraryOnLongTexts() {
    var generator = SeededGenerator(7)
    var (wrong, wellFormed) = (0, 0)
    for _ in 0..<20_000 {
      var bytes: [UInt8] = []
      let limit: UInt32 = [0x80, 0x800, 0x3000, 0x10000, 0x110000].randomElement(using: &generator)!
      while bytes.count < 200 {
        if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator)) {
          bytes += Array(UTF8.encode(scalar)!)
        }
      }
      if Bool.random(using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = Self.edges.randomElement(using: &generator)!
      }
      if Bool.random(using: &generator) { bytes.removeLast() }
      let expected = String(validating: bytes, as: UTF8.self) != nil
      if expected { wellFormed += 1 }
      if isWellFormed(bytes) != expected { wrong += 1 }
    }
    #expect(wrong == 0)
    #expect((2_000..<18_000).contains(wellFormed))
  }

  /// A suffix is incomplete if and only if it is the beginning of the sequence of some scalar.
  @Test func findsIncompleteSuffixes() {
    var beginnings: Set<[UInt8]> = []
    // in steps of 0x40, because the last byte is never part of a proper prefix
    for value in stride(from: UInt32(0x80), through: 0x10FFFF, by: 0x40) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let whole = Array(UTF8.encode(scalar)!)
      for count in 1..<whole.count { beginnings.insert(Array(whole[..<count])) }
    }
    var wrong: [[UInt8]] = []
    func check(_ bytes: [UInt8]) {
      let expected = (0...min(3, bytes.count)).last { $0 == 0 || beginnings.contains(Array(bytes.suffix($0))) }
      if incomplete(bytes) != expected { wrong.append(bytes) }
    }
    check([])
    for first in UInt8.min...UInt8.max {
      check([first])
      for second in UInt8.min...UInt8.max { check([first, second]) }
    }
    for first in Self.edges { for second in Self.edges { for third in Self.edges { check([first, second, third]) } } }
    for second in Self.edges { for third in Self.edges { check([0xF0, 0x9F, second, third]) } }
    #expect(wrong.isEmpty)
  }
}

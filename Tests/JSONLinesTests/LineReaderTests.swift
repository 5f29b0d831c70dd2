import Foundation
import JSONLines
import Testing

@Suite struct LineReaderTests {
  /// The lines of an input that is read through a pipe.
  private func lines(of input: [UInt8], delimiter: UInt8? = 0x0A) throws -> [[UInt8]] {
    let pipe = Pipe()
    let writer = Thread {  // a thread, because the capacity of a pipe is limited
      try? pipe.fileHandleForWriting.write(contentsOf: Data(input))
      try? pipe.fileHandleForWriting.close()
    }
    writer.start()
    var reader = LineReader(descriptor: pipe.fileHandleForReading.fileDescriptor, path: "pipe", delimiter: delimiter)
    var lines: [[UInt8]] = []
    while let line = try reader.next(willWait: {}) { lines.append(Array(line)) }
    #expect(try reader.next(willWait: {}) == nil, "the end is permanent")
    return lines
  }

  private func lines(of input: String, delimiter: UInt8? = 0x0A) throws -> [String] {
    try lines(of: Array(input.utf8), delimiter: delimiter).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(
    arguments: [
      ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("a\n\n\nb\n", ["a", "", "", "b"]),
      ("\n\na", ["", "", "a"]),
      ("a\r\nb\r\n", ["a\r", "b\r"]), ("a\0b\n", ["a\0b"]), (" a \n", [" a "]),
    ] as [(String, [String])])
  func splitsOnlyAtNewlines(_ input: String, _ expected: [String]) throws {
    #expect(try lines(of: input) == expected)
  }

  @Test(arguments: [("", []), ("a\0b\0", ["a", "b"]), ("a\nb\0\0c", ["a\nb", "", "c"])] as [(String, [String])])
  func splitsAtNUL(_ input: String, _ expected: [String]) throws {
    #expect(try lines(of: input, delimiter: 0) == expected)
  }

  @Test(arguments: ["", "a", "a\nb\n", "\n\n", "a\0b"])
  func readsTheWholeInputWithoutADelimiter(_ input: String) throws {
    #expect(try lines(of: input, delimiter: nil) == [input])
  }

  @Test func readsLinesLongerThanTheBuffer() throws {
    let lengths = [3, 1 << 17, (1 << 17) - 1, (1 << 17) + 1, 0, 1_000_000, 5, 300_000, 1]
    let expected = lengths.enumerated().map { index, length in [UInt8](repeating: UInt8(0x61 + index), count: length) }
    #expect(try lines(of: Array(expected.joined(separator: [0x0A]))) == expected)
    #expect(try lines(of: Array(expected.joined()), delimiter: nil) == [Array(expected.joined())])
  }

  @Test func readsLinesAcrossTheEndOfTheBuffer() throws {
    let expected = (0..<60_000).map { "line \($0 * $0)" }
    #expect(try lines(of: expected.joined(separator: "\n") + "\n") == expected)
  }

  /// `willWait` writes the input that the reader waits for: if it were called after the read, the test would hang.
  @Test func callsWillWaitOnlyBeforeBlocking() throws {
    let pipe = Pipe()
    let input = pipe.fileHandleForWriting
    try input.write(contentsOf: Data("one\ntwo\nthr".utf8))
    var reader = LineReader(descriptor: pipe.fileHandleForReading.fileDescriptor, path: "pipe", delimiter: 0x0A)
    var waits = 0
    for expected in ["one", "two"] {
      let line = try reader.next(willWait: { waits += 1 }).map { String(decoding: $0, as: UTF8.self) }
      #expect(line == expected)
    }
    #expect(waits == 0)
    let third = try reader.next(willWait: {
      waits += 1
      try input.write(contentsOf: Data(waits == 1 ? "e".utf8 : "e\n".utf8))
    }).map { String(decoding: $0, as: UTF8.self) }
    #expect(third == "three" && waits == 2)
    try input.close()
    #expect(try reader.next(willWait: { waits += 1 }) == nil)
    #expect(waits == 2, "the end does not block")
  }

  @Test func batchesContainTheAvailableLines() throws {
    let pipe = Pipe()
    let input = pipe.fileHandleForWriting
    try input.write(contentsOf: Data("one\ntwo\nthree\nfo".utf8))
    var reader = LineReader(descriptor: pipe.fileHandleForReading.fileDescriptor, path: "pipe", delimiter: 0x0A)
    func batch(_ size: Int, _ willWait: () throws -> Void = { Issue.record("waited") }) throws -> [String] {
      try reader.batch(upTo: size, willWait: willWait).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(try batch(4 + LineReader.sizeOfLine + 1) == ["one", "two"])  // the limit is reached after the second line
    #expect(try batch(1000) == ["three"])  // the next line is incomplete
    #expect(try batch(1000) { try input.write(contentsOf: Data("ur\n\nfive".utf8)) } == ["four", ""])
    try input.close()
    #expect(try batch(1000) == ["five"])
    #expect(try batch(1000) == [])
  }

  @Test func readsBatchesLongerThanTheBuffer() throws {
    let lines = (0..<50).map { index in String(repeating: "x", count: index * 1000) + "\(index)" }
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    for size in [1, 100_000, 300_000, 1_000_000, 10_000_000] {
      let handle = try FileHandle(forReadingFrom: file)
      var reader = LineReader(descriptor: handle.fileDescriptor, path: "file", delimiter: 0x0A)
      var all: [String] = []
      while true {
        let batch = try reader.batch(upTo: size, willWait: {}).map { String(decoding: $0, as: UTF8.self) }
        if batch.isEmpty { break }
        #expect(batch.dropLast().reduce(0) { $0 + $1.utf8.count + 1 } < size)
        all += batch
      }
      #expect(all == lines)
    }
  }

  @Test func errorsNameTheInput() {
    var reader = LineReader(descriptor: -1, path: "notes.txt", delimiter: 0x0A)
    do {
      _ = try reader.next(willWait: {})
      Issue.record("a closed descriptor was read")
    } catch { #expect((error as? ReadError)?.file.path == "notes.txt") }
  }
}

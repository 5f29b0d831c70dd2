import JSONLines
import Platform

extension FuzzTarget {
  /// The lines of a file, read one by one and in batches. The first byte determines the batch size and the delimiter.
  static let lines = FuzzTarget("lines", longestInput: 2000) { input in
    guard let first = input.first else { return }
    let text = UnsafeBufferPointer(rebasing: input.dropFirst())
    let delimiter: UInt8? = first & 1 == 0 ? UInt8(ascii: "\n") : first & 2 == 0 ? 0 : nil
    var expected = [text[...]]
    if let delimiter {
      expected = text.split(separator: delimiter, omittingEmptySubsequences: false)
      if expected.last?.isEmpty ?? false { expected.removeLast() }
    }

    // A pipe whose writer has closed it
    var ends: (Int32, Int32) = (-1, -1)
    let isOpen = withUnsafeMutablePointer(to: &ends) {
      $0.withMemoryRebound(to: Int32.self, capacity: 2) { pipe($0) == 0 }
    }
    precondition(isOpen && write(ends.1, text.baseAddress, text.count) == text.count)
    close(ends.1)
    defer { close(ends.0) }
    var reader = LineReader(descriptor: ends.0, path: "pipe", delimiter: delimiter)
    var found: [[UInt8]] = []
    while true {
      let lines = try reader.batch(upTo: 1 + Int(first >> 2) * 16) {}
      guard !lines.isEmpty else { break }
      found += lines.map(Array.init)
    }
    try expect(found == expected.map(Array.init), "\(found.count) lines, not \(expected.count)")
  }
}

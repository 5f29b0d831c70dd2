import JSON
import JSONLines

/// Compares the number in an end record `{"end":N}` with the number of records before it, to detect that an earlier
/// tool of the pipeline was stopped between two records (lm-records(5), STREAMS).
///
/// Sealed streams can be concatenated: each end record has the number of records since the one before it.
struct InputSeal {
  private var recordCount = 0
  private var isClosed = false

  mutating func count(_ records: Int) {
    recordCount += records
    isClosed = false
  }

  /// Returns whether the line is an end record: an object whose only member is `end`, an integer.
  static func isEndRecord(_ line: UnsafeBufferPointer<UInt8>) -> Bool { number(in: line) != nil }

  /// Checks an end record. A wrong number is an error even if no end record is expected.
  mutating func close(_ line: UnsafeBufferPointer<UInt8>, at place: String) throws(ToolError) {
    let expected = Self.number(in: line)
    guard expected == recordCount else {
      throw ToolError(
        .inputOutput,
        "\(place): end record {\"end\":\(expected ?? 0)} after \(recordCount) \(noun): records were lost")
    }
    (recordCount, isClosed) = (0, true)
  }

  /// Throws if the last line of the input was not an end record. Called at the end of the input.
  func requireClosed(_ file: some CustomStringConvertible) throws(ToolError) {
    guard !isClosed else { return }
    throw ToolError(
      .inputOutput,
      "\(file): the end record is missing after \(recordCount) \(noun): the previous tool was "
        + "stopped, or does not write end records (use --sealed-output with the first tool of a pipeline)")
  }

  private var noun: String { recordCount == 1 ? "record" : "records" }

  private static func number(in line: UnsafeBufferPointer<UInt8>) -> Int? {
    // A fast path rejects most lines by their first bytes.
    guard let start = line.firstIndex(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "{") }), start <= 8,
      line[start...].starts(with: "\"end\"".utf8), let record = try? Record(line), record.memberCount == 1,
      var value = try? record.value(of: "end"), let number = try? value.integer()
    else { return nil }
    return number
  }
}

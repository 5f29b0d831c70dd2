import JSON
import JSONLines

/// Compares the number in an end record `{"end":N}` with the number of records that came before it, which shows whether a
/// tool before this one was stopped between two records (lm-records(5), STREAMS).
///
/// Two sealed streams one after the other, as `cat` joins them, are sealed: each end record has the number of the records
/// since the one before.
struct InputSeal {
  private var records = 0
  private var isClosed = false

  mutating func count(_ records: Int) {
    self.records += records
    isClosed = false
  }

  /// Whether the line is an end record: an object with `end`, an integer, and no other member.
  static func isEndRecord(_ line: UnsafeBufferPointer<UInt8>) -> Bool { number(in: line) != nil }

  /// Checks an end record. A wrong number is an error, whether an end record is expected or not.
  mutating func close(_ line: UnsafeBufferPointer<UInt8>, at place: String) throws(ToolError) {
    let expected = Self.number(in: line)
    guard expected == records else {
      throw ToolError(
        .inputOutput,
        "\(place): the end record counts \(expected ?? 0) records, but there are \(records): records were lost")
    }
    (records, isClosed) = (0, true)
  }

  /// Throws if the input has ended, and its last line is no end record.
  func requireClosed(_ file: some CustomStringConvertible) throws(ToolError) {
    guard !isClosed else { return }
    throw ToolError(
      .inputOutput,
      "\(file): there is no end record after \(records) records: the tool before was stopped, or it does not write one "
        + "(the first tool of a pipeline can be given --sealed-output)")
  }

  private static func number(in line: UnsafeBufferPointer<UInt8>) -> Int? {
    // Most lines are dismissed by their first bytes.
    guard let start = line.firstIndex(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "{") }), start <= 8,
      line[start...].starts(with: "\"end\"".utf8), let record = try? Record(line), record.memberCount == 1,
      var value = try? record.value(of: "end"), let number = try? value.integer()
    else { return nil }
    return number
  }
}

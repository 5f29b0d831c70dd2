/// Rows of a matrix that are consecutive positions of one sequence in a batch.
struct BatchSegment {
  let rows: Range<Int>
  /// The position of the first row, counted from the start of the sequence.
  let first: Int
  let cache: KeyValueCache

  /// Returns the rows of some of the segment's positions.
  func part(at positions: Range<Int>) -> BatchSegment {
    let start = rows.lowerBound - first
    return BatchSegment(
      rows: positions.lowerBound + start..<positions.upperBound + start, first: positions.lowerBound, cache: cache)
  }
}

extension [BatchSegment] {
  /// Returns the parts of the segments in a range of rows, with rows counted from the start of the range.
  func clamped(to range: Range<Int>) -> [BatchSegment] {
    compactMap { segment in
      let rows = segment.rows.clamped(to: range)
      guard !rows.isEmpty else { return nil }
      return BatchSegment(
        rows: rows.lowerBound - range.lowerBound..<rows.upperBound - range.lowerBound,
        first: segment.first + rows.lowerBound - segment.rows.lowerBound, cache: segment.cache)
    }
  }

  /// The segments in a matrix that has only their rows, one segment after the other.
  var compacted: [BatchSegment] {
    var start = 0
    return map { segment in
      defer { start += segment.rows.count }
      return BatchSegment(rows: start..<start + segment.rows.count, first: segment.first, cache: segment.cache)
    }
  }

  var rowCount: Int { reduce(0) { $0 + $1.rows.count } }
}

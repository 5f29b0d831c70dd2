/// Some rows of a matrix: consecutive positions of one sequence.
struct SequenceRows {
  let rows: Range<Int>
  /// The position of the first row.
  let first: Int
  let cache: KeyValueCache

  /// The rows of some of the positions.
  func part(at positions: Range<Int>) -> SequenceRows {
    let start = rows.lowerBound - first
    return SequenceRows(
      rows: positions.lowerBound + start..<positions.upperBound + start, first: positions.lowerBound, cache: cache)
  }
}

extension [SequenceRows] {
  /// What lies in some rows of the matrix, counted from the first of these.
  func within(_ range: Range<Int>) -> [SequenceRows] {
    compactMap { sequence in
      let rows = sequence.rows.clamped(to: range)
      guard !rows.isEmpty else { return nil }
      return SequenceRows(
        rows: rows.lowerBound - range.lowerBound..<rows.upperBound - range.lowerBound,
        first: sequence.first + rows.lowerBound - sequence.rows.lowerBound, cache: sequence.cache)
    }
  }

  /// The same positions in a matrix that has only these rows.
  var together: [SequenceRows] {
    var start = 0
    return map { sequence in
      defer { start += sequence.rows.count }
      return SequenceRows(rows: start..<start + sequence.rows.count, first: sequence.first, cache: sequence.cache)
    }
  }
}

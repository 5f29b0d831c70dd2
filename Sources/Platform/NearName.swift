/// Returns the name with the smallest Levenshtein distance to a mistyped word, for "did you mean"; nil if more than a
/// third of the word's letters would have to change.
public func nearestName(to word: some StringProtocol, among names: [String]) -> String? {
  let nearest = names.map { (distance: distance(Array($0), Array(word)), name: $0) }.min { $0.distance < $1.distance }
  return nearest.flatMap { $0.distance <= (word.count + 1) / 3 ? $0.name : nil }
}

/// Returns the Levenshtein distance: the smallest number of insertions, deletions and substitutions.
private func distance(_ a: [Character], _ b: [Character]) -> Int {
  var row = Array(0...b.count)
  for (i, letter) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, other) in b.enumerated() {
      let change = diagonal + (letter == other ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(change, diagonal + 1, row[j] + 1)
    }
  }
  return row[b.count]
}

/// The name that a mistyped one most likely stands for: the nearest by the letters that have to be changed, added or
/// removed (Levenshtein), if these are not more than a third.
public func nearestName(to word: some StringProtocol, among names: [String]) -> String? {
  let nearest = names.map { (distance: distance(Array($0), Array(word)), name: $0) }.min { $0.distance < $1.distance }
  return nearest.flatMap { $0.distance <= (word.count + 1) / 3 ? $0.name : nil }
}

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

/// The syntax tree of a pattern.
indirect enum PatternNode: Sendable {
  enum Anchor: Sendable {
    case textStart, textEnd, textEndOrLastLineEnd, lineStart, lineEnd, wordBoundary, notWordBoundary, searchStart
  }

  enum Preference: Sendable {
    case greedy, lazy, possessive
  }

  /// One scalar of the set.
  case set(ScalarSet)
  case sequence([PatternNode])
  /// The first alternative that lets the rest of the pattern match is taken.
  case alternatives([PatternNode])
  case repetition(PatternNode, least: Int, most: Int, Preference)
  case atomic(PatternNode)
  case look(PatternNode, isAhead: Bool, isNegated: Bool)
  case anchor(Anchor)
  /// One scalar, of the set, that is equal to the one before it: `\1` in `([!?])\1*`.
  case repeatOfPrevious(ScalarSet)

  static var empty: PatternNode { .sequence([]) }

  /// Whether the node can match the empty text.
  var isNullable: Bool {
    switch self {
    case .set, .repeatOfPrevious: false
    case .sequence(let nodes): nodes.allSatisfy(\.isNullable)
    case .alternatives(let nodes): nodes.contains(where: \.isNullable)
    case .repetition(let node, let least, _, _): least == 0 || node.isNullable
    case .atomic(let node): node.isNullable
    case .look, .anchor: true
    }
  }

  /// The number of scalars that each match has; nil if it varies.
  var fixedLength: Int? {
    switch self {
    case .set, .repeatOfPrevious: return 1
    case .sequence(let nodes):
      var sum = 0
      for node in nodes {
        guard let length = node.fixedLength else { return nil }
        sum += length
      }
      return sum
    case .alternatives(let nodes):
      let first = nodes.first?.fixedLength
      return nodes.allSatisfy { $0.fixedLength == first } ? first : nil
    case .repetition(let node, let least, let most, _):
      guard least == most, let length = node.fixedLength else { return nil }
      let (product, overflow) = length.multipliedReportingOverflow(by: least)
      return overflow || product > 1000 ? nil : product
    case .atomic(let node): return node.fixedLength
    case .look, .anchor: return 0
    }
  }
}

/// Compiles the syntax tree of a pattern to instructions.
struct PatternCompiler {
  typealias Program = PatternProgram

  /// The scalars with which a match may begin, and whether it may begin at the end of the text.
  struct First {
    var set: ScalarSet
    var isNullable: Bool
  }

  /// What is known of the rest of the pattern.
  struct Rest {
    var first: First
    /// The rest matches at every place.
    var alwaysMatches: Bool

    static let accept = Rest(first: First(set: .all, isNullable: true), alwaysMatches: true)
    static let unknown = Rest(first: First(set: .all, isNullable: true), alwaysMatches: false)
  }

  private(set) var instructions: [Program.Instruction] = []
  private(set) var targets: [Int32] = []
  private(set) var sets: [ScalarSet] = []
  private(set) var firsts: [[First]] = []
  private(set) var wordSet: Int?
  /// For each loop in a look-around, the last instruction of the look-around.
  private(set) var lookEnds: [Int32] = []
  /// The loops being compiled are in a look-around, and not in another group that drops alternatives.
  private var isInLook = false
  private let dialect: PatternDialect

  private static let maxInstructions = 20_000

  init(_ dialect: PatternDialect) { self.dialect = dialect }

  mutating func compile(_ node: PatternNode) throws(PatternError) {
    try emit(node, .accept)
    try add(.accept)
  }

  func first(of node: PatternNode, followedBy rest: Rest) -> First {
    switch node {
    case .set(let set), .repeatOfPrevious(let set): return First(set: set, isNullable: false)
    case .sequence(let nodes):
      var set = ScalarSet.empty
      for node in nodes {
        let first = first(of: node, followedBy: Rest(first: First(set: .empty, isNullable: true), alwaysMatches: false))
        set = set.union(first.set)
        if !first.isNullable { return First(set: set, isNullable: false) }
      }
      return First(set: set.union(rest.first.set), isNullable: rest.first.isNullable)
    case .alternatives(let nodes):
      let firsts = nodes.map { first(of: $0, followedBy: rest) }
      return First(set: ScalarSet(firsts.flatMap(\.set.ranges)), isNullable: firsts.contains(where: \.isNullable))
    case .repetition(let inner, let least, let most, _):
      guard most > 0 else { return rest.first }
      let first = first(of: inner, followedBy: rest)
      guard least == 0 else { return first }
      return First(
        set: first.set.union(rest.first.set), isNullable: first.isNullable || rest.first.isNullable)
    case .atomic(let inner): return first(of: inner, followedBy: rest)
    // A look-around only restricts the rest
    case .look, .anchor: return rest.first
    }
  }

  private func alwaysMatches(_ node: PatternNode, _ rest: Rest) -> Bool {
    guard rest.alwaysMatches else { return false }
    switch node {
    case .sequence(let nodes): return nodes.allSatisfy { alwaysMatches($0, rest) }
    case .alternatives(let nodes): return nodes.contains { alwaysMatches($0, rest) }
    case .repetition(_, let least, _, _): return least == 0
    case .atomic(let inner): return alwaysMatches(inner, rest)
    case .set, .repeatOfPrevious, .look, .anchor: return false
    }
  }

  private func rest(_ node: PatternNode, _ rest: Rest) -> Rest {
    Rest(first: first(of: node, followedBy: rest), alwaysMatches: alwaysMatches(node, rest))
  }

  @discardableResult
  private mutating func add(
    _ operation: Program.Operation, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0
  ) throws(PatternError) -> Int {
    guard instructions.count < Self.maxInstructions else {
      throw PatternError(cause: .unsupported, offset: 0, reason: "a pattern with so many repetitions")
    }
    instructions.append(
      .init(
        operation: operation, a: Int32(truncatingIfNeeded: a), b: Int32(truncatingIfNeeded: b),
        c: Int32(truncatingIfNeeded: min(c, Int(Int32.max)))))
    return instructions.count - 1
  }

  private mutating func number(of set: ScalarSet) -> Int {
    if let number = sets.firstIndex(of: set) { return number }
    sets.append(set)
    return sets.count - 1
  }

  private mutating func emit(_ node: PatternNode, _ rest: Rest) throws(PatternError) {
    switch node {
    case .set(let set): try add(.set, number(of: set))
    case .repeatOfPrevious: try add(.repeatOfPrevious)
    case .sequence(let nodes):
      var rests = [rest]
      for node in nodes.dropFirst().reversed() { rests.append(self.rest(node, rests[rests.count - 1])) }
      for (node, rest) in zip(nodes, rests.reversed()) { try emit(node, rest) }
    case .alternatives(let nodes): try emitAlternatives(nodes[...], rest)
    case .repetition(let inner, let least, let most, let preference):
      try emitRepetition(inner, least, most, preference, rest)
    case .atomic(let inner): try emitAtomic { compiler throws(PatternError) in try compiler.emit(inner, .accept) }
    case .look(let inner, let isAhead, let isNegated): try emitLook(inner, isAhead, isNegated)
    case .anchor(let anchor):
      switch anchor {
      case .textStart: try add(.textStart)
      case .textEnd: try add(.textEnd)
      case .textEndOrLastLineEnd: try add(.textEndOrLastLineEnd)
      case .lineStart: try add(.lineStart)
      case .lineEnd: try add(.lineEnd)
      case .searchStart: try add(.searchStart)
      case .wordBoundary, .notWordBoundary:
        wordSet = number(of: dialect == .oniguruma ? .bareWord : .wordWithJoiners)
        if case .wordBoundary = anchor { try add(.wordBoundary) } else { try add(.notWordBoundary) }
      }
    }
  }

  private mutating func emitAtomic(
    _ body: (inout PatternCompiler) throws(PatternError) -> Void
  ) throws(PatternError) {
    let wasInLook = isInLook
    isInLook = false
    try add(.beginAtomic)
    try body(&self)
    try add(.endAtomic)
    isInLook = wasInLook
  }

  private mutating func emitLook(_ inner: PatternNode, _ isAhead: Bool, _ isNegated: Bool) throws(PatternError) {
    if isAhead, case .set(let set) = inner {
      try add(isNegated ? .peekNot : .peek, number(of: set))
      return
    }
    let begin = try add(isNegated ? .beginNegativeLook : .beginLook)
    if !isAhead { try add(.back, inner.fixedLength ?? 0) }
    let (wasInLook, firstLoop) = (isInLook, lookEnds.count)
    isInLook = true
    try emit(inner, .accept)
    isInLook = wasInLook
    let end = Int32(try add(isNegated ? .endNegativeLook : .endLook))
    for loop in firstLoop..<lookEnds.count where lookEnds[loop] == 0 { lookEnds[loop] = end }
    instructions[begin].a = Int32(instructions.count)
  }

  /// Emits a choice between bodies in order of preference; each continues after the choice.
  private mutating func emitAlternatives(_ nodes: ArraySlice<PatternNode>, _ rest: Rest) throws(PatternError) {
    if nodes.count > 64 {
      let head = Array(nodes.prefix(63))
      try emitAlternatives(head + [.alternatives(Array(nodes.dropFirst(63)))], rest)
      return
    }
    let table = firsts.count
    firsts.append(nodes.map { first(of: $0, followedBy: rest) })
    let base = targets.count
    targets += Array(repeating: 0, count: nodes.count)
    try add(.alternatives, base, nodes.count, table)
    var jumps: [Int] = []
    for (number, node) in nodes.enumerated() {
      targets[base + number] = Int32(instructions.count)
      try emit(node, rest)
      if number < nodes.count - 1 { jumps.append(try add(.jump)) }
    }
    for jump in jumps { instructions[jump].a = Int32(instructions.count) }
  }

  private mutating func emitRepetition(
    _ inner: PatternNode, _ least: Int, _ most: Int, _ preference: PatternNode.Preference, _ rest: Rest
  ) throws(PatternError) {
    if case .set(let set) = inner {
      let isDisjoint = { !rest.first.isNullable && set.intersection(rest.first.set).ranges.isEmpty }
      let isPossessive = preference == .possessive || preference == .greedy && (rest.alwaysMatches || isDisjoint())
      try add(
        isPossessive ? .possessiveRun : preference == .lazy ? .lazyRun : .greedyRun, number(of: set), least, most)
      return
    }
    if preference == .possessive {
      try emitAtomic { compiler throws(PatternError) in
        try compiler.emitRepetition(inner, least, most, .greedy, .accept)
      }
      return
    }
    // x{2,4} is xx(?:x(?:x)?)?
    let optional = PatternNode.repetition(inner, least: 0, most: .max, preference)
    let afterCopy = Rest(first: first(of: optional, followedBy: rest), alwaysMatches: false)
    for _ in 0..<least { try emit(inner, afterCopy) }
    let bodyFirst = first(of: inner, followedBy: afterCopy)
    let order = preference == .lazy ? [1, 0] : [0, 1]
    var exits: [Int] = []
    for _ in 0..<(most == .max ? 1 : most - least) {
      let table = firsts.count
      firsts.append(order.map { [bodyFirst, rest.first][$0] })
      let base = targets.count
      let choice: Int
      if isInLook, most == .max {
        choice = try add(.lookLoop, base, lookEnds.count, table)
        lookEnds.append(0)
      } else {
        choice = try add(.alternatives, base, 2, table)
      }
      targets += [0, 0]
      targets[base + order[0]] = Int32(instructions.count)
      exits.append(base + order[1])
      try emit(inner, afterCopy)
      if most == .max { try add(.jump, choice) }
    }
    for exit in exits { targets[exit] = Int32(instructions.count) }
  }

  /// Returns the blocks of all scalars, the parts of the blocks' scalars, and one scalar of each part.
  func partition() throws(PatternError) -> (blocks: [UInt16], parts: [UInt8], scalars: [UInt32]) {
    // Changes of membership, in order: at a scalar, the membership in a set is toggled
    var changes: [(scalar: UInt32, set: Int)] = []
    let all = sets + firsts.flatMap { $0.map(\.set) }
    for (number, set) in all.enumerated() {
      for range in set.ranges where range.upperBound >= 0x80 {
        changes.append((max(range.lowerBound, 0x80), number))
        changes.append((range.upperBound + 1, number))
      }
    }
    changes.sort { $0.scalar < $1.scalar }
    var memberships = [Bool](repeating: false, count: all.count)
    var numbers: [[Bool]: UInt8] = [:]
    var scalars: [UInt32] = []
    /// The ends of runs of scalars of one part. The first 128 scalars are their own symbols.
    var runs: [(end: Int, part: UInt8)] = [(128, 0)]
    var index = 0
    while let (end, _) = runs.last, end < 0x110000 {
      while index < changes.count, changes[index].scalar <= end {
        memberships[changes[index].set].toggle()
        index += 1
      }
      let known = numbers[memberships]
      guard known != nil || scalars.count < 256 else {
        throw PatternError(cause: .unsupported, offset: 0, reason: "a pattern with so many different sets")
      }
      let part = known ?? UInt8(scalars.count)
      if known == nil {
        numbers[memberships] = part
        scalars.append(UInt32(end))
      }
      runs.append((index < changes.count ? Int(changes[index].scalar) : 0x110000, part))
    }
    let (blocks, parts) = Self.blocks(runs)
    return (blocks, parts, scalars)
  }

  /// Returns the blocks of all scalars, and the parts of the blocks' scalars. Equal blocks are stored once.
  private static func blocks(_ runs: [(end: Int, part: UInt8)]) -> (blocks: [UInt16], parts: [UInt8]) {
    var blocks: [UInt16] = []
    var parts: [UInt8] = []
    var known: [[UInt8]: UInt16] = [:]
    /// The blocks with only one part.
    var uniform = [UInt16?](repeating: nil, count: 256)
    var run = 0
    for first in stride(from: 0, to: 0x110000, by: 128) {
      while runs[run].end <= first { run += 1 }
      let part = Int(runs[run].part)
      let isUniform = runs[run].end >= first + 128
      if isUniform, let number = uniform[part] {
        blocks.append(number)
        continue
      }
      var block: [UInt8] = []
      var covering = run
      while block.count < 128 {
        let count = min(runs[covering].end - first, 128) - block.count
        block.append(contentsOf: repeatElement(runs[covering].part, count: count))
        covering += 1
      }
      let number = known[block] ?? UInt16(parts.count / 128)
      if known[block] == nil {
        known[block] = number
        parts += block
      }
      if isUniform { uniform[part] = number }
      blocks.append(number)
    }
    return (blocks, parts)
  }
}

/// A pattern as instructions for `PatternMatcher`.
///
/// A text is read as symbols: an ASCII byte is its own symbol, and other scalars are grouped into parts, the largest
/// sets that no set of the pattern divides. Each set is then a table of symbols. A byte that is not UTF-8 has the
/// symbol of U+FFFD, which the reference implementations put in its place.
final class PatternProgram: @unchecked Sendable {  // immutable after init
  static let endSymbol = 384
  static let symbolCount = 512  // a power of two, for the index computations

  enum Operation: UInt8 {
    /// One scalar of set `a`.
    case set
    /// From `b` to `c` scalars of set `a`: as many as possible, without or with backtracking, or as few as possible.
    case possessiveRun, greedyRun, lazyRun
    /// The alternatives `a`..<`a + b` of `targets`; `c` is the table of the alternatives that each symbol permits.
    case alternatives
    /// The same for a loop in a look-around with the number `b` of these; the alternatives are `a` and `a + 1`.
    case lookLoop
    /// Continues at `a`.
    case jump
    /// Begins an atomic group or a look-around; after a failure of a negative one the program continues at `a`.
    case beginAtomic, beginLook, beginNegativeLook
    case endAtomic, endLook, endNegativeLook
    /// Steps back by `a` scalars.
    case back
    /// Fails unless the next scalar is, or is not, in set `a`; at the end of the text it is not.
    case peek, peekNot
    case textStart, textEnd, textEndOrLastLineEnd, lineStart, lineEnd, wordBoundary, notWordBoundary, searchStart
    /// One scalar that is equal to the one before it.
    case repeatOfPrevious
    case accept
  }

  struct Instruction {
    var operation: Operation
    var a: Int32 = 0
    var b: Int32 = 0
    var c: Int32 = 0
  }

  let instructions: UnsafeMutablePointer<Instruction>
  let instructionCount: Int
  /// For each set, 1 for the symbols in the set.
  let members: UnsafeMutablePointer<UInt8>
  let targets: UnsafeMutablePointer<Int32>
  /// For each loop in a look-around, the last instruction of the look-around.
  let lookEnds: UnsafeMutablePointer<Int32>
  /// For each table of alternatives and each symbol, the alternatives that may begin with the symbol.
  let permitted: UnsafeMutablePointer<UInt64>
  /// The block of 128 scalars, by scalar / 128, and the parts of the scalars of the blocks.
  private let blocks: UnsafeMutablePointer<UInt16>
  private let parts: UnsafeMutablePointer<UInt8>
  /// The number of the set of word characters, for `\b`.
  let wordSet: Int
  /// The number of loops in look-arounds.
  let lookLoopCount: Int
  /// The pattern has `\G`, so that a match depends on the place where the search begins.
  let dependsOnSearchStart: Bool
  /// 1 for the symbols with which a match may begin.
  let starts: UnsafeMutablePointer<UInt8>

  init(_ node: PatternNode, _ dialect: PatternDialect) throws(PatternError) {
    var compiler = PatternCompiler(dialect)
    try compiler.compile(node)
    let (blockTable, partTable, partScalars) = try compiler.partition()
    let symbols = (0..<128).map(UInt32.init) + partScalars
    instructions = copy(compiler.instructions)
    instructionCount = compiler.instructions.count
    targets = copy(compiler.targets)
    blocks = copy(blockTable)
    parts = copy(partTable)
    wordSet = compiler.wordSet ?? 0
    lookLoopCount = compiler.lookEnds.count
    dependsOnSearchStart = compiler.instructions.contains { $0.operation == .searchStart }
    lookEnds = copy(compiler.lookEnds)
    members = .allocate(capacity: max(1, compiler.sets.count) * Self.symbolCount)
    members.initialize(repeating: 0, count: max(1, compiler.sets.count) * Self.symbolCount)
    for (number, set) in compiler.sets.enumerated() {
      for (symbol, scalar) in symbols.enumerated() where set.contains(scalar) {
        members[number * Self.symbolCount + symbol] = 1
      }
    }
    permitted = .allocate(capacity: max(1, compiler.firsts.count) * Self.symbolCount)
    permitted.initialize(repeating: 0, count: max(1, compiler.firsts.count) * Self.symbolCount)
    for (table, firsts) in compiler.firsts.enumerated() {
      for (alternative, first) in firsts.enumerated() {
        for (symbol, scalar) in symbols.enumerated() where first.set.contains(scalar) {
          permitted[table * Self.symbolCount + symbol] |= 1 << UInt64(alternative)
        }
        if first.isNullable { permitted[table * Self.symbolCount + Self.endSymbol] |= 1 << UInt64(alternative) }
      }
    }
    starts = .allocate(capacity: Self.symbolCount)
    starts.initialize(repeating: 0, count: Self.symbolCount)
    let first = compiler.first(of: node, followedBy: .accept)
    for (symbol, scalar) in symbols.enumerated() where first.set.contains(scalar) { starts[symbol] = 1 }
    if first.isNullable { starts[Self.endSymbol] = 1 }
  }

  deinit {
    instructions.deallocate()
    members.deallocate()
    targets.deallocate()
    lookEnds.deallocate()
    permitted.deallocate()
    blocks.deallocate()
    parts.deallocate()
    starts.deallocate()
  }

  /// The symbol of a scalar that is not ASCII; nil stands for a byte that is not UTF-8.
  @inline(__always)
  func symbol(_ scalar: UInt32?) -> Int {
    let scalar = scalar ?? 0xFFFD
    return 128 + Int(parts[Int(blocks[Int(scalar >> 7)]) << 7 | Int(scalar & 127)])
  }
}

private func copy<Element: BitwiseCopyable>(_ array: [Element]) -> UnsafeMutablePointer<Element> {
  let pointer = UnsafeMutablePointer<Element>.allocate(capacity: max(1, array.count))
  for (index, element) in array.enumerated() { (pointer + index).initialize(to: element) }
  return pointer
}

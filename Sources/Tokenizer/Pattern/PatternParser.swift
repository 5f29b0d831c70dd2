/// The regular-expression engine whose rules a pattern follows.
package enum PatternDialect: Sendable {
  /// Oniguruma with its default syntax, the engine of `tokenizers`: `^` and `$` match at every line, `{1,3}+` repeats a
  /// repetition.
  case oniguruma
  /// The crate fancy-regex, the engine of `tiktoken`: `^` and `$` match at the ends of the text, `{1,3}+` is
  /// possessive.
  case fancyRegex
}

/// Parses a pattern by recursive descent. The grammar is that of Oniguruma's doc/RE.
struct PatternParser {
  private let scalars: [Unicode.Scalar]
  private let offsets: [Int]
  private let dialect: PatternDialect
  private var index = 0
  private var depth = 0
  private var ignoresCase = false
  private var dotMatchesLineEnd = false
  private var captureCount = 0
  private var hasGroupNames = false
  private var firstBackreference: Int?
  /// The last capture group, if it is one scalar: its number, its set and the place after it.
  private var lastCapture: (number: Int, set: ScalarSet, end: Int)?

  private static let maxDepth = 100
  private static let maxRepetitions = 1000

  static func parse(_ source: String, _ dialect: PatternDialect) throws(PatternError) -> PatternNode {
    var parser = PatternParser(source, dialect)
    let node = try parser.alternatives()
    guard parser.index == parser.scalars.count else { throw parser.invalid("unmatched \")\"") }
    if let place = parser.firstBackreference, parser.hasGroupNames {
      throw parser.unsupported("a backreference by number besides group names", at: place)
    }
    return node
  }

  private init(_ source: String, _ dialect: PatternDialect) {
    scalars = Array(source.unicodeScalars)
    var offset = 0
    var offsets: [Int] = []
    for scalar in scalars {
      offsets.append(offset)
      offset += UTF8.width(scalar)
    }
    self.offsets = offsets + [offset]
    self.dialect = dialect
  }

  private var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
  private func peek(_ distance: Int) -> Unicode.Scalar? {
    index + distance < scalars.count ? scalars[index + distance] : nil
  }

  private mutating func skip(_ text: String) -> Bool {
    let expected = Array(text.unicodeScalars)
    guard scalars.count - index >= expected.count, scalars[index..<index + expected.count].elementsEqual(expected)
    else { return false }
    index += expected.count
    return true
  }

  private func invalid(_ reason: String, at place: Int? = nil) -> PatternError {
    PatternError(cause: .invalid, offset: offsets[min(place ?? index, scalars.count)], reason: reason)
  }

  private func unsupported(_ construct: String, at place: Int? = nil) -> PatternError {
    PatternError(cause: .unsupported, offset: offsets[min(place ?? index, scalars.count)], reason: construct)
  }

  private mutating func alternatives() throws(PatternError) -> PatternNode {
    depth += 1
    guard depth <= Self.maxDepth else { throw unsupported("nesting deeper than \(Self.maxDepth)") }
    let options = (ignoresCase, dotMatchesLineEnd)
    defer {
      (ignoresCase, dotMatchesLineEnd) = options
      depth -= 1
    }
    var branches: [PatternNode] = []
    repeat { branches.append(try sequence()) } while skip("|")
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func sequence() throws(PatternError) -> PatternNode {
    var nodes: [PatternNode] = []
    /// Adjacent literals whose case is ignored.
    var literals: [ScalarSet] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      let start = index
      if try isolatedOptions() {
        // In Oniguruma, the rest of the enclosing group is a group with the alternatives. In fancy-regex, the options
        // of a group apply after the group too, which is not imitated
        if dialect == .fancyRegex {
          guard depth == 1 else { throw unsupported("an option in a group without \":\"", at: start) }
          continue
        }
        nodes.append(try alternatives())
        break
      }
      let atom = try atom()
      if ignoresCase, dialect == .oniguruma, case .set(let set) = atom, set.ranges.count < 6, scalar != "[",
        scalar != "."
      {
        literals.append(set)
        try checkLongFoldings(set, at: start)
        try checkLongFoldings(literals, at: start)
      } else {
        literals = []
      }
      nodes.append(try quantified(atom, at: start))
    }
    return nodes.count == 1 ? nodes[0] : .sequence(nodes)
  }

  /// Oniguruma lets `ss` match `ß` if case is ignored, and `ß` match `ss`. This is refused.
  private func checkLongFoldings(_ set: ScalarSet, at place: Int) throws(PatternError) {
    guard UnicodeProperties.longFoldingScalars.contains(where: set.contains) else { return }
    throw unsupported("a character without regard to case that stands for several, such as \"\u{DF}\",", at: place)
  }

  private func checkLongFoldings(_ literals: [ScalarSet], at place: Int) throws(PatternError) {
    var first = 0
    let table = UnicodeProperties.longFoldings
    for index in table.indices where table[index] >> 31 == 1 {
      let folding = table[first...index].map { $0 & 0x7FFF_FFFF }
      first = index + 1
      guard literals.count >= folding.count else { continue }
      if zip(literals.suffix(folding.count), folding).allSatisfy({ $0.contains($1) }) {
        throw unsupported("a text without regard to case that stands for one character, such as \"ss\",", at: place)
      }
    }
  }

  /// Reads `(?i)` and its like, which apply to the rest of the enclosing group.
  private mutating func isolatedOptions() throws(PatternError) -> Bool {
    guard next == "(", peek(1) == "?", let letter = peek(2), letter == "-" || letter.properties.isAlphabetic,
      letter != "P"
    else { return false }
    var end = index + 2
    while end < scalars.count, scalars[end] == "-" || scalars[end].properties.isAlphabetic { end += 1 }
    guard end < scalars.count, scalars[end] == ")" else { return false }
    index += 2
    try options()
    index += 1
    return true
  }

  private mutating func options() throws(PatternError) {
    var isOn = true
    while let letter = next, letter != ")", letter != ":" {
      switch (letter, dialect) {
      case ("-", _): isOn = false
      case ("i", _): ignoresCase = isOn
      case ("m", .oniguruma), ("s", .fancyRegex): dotMatchesLineEnd = isOn
      case ("u", .fancyRegex) where isOn: break
      default: throw unsupported("the option \"\(letter)\"")
      }
      index += 1
    }
  }

  private mutating func quantified(_ atom: PatternNode, at start: Int) throws(PatternError) -> PatternNode {
    var node = atom
    while let (bounds, isInterval) = try quantifier() {
      if case .anchor = atom { throw unsupported("a repeated anchor", at: start) }
      var (least, most) = bounds
      var preference = PatternNode.Preference.greedy
      let isFixed = isInterval && least == most && dialect == .oniguruma
      if least > most {
        guard dialect == .oniguruma else { throw invalid("a repetition whose bounds are out of order") }
        (least, most, preference) = (most, least, .possessive)
      } else if !isFixed, skip("?") {
        preference = .lazy
      } else if !isInterval || dialect == .fancyRegex, skip("+") {
        preference = .possessive
      }
      if most == .max, node.isNullable {
        // (x*)* and its like
        if case .repetition(let inner, _, .max, .greedy) = node, !inner.isNullable, preference == .greedy {
          node = .repetition(inner, least: 0, most: .max, .greedy)
          continue
        }
        if case .repetition(let inner, 0, 1, .greedy) = node, !inner.isNullable, preference == .greedy {
          node = .repetition(inner, least: 0, most: .max, .greedy)
          continue
        }
        throw unsupported("the repetition of what can be empty", at: start)
      }
      node = .repetition(node, least: least, most: most, preference)
    }
    return node
  }

  private mutating func quantifier() throws(PatternError) -> (bounds: (Int, Int), isInterval: Bool)? {
    if skip("*") { return ((0, .max), false) }
    if skip("+") { return ((1, .max), false) }
    if skip("?") { return ((0, 1), false) }
    guard next == "{" else { return nil }
    let start = index
    index += 1
    let least = try number()
    var most = least
    if skip(",") { most = try number() ?? (least == nil ? nil : .max) }
    guard least != nil || most != nil, skip("}") else {
      // Not an interval: the brace is a literal
      index = start
      return nil
    }
    return ((least ?? 0, most ?? .max), true)
  }

  private mutating func number() throws(PatternError) -> Int? {
    var value: Int?
    while let digit = next, ("0"..."9").contains(digit) {
      value = (value ?? 0) * 10 + Int(digit.value - 0x30)
      guard let value, value <= Self.maxRepetitions else {
        throw unsupported("a repetition of more than \(Self.maxRepetitions) times")
      }
      index += 1
    }
    return value
  }

  private func literal(_ scalar: Unicode.Scalar) -> PatternNode {
    let set = ScalarSet(scalar.value)
    return .set(ignoresCase ? set.withCaseVariants : set)
  }

  private mutating func atom() throws(PatternError) -> PatternNode {
    let start = index
    guard let scalar = next else { return .empty }
    index += 1
    switch scalar {
    case "*", "+", "?": throw invalid("nothing to repeat", at: start)
    case ".":
      return .set(dotMatchesLineEnd ? .all : ScalarSet(0x0A).inverted)
    case "^": return .anchor(dialect == .oniguruma ? .lineStart : .textStart)
    case "$": return .anchor(dialect == .oniguruma ? .lineEnd : .textEnd)
    case "[":
      var set = try bracket()
      if ignoresCase { set = try foldingNegation(set, at: start) } else if set.isNegated { set.set = set.set.inverted }
      return .set(set.set)
    case "(": return try group(at: start)
    case "\\": return try escape(at: start)
    case "{":
      let place = index
      index = start
      if try quantifier() != nil { throw invalid("nothing to repeat", at: start) }
      index = place
      return literal(scalar)
    default: return literal(scalar)
    }
  }

  /// The variants of the listed scalars are added before the class is negated.
  private func foldingNegation(_ bracket: Bracket, at place: Int) throws(PatternError) -> Bracket {
    var result = bracket
    if dialect == .oniguruma, !bracket.isNegated { try checkLongFoldings(bracket.set, at: place) }
    result.set = bracket.set.withCaseVariants
    if bracket.isNegated { result.set = result.set.inverted }
    return result
  }

  private mutating func group(at start: Int) throws(PatternError) -> PatternNode {
    let options = (ignoresCase, dotMatchesLineEnd)
    defer { (ignoresCase, dotMatchesLineEnd) = options }
    var wrap: (PatternNode) -> PatternNode = { $0 }
    var number: Int?
    if !skip("?") {
      captureCount += 1
      number = captureCount
    } else {
      if skip("#") {
        while let scalar = next, scalar != ")" { index += scalar == "\\" ? 2 : 1 }
        guard skip(")") else { throw invalid("a comment without an end", at: start) }
        return .empty
      } else if skip(":") {
      } else if skip(">") {
        wrap = { .atomic($0) }
      } else if skip("=") {
        wrap = { .look($0, isAhead: true, isNegated: false) }
      } else if skip("!") {
        wrap = { .look($0, isAhead: true, isNegated: true) }
      } else if skip("<=") {
        wrap = { .look($0, isAhead: false, isNegated: false) }
      } else if skip("<!") {
        wrap = { .look($0, isAhead: false, isNegated: true) }
      } else if skip("<") || dialect == .fancyRegex && skip("P<") {
        while let scalar = next, scalar.properties.isAlphabetic || scalar == "_" || ("0"..."9").contains(scalar) {
          index += 1
        }
        guard skip(">") else { throw invalid("a group name without an end", at: start) }
        hasGroupNames = true
      } else if let letter = next, letter == "-" || ("a"..."z").contains(letter) {
        try self.options()
        guard skip(":") else { throw invalid("an option group without \":\"", at: start) }
      } else {
        throw unsupported("this kind of group", at: start)
      }
    }
    let node = wrap(try alternatives())
    guard skip(")") else { throw invalid("\"(\" without \")\"", at: start) }
    if let number, case .set(let set) = node { lastCapture = (number, set, index) }
    if case .look(let body, isAhead: false, let isNegated) = node { return try lookBehind(body, isNegated, at: start) }
    return node
  }

  /// Splits a lookbehind into alternatives of fixed length.
  private func lookBehind(_ body: PatternNode, _ isNegated: Bool, at start: Int) throws(PatternError) -> PatternNode {
    var branches = [body]
    if case .alternatives(let nodes) = body { branches = nodes }
    guard branches.allSatisfy({ $0.fixedLength != nil }) else {
      throw unsupported("a lookbehind of variable length", at: start)
    }
    let looks = branches.map { PatternNode.look($0, isAhead: false, isNegated: isNegated) }
    return looks.count == 1 ? looks[0] : isNegated ? .sequence(looks) : .alternatives(looks)
  }

  private mutating func escape(at start: Int) throws(PatternError) -> PatternNode {
    guard let letter = next else { throw invalid("\"\\\" at the end", at: start) }
    if let set = try classEscape(inBrackets: false) { return .set(set) }
    switch letter {
    case "<" where dialect == .fancyRegex, ">" where dialect == .fancyRegex:
      throw unsupported("the start or end of a word", at: start)
    case "A", "z", "Z", "b", "B", "G":
      guard letter != "G" || dialect == .oniguruma else { throw unsupported("the escape \"\\G\"", at: start) }
      index += 1
      guard letter != "b" || next != "{" || dialect == .oniguruma else {
        throw unsupported("the start or end of a word", at: start)
      }
      switch letter {
      case "A": return .anchor(.textStart)
      case "z": return .anchor(.textEnd)
      case "Z" where dialect == .fancyRegex:
        // Before any number of line ends at the end
        let lineEnds = PatternNode.repetition(.set(ScalarSet(0x0A)), least: 0, most: .max, .greedy)
        return .look(.sequence([lineEnds, .anchor(.textEnd)]), isAhead: true, isNegated: false)
      case "Z": return .anchor(.textEndOrLastLineEnd)
      case "b": return .anchor(.wordBoundary)
      case "G": return .anchor(.searchStart)
      default: return .anchor(.notWordBoundary)
      }
    case "R" where dialect == .oniguruma:
      index += 1
      let lineEnds = ScalarSet([0x0A...0x0D, 0x85...0x85, 0x2028...0x2029])
      return .atomic(.alternatives([.sequence([.set(ScalarSet(0x0D)), .set(ScalarSet(0x0A))]), .set(lineEnds)]))
    case "1"..."9":
      // `(set)\1`, as in the tokenizers of Galactica and Nougat
      guard let capture = lastCapture, capture.end == start, capture.number == Int(letter.value - 0x30), !ignoresCase,
        peek(1).map({ !("0"..."9").contains($0) }) ?? true
      else { throw unsupported("a backreference, except directly after its group of one character,", at: start) }
      firstBackreference = firstBackreference ?? start
      index += 1
      return .repeatOfPrevious(capture.set)
    default: return literal(try scalarEscape())
    }
  }

  /// Reads `\p{…}`, `\w` and so on; nil if the escape stands for one scalar or an anchor.
  private mutating func classEscape(inBrackets: Bool) throws(PatternError) -> ScalarSet? {
    guard let letter = next else { return nil }
    let set: ScalarSet
    switch letter {
    case "s", "S": set = .whiteSpace
    case "d", "D": set = .digits
    case "w", "W": set = dialect == .fancyRegex ? .wordWithJoiners : inBrackets ? .word : .bareWord
    case "h", "H": set = .hexDigits
    case "N" where dialect == .oniguruma && !inBrackets:
      index += 1
      return ScalarSet(0x0A).inverted
    case "O" where dialect == .oniguruma && !inBrackets:
      index += 1
      return .all
    // Oniguruma reads a letter without a name as itself
    case "p" where dialect == .oniguruma && peek(1) != "{", "P" where dialect == .oniguruma && peek(1) != "{":
      return nil
    case "p", "P": return try property(inBrackets: inBrackets)
    default: return nil
    }
    index += 1
    return ("A"..."Z").contains(letter) ? set.inverted : set
  }

  private mutating func property(inBrackets: Bool) throws(PatternError) -> ScalarSet {
    let start = index - 1
    var isNegated = next == "P"
    index += 1
    var name = ""
    if skip("{") {
      if skip("^") { isNegated.toggle() }
      while let scalar = next, scalar != "}" {
        name.unicodeScalars.append(scalar)
        index += 1
      }
      guard skip("}") else { throw invalid("a property without \"}\"", at: start) }
    } else if let scalar = next, "CLMNPSZ".unicodeScalars.contains(scalar) {
      name.unicodeScalars.append(scalar)
      index += 1
    }
    if dialect == .fancyRegex {
      for prefix in ["Script=", "sc=", "gc=", "General_Category="] where name.hasPrefix(prefix) {
        name.removeFirst(prefix.utf8.count)
      }
    }
    guard var set = ScalarSet(property: name) else { throw unsupported("the property \"\(name)\"", at: start) }
    if dialect == .fancyRegex {
      guard !["graph", "print", "word"].contains(where: { ScalarSet.isProperty(name, $0) }) else {
        throw unsupported("the property \"\(name)\"", at: start)
      }
      if ignoresCase { set = set.withCaseVariants }
    }
    if !inBrackets, dialect == .oniguruma, set == .word { set = .bareWord }
    return isNegated ? set.inverted : set
  }

  /// Reads the part of an escape after the backslash that stands for one scalar.
  private mutating func scalarEscape() throws(PatternError) -> Unicode.Scalar {
    let start = index - 1
    guard let letter = next else { throw invalid("\"\\\" at the end", at: start) }
    index += 1
    switch letter {
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "f": return "\u{C}"
    case "v": return "\u{B}"
    case "a": return "\u{7}"
    case "e": return "\u{1B}"
    case "0":
      var value: UInt32 = 0
      for _ in 0..<2 {
        guard let digit = next, ("0"..."7").contains(digit) else { break }
        value = value * 8 + digit.value - 0x30
        index += 1
      }
      return try scalar(value, at: start)
    case "x", "u":
      if letter == "x" || dialect == .fancyRegex, skip("{") {
        let value = try hexadecimal(atMost: 8, at: start)
        guard skip("}") else { throw invalid("a code point without \"}\"", at: start) }
        return try scalar(value, at: start)
      }
      let first = index
      let value = try hexadecimal(atMost: letter == "x" ? 2 : 4, at: start)
      guard letter == "x" || index - first == 4 else {
        throw invalid("a code point of fewer than four digits", at: start)
      }
      guard letter == "u" || value < 0x80 || dialect == .fancyRegex else {
        throw unsupported("a byte that is not ASCII", at: start)
      }
      return try scalar(value, at: start)
    case "p" where dialect == .oniguruma, "P" where dialect == .oniguruma: return letter
    case "0"..."9", "a"..."z", "A"..."Z": throw unsupported("the escape \"\\\(letter)\"", at: start)
    default: return letter
    }
  }

  private mutating func hexadecimal(atMost count: Int, at start: Int) throws(PatternError) -> UInt32 {
    var value: UInt32 = 0
    var digits = 0
    while digits < count, let digit = next, let number = Character(digit).hexDigitValue, digit.isASCII {
      guard value < 1 << 28 else { throw invalid("a number that is not a Unicode scalar", at: start) }
      value = value << 4 | UInt32(number)
      index += 1
      digits += 1
    }
    guard digits > 0 else { throw invalid("a code point without digits", at: start) }
    return value
  }

  private func scalar(_ value: UInt32, at start: Int) throws(PatternError) -> Unicode.Scalar {
    guard let scalar = Unicode.Scalar(value) else {
      throw invalid("a number that is not a Unicode scalar", at: start)
    }
    return scalar
  }

  private struct Bracket {
    var set: ScalarSet
    var isNegated: Bool
  }

  /// Reads a bracket expression after its `[`. The variants of case are not yet added.
  private mutating func bracket() throws(PatternError) -> Bracket {
    let start = index - 1
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maxDepth else { throw unsupported("nesting deeper than \(Self.maxDepth)", at: start) }
    let isNegated = skip("^")
    var ranges: [ClosedRange<UInt32>] = []
    var intersected: ScalarSet?
    var isFirst = true
    while true {
      guard let scalar = next else { throw invalid("\"[\" without \"]\"", at: start) }
      let place = index
      index += 1
      if scalar == "]", !isFirst { break }
      isFirst = false
      if scalar == "[" {
        ranges += try nested(at: place).ranges
        continue
      }
      if scalar == "&", next == "&" {
        index += 1
        let operand = folded(ScalarSet(ranges))
        intersected = intersected?.intersection(operand) ?? operand
        ranges = []
        continue
      }
      if dialect == .fancyRegex, scalar == "-" || scalar == "~", next == scalar {
        throw unsupported("the difference of classes", at: place)
      }
      if scalar == "\\", let set = try classEscape(inBrackets: true) {
        ranges += set.ranges
        continue
      }
      let first = try bracketScalar(scalar)
      if dialect == .fancyRegex, next == "-", peek(1) == "-" {
        throw unsupported("the difference of classes", at: index)
      }
      guard next == "-", let after = peek(1), after != "]" else {
        ranges.append(first...first)
        continue
      }
      if after == "[" || after == "&" && peek(2) == "&" {
        ranges.append(first...first)
        continue
      }
      index += 2
      if after == "\\", try classEscape(inBrackets: true) != nil {
        throw invalid("a class at the end of a range", at: place)
      }
      let last = try bracketScalar(after)
      guard first <= last else { throw invalid("a range whose ends are out of order", at: place) }
      ranges.append(first...last)
    }
    let operand = folded(ScalarSet(ranges))
    return Bracket(set: intersected?.intersection(operand) ?? operand, isNegated: isNegated)
  }

  /// fancy-regex adds the variants of case before each operation, Oniguruma at the end.
  private func folded(_ set: ScalarSet) -> ScalarSet {
    dialect == .fancyRegex && ignoresCase ? set.withCaseVariants : set
  }

  private mutating func bracketScalar(_ scalar: Unicode.Scalar) throws(PatternError) -> UInt32 {
    guard scalar == "\\" else { return scalar.value }
    if skip("b") { return 8 }
    return try scalarEscape().value
  }

  /// Reads a POSIX bracket, or a bracket expression within another.
  private mutating func nested(at place: Int) throws(PatternError) -> ScalarSet {
    if next == ":", let end = scalars[index...].firstIndex(of: "]"), end > index + 1, scalars[end - 1] == ":" {
      var name = scalars[(index + 1)..<(end - 1)]
      let isNegated = name.first == "^"
      if isNegated { name.removeFirst() }
      var text = ""
      text.unicodeScalars.append(contentsOf: name)
      guard var set = ScalarSet(posix: text) else { throw invalid("an unknown POSIX bracket", at: place) }
      index = end + 1
      if dialect == .fancyRegex { set = folded(set.intersection(.ascii)) }
      return isNegated ? set.inverted : set
    }
    let inner = try bracket()
    return inner.isNegated ? inner.set.inverted : inner.set
  }
}

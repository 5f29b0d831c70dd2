extension ScalarSet {
  /// The set of the scalars with a property, or nil if the name is unknown. Case, spaces, `-` and `_` are ignored, as
  /// Oniguruma does.
  init?(property: String) {
    let name = Self.normalized(property)
    if let categories = Self.categoryNames(name) {
      self = Self.categories(categories)
    } else if let script = UnicodeProperties.scripts.firstIndex(where: {
      Self.normalized("\($0.0)") == name || Self.normalized("\($0.1)") == name
    }) {
      self = Self.runs(UnicodeProperties.scriptRuns) { $0 == UInt32(script) }
    } else if let set = Self.derived(name) {
      self = set
    } else if let other = UnicodeProperties.others.first(where: { Self.normalized("\($0.name)") == name }) {
      self.init(pairs: other.ranges)
    } else {
      return nil
    }
  }

  /// The class of a POSIX bracket such as `[:alpha:]`, or nil if the name is unknown.
  init?(posix name: String) {
    switch name {
    case "punct": self = Self.categories("PS")
    case "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "space", "upper", "xdigit", "word",
      "ascii":
      guard let set = Self.derived(name) else { return nil }
      self = set
    default: return nil
    }
  }

  static let ascii = ScalarSet([0...0x7F])
  static let whiteSpace = ScalarSet(property: "White_Space") ?? empty
  static let digits = categories("Nd")
  static let hexDigits = ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66])
  /// `\w` in brackets.
  static let word = alphabetic.union(categories("M")).union(digits).union(categories("Pc"))
  /// `\w` outside of brackets: Oniguruma has another table for the scalars below U+0100.
  static let bareWord = word.union(ScalarSet([0xB2...0xB3, 0xB9...0xB9, 0xBC...0xBE]))

  /// `\w` of fancy-regex (UTS 18, annex C).
  static let wordWithJoiners = word.union(ScalarSet([0x200C...0x200D]))

  private static let alphabetic = categories("L").union(categories("Nl")).symmetricDifference(
    ScalarSet(pairs: UnicodeProperties.alphabeticDifferences))

  /// Whether two names of properties are the same.
  static func isProperty(_ name: String, _ other: String) -> Bool { normalized(name) == other }

  private static func normalized(_ name: String) -> String {
    String(decoding: name.utf8.filter { $0 != 0x20 && $0 != 0x2D && $0 != 0x5F }.map(lowercased), as: UTF8.self)
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

  private static func runs(_ table: [UInt32], where isMember: (UInt32) -> Bool) -> ScalarSet {
    var ranges: [ClosedRange<UInt32>] = []
    for (index, word) in table.enumerated() where isMember(word & 0xFF) {
      let end = index + 1 < table.count ? table[index + 1] >> 8 - 1 : last
      ranges.append(word >> 8...end)
    }
    return ScalarSet(ranges)
  }

  /// - Parameter names: One short name of a category, such as `Lu`, or initials of groups, such as `PS`.
  private static func categories(_ names: String) -> ScalarSet {
    let isCategory = UnicodeProperties.categories.contains { "\($0)" == names }
    let members = UnicodeProperties.categories.map { category in
      isCategory ? "\(category)" == names : "\(category)".first.map { names.contains($0) } ?? false
    }
    return runs(UnicodeProperties.categoryRuns) { members[Int($0)] }
  }

  /// Returns the short name of a general category or of a group.
  private static func categoryNames(_ name: String) -> String? {
    if let short = UnicodeProperties.categories.first(where: { normalized("\($0)") == name }) { return "\(short)" }
    return longNames[name]
  }

  private static let longNames: [String: String] = [
    "l": "L", "letter": "L", "m": "M", "mark": "M", "combiningmark": "M", "n": "N", "number": "N", "p": "P",
    "punctuation": "P", "punct": "P", "s": "S", "symbol": "S", "z": "Z", "separator": "Z", "c": "C", "other": "C",
    "uppercaseletter": "Lu", "lowercaseletter": "Ll", "titlecaseletter": "Lt", "modifierletter": "Lm",
    "otherletter": "Lo", "nonspacingmark": "Mn", "spacingmark": "Mc", "enclosingmark": "Me", "decimalnumber": "Nd",
    "letternumber": "Nl", "othernumber": "No", "connectorpunctuation": "Pc", "dashpunctuation": "Pd",
    "openpunctuation": "Ps", "closepunctuation": "Pe", "initialpunctuation": "Pi", "finalpunctuation": "Pf",
    "otherpunctuation": "Po", "mathsymbol": "Sm", "currencysymbol": "Sc", "modifiersymbol": "Sk",
    "othersymbol": "So", "spaceseparator": "Zs", "lineseparator": "Zl", "paragraphseparator": "Zp", "control": "Cc",
    "format": "Cf", "privateuse": "Co", "unassigned": "Cn",
  ]

  private static func derived(_ name: String) -> ScalarSet? {
    switch name {
    case "any": all
    case "ascii": ascii
    case "assigned": categories("Cn").inverted
    case "lc", "casedletter": categories("Lu").union(categories("Ll")).union(categories("Lt"))
    case "alphabetic", "alpha": alphabetic
    case "lowercase", "lower":
      categories("Ll").symmetricDifference(ScalarSet(pairs: UnicodeProperties.lowercaseDifferences))
    case "uppercase", "upper":
      categories("Lu").symmetricDifference(ScalarSet(pairs: UnicodeProperties.uppercaseDifferences))
    case "space", "wspace": whiteSpace
    case "alnum": alphabetic.union(digits)
    case "blank": categories("Zs").union(ScalarSet(9))
    case "cntrl": categories("Cc")
    case "digit": digits
    case "graph": graph
    case "print": graph.union(categories("Zs"))
    case "xdigit": hexDigits
    case "word": word
    default: nil
    }
  }

  private static var graph: ScalarSet { whiteSpace.union(categories("Cc")).union(categories("Cn")).inverted }
}

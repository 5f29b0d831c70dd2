// Changes of case as in Python's `str`, by the full mappings of Unicode. A mapped scalar keeps its mark.

extension [MarkedScalar] {
  var uppercased: MarkedText { flatMap { $0.mapped($0.properties.uppercaseMapping) } }

  /// The lower-case text. A capital sigma at the end of a word becomes a final sigma (SpecialCasing.txt).
  var lowercased: MarkedText {
    var result: MarkedText = []
    for (index, scalar) in enumerated() {
      if scalar.value == 0x3A3, isFinalSigma(at: index) {
        result.append(MarkedScalar(0x3C2, isInput: scalar.isInput))
      } else {
        result += scalar.mapped(scalar.properties.lowercaseMapping)
      }
    }
    return result
  }

  /// The first scalar in title case, the others in lower case.
  var capitalized: MarkedText {
    guard let first else { return [] }
    return first.mapped(first.properties.titlecaseMapping)
      + MarkedText(lowercased.dropFirst(MarkedText([first]).lowercased.count))
  }

  /// Each word in title case; a word is a run of cased scalars, as in Python's `str.title`.
  var titlecased: MarkedText {
    var isInWord = false
    var result: MarkedText = []
    for scalar in self {
      let properties = scalar.properties
      result += scalar.mapped(isInWord ? properties.lowercaseMapping : properties.titlecaseMapping)
      isInWord = properties.isCased
    }
    return result
  }

  private func isFinalSigma(at index: Int) -> Bool {
    let before = self[..<index].last { !$0.properties.isCaseIgnorable }
    let after = self[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    return before?.properties.isCased ?? false && !(after?.properties.isCased ?? false)
  }

  /// True if the text has cased scalars, and all of them are lower-case.
  var isLowercase: Bool {
    contains { $0.properties.isCased } && !contains { $0.properties.isUppercase || $0.isTitlecase }
  }

  /// True if the text has cased scalars, and all of them are upper-case.
  var isUppercase: Bool {
    contains { $0.properties.isCased } && !contains { $0.properties.isLowercase || $0.isTitlecase }
  }
}

extension MarkedScalar {
  fileprivate func mapped(_ mapping: String) -> MarkedText {
    mapping.unicodeScalars.map { MarkedScalar($0.value, isInput: isInput) }
  }

  fileprivate var isTitlecase: Bool { properties.generalCategory == .titlecaseLetter }
}

/// A limit of the factor by which the components of a file can make a text longer, which bounds memory and time.
/// Published tokenizers stay below 128.
struct GrowthLimit {
  static let factor = 1 << 12

  private var growth = 1

  /// Adds a component. Returns false if the limit is exceeded.
  mutating func add(_ factor: Int) -> Bool {
    let (product, isTooLarge) = growth.multipliedReportingOverflow(by: max(1, factor))
    growth = isTooLarge ? Int.max : product
    return growth <= Self.factor
  }

  /// Throws an error if the components exceed the limit.
  static func check(_ normalizers: [Normalizer], _ steps: [PreTokenizerStep]) throws(VocabularyError) {
    var limit = GrowthLimit()
    guard normalizers.allSatisfy({ limit.add($0.growth) }), steps.allSatisfy({ limit.add($0.growth) }) else {
      throw VocabularyError(reason: "normalizer and pre-tokenizer can make a text more than \(factor) times as long")
    }
  }
}

/// A limit of the factor by which the components of a file can make a text longer, which bounds memory and time.
/// Published tokenizers stay below 64.
struct GrowthLimit {
  static let factor = 1 << 12

  private var growth = 1

  /// Adds a component. Returns false if the limit is exceeded.
  mutating func add(_ factor: Int) -> Bool {
    growth = growth.multipliedReportingOverflow(by: max(1, factor)).overflow ? Int.max : growth * max(1, factor)
    return growth <= Self.factor
  }
}

/// The pre-tokenizer `Metaspace` of tokenizer.json: replaces each space by `▁`, adds one before the text, and splits
/// before each (`tokenizers`, pre_tokenizers/metaspace.rs).
package struct Metaspace: Sendable {
  package enum PrependScheme: Sendable {
    case always
    /// Only before the part of the text that begins at its start.
    case first
    /// Before each part of the text but the one that begins at its start.
    case exceptFirst
    case never
  }

  /// The character in place of a space, in UTF-8.
  let replacement: [UInt8]
  let prependScheme: PrependScheme
  let splits: Bool

  /// - Parameter replacement: `▁` if nil.
  package init(replacement: [UInt8]? = nil, prependScheme: PrependScheme = .always, splits: Bool = true) {
    self.replacement = replacement ?? SafeSplitting.mark
    self.prependScheme = prependScheme
    self.splits = splits
  }

  /// The same without a `replacement` before the text. If the text was split before, its other parts still have one.
  var withoutPrefix: Metaspace {
    Metaspace(
      replacement: replacement, prependScheme: prependScheme == .always ? .exceptFirst : .never, splits: splits)
  }

  /// Returns a part of a text with its spaces replaced, and with a `replacement` before it if the scheme requires it
  /// and the part does not begin with one.
  ///
  /// - Parameter isFirst: True if the part begins at the start of the original text.
  package func transform(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, isFirst: Bool, recordsChanges: Bool = false
  ) -> NormalizedText {
    var rewriter = TextRewriter(text, range, recordsChanges: recordsChanges)
    transform(&rewriter, isFirst: isFirst)
    return rewriter.result()
  }

  func transform(_ rewriter: inout TextRewriter, isFirst: Bool) {
    let (text, range) = (rewriter.text, rewriter.range)
    guard !range.isEmpty else { return }
    let space = UInt8(ascii: " ")
    let isMarked = text[range.lowerBound] == space || text[range].starts(with: replacement)
    let hasPrefix =
      switch prependScheme {
      case .always: true
      case .first: isFirst
      case .exceptFirst: !isFirst
      case .never: false
      }
    if !isMarked, hasPrefix {
      rewriter.replace(range.lowerBound..<range.lowerBound, with: replacement)
    }
    for index in range where text[index] == space { rewriter.replace(index..<index + 1, with: replacement) }
  }

  /// Returns the end of the pre-token that begins at `start` of a transformed text: the next `replacement`, or the end
  /// of the text.
  package func preTokenEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    guard splits, let first = replacement.first else { return text.count }
    var index = start + 1
    while index < text.count {
      if text[index] == first, text[index...].starts(with: replacement) { return index }
      index += 1
    }
    return index
  }
}

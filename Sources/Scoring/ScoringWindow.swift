/// A part of a sequence that the model processes at once, and the positions in it whose distributions are used.
///
/// A sequence that is longer than the window is scored in windows that overlap: each begins `stride` tokens after the
/// one before it, and scores only the tokens after the end of that one. So each token is scored once, with at least
/// `length - stride` tokens before it, except in the first window. This is the sliding-window recipe of transformers
/// (https://huggingface.co/docs/transformers/perplexity).
public struct ScoringWindow: Equatable, Sendable {
  /// The tokens of the window.
  public let tokens: Range<Int>
  /// The positions whose distributions are used: each is that of the token after it.
  public let positions: Range<Int>

  /// Returns the windows of a sequence.
  ///
  /// - Parameters:
  ///   - count: the number of tokens in the sequence; at least 1.
  ///   - first: the first token to score. The token 0 has no context and is not scored.
  ///   - length: the greatest number of tokens in a window.
  ///   - stride: the distance between the beginnings of windows, 1 to `length - 1`; any number if the sequence fits one
  ///     window.
  public static func windows(
    of count: Int, scoringFrom first: Int, length: Int, stride: Int
  ) -> [ScoringWindow] {
    precondition(count >= 1 && length >= 1 && (count <= length || 1..<length ~= stride))
    var windows: [ScoringWindow] = []
    var begin = 0
    var next = max(first, 1) - 1  // the first position that is not used yet
    while true {
      let end = min(begin + length, count)
      // The last position of a window predicts the first token that the next window scores, with less context.
      let limit = end == count ? count : end - 1
      if next < limit {
        windows.append(ScoringWindow(tokens: begin..<end, positions: next..<limit))
        next = limit
      }
      guard end < count else { return windows }
      begin += stride
    }
  }
}

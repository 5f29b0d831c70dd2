import LanguageModel

/// The ids that every program is given for a pass of so many positions.
func passIDs(_ count: Int, below vocabulary: Int) -> [Int] {
  (0..<count).map { (7 * $0 + 11) % min(40_000, vocabulary) }
}

/// The arithmetic of `lm-logits`, and of `lm-logits --all`, without reading and printing. The answer is the likeliest
/// token after the last position.
func measurePass(_ model: Transformer, positions: Int, everyLogit: Bool, times: Int) throws -> Reply {
  let ids = passIDs(positions, below: model.configuration.vocabularySize)
  let wanted = (everyLogit ? 0 : positions - 1)..<positions
  var likeliest = 0
  var reply = try Reply(times: times) {
    try model.forward(ids, model.makeSinglePassCache(), logitsAt: wanted) { position, logits in
      guard position == positions - 1 else { return }
      likeliest = logits.indices.max { logits[$0] < logits[$1] } ?? 0
    }
  }
  reply.answer = [likeliest]
  return reply
}

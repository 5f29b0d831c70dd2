import LanguageModel

/// Returns the ids that all programs process in a pass of `count` positions.
func passIDs(_ count: Int, below vocabulary: Int) -> [Int] {
  (0..<count).map { (7 * $0 + 11) % min(40_000, vocabulary) }
}

/// Measures the arithmetic of `lm-logits`, or of `lm-logits --all`, without input and output. The answer is the most
/// likely token after the last position.
func measurePass(_ model: Transformer, positions: Int, everyLogit: Bool, times: Int) throws -> Reply {
  let ids = passIDs(positions, below: model.shape.vocabularySize)
  let logitPositions = (everyLogit ? 0 : positions - 1)..<positions
  var last = 0
  var reply = try Reply(times: times) {
    try model.forward(ids, model.makeSinglePassCache(), logitsAt: logitPositions) { position, logits in
      if position == positions - 1 { last = mostLikely(logits) }
    }
  }
  reply.answer = [last]
  return reply
}

/// Measures the arithmetic of `lm-step -n COUNT` after a prompt of eight ids, without input, detokenization and output,
/// for models without a tokenizer. The answer is the ids of the new tokens.
func measureSteps(_ model: Transformer, count: Int, times: Int) throws -> Reply {
  var tokens: [Int] = []
  var reply = try Reply(times: times) {
    let cache = model.makeCache()
    tokens = []
    var new = Array(100..<108)
    for _ in 0..<count {
      let last = cache.count + new.count - 1
      try model.forward(new, cache, logitsAt: last..<last + 1) { new = [mostLikely($1)] }
      tokens += new
    }
  }
  reply.answer = tokens
  return reply
}

/// Measures the arithmetic of a step of `lm-step` that verifies a draft: `positions` positions with their logits, after
/// `context` positions. The answer is the most likely token after each.
func measureVerification(_ model: Transformer, positions: Int, context: Int, times: Int) throws -> Reply {
  let ids = passIDs(context + positions, below: model.shape.vocabularySize)
  let cache = model.makeCache()
  if context > 0 { try model.forward(Array(ids[..<context]), cache, logitsAt: context - 1..<context) { _, _ in } }
  var tokens: [Int] = []
  var reply = try Reply(times: times) {
    tokens = []
    cache.reusePrefix(of: Array(ids[...context]))
    try model.forward(Array(ids[context...]), cache, logitsAt: context..<context + positions) {
      tokens.append(mostLikely($1))
    }
  }
  reply.answer = tokens
  return reply
}

private func mostLikely(_ logits: UnsafeBufferPointer<Float>) -> Int {
  logits.indices.max { logits[$0] < logits[$1] } ?? 0
}

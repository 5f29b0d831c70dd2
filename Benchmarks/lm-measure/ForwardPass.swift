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
  var last = 0
  var reply = try Reply(times: times) {
    try model.forward(ids, model.makeSinglePassCache(), logitsAt: wanted) { position, logits in
      if position == positions - 1 { last = mostLikely(logits) }
    }
  }
  reply.answer = [last]
  return reply
}

/// What `lm-step -n COUNT` computes behind a prompt of eight, without reading, tokens' texts and printing: for models
/// without a tokenizer. The answer is the tokens.
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

private func mostLikely(_ logits: UnsafeBufferPointer<Float>) -> Int {
  logits.indices.max { logits[$0] < logits[$1] } ?? 0
}

import JSON

// Members that several tools use (lm-records(5)).

extension Record {
  /// Reads the member `ids`; nil if it is missing or null.
  public func ids() throws(JSONError) -> [Int]? {
    guard var scanner = try value(of: "ids") else { return nil }
    return try scanner.integers()
  }

  /// Reads the member `logits`, an array of numbers or a base64 string; nil if it is missing or null.
  public func logits() throws(JSONError) -> [Float]? {
    guard let source = try source(of: "logits") else { return nil }
    var scanner = scanner(of: source)
    guard try scanner.kind() == .string else { return try scanner.floats() }
    // Base64 needs no escapes, so the source text is tried first; escapes are resolved only if it is not valid.
    if let logits = floats(base64: UnsafeBufferPointer(rebasing: line[source].dropFirst().dropLast())) { return logits }
    let text = try scanner.string()
    var characters: [UInt8] = []
    guard text.hasEscapes, scanner.decode(text, into: &characters),
      let logits = characters.withUnsafeBufferPointer({ floats(base64: $0) })
    else { throw scanner.failure("\"logits\" is not base64 of float32 numbers", at: text.range.lowerBound) }
    return logits
  }

  /// Reads the member `prompt`, the number of ids before the first `lm-step`; nil if it is missing or not a number: a
  /// member of this name with another value is not from these tools.
  public func prompt() throws(JSONError) -> Int? {
    guard var value = try value(of: "prompt"), try value.kind() == .number else { return nil }
    let count = try value.integer()
    guard count >= 0 else { throw value.failure("\"prompt\" is \(count); it must be 0 or more") }
    return count
  }

  /// Reads the member `seed`; nil if it is missing or null.
  public func seed() throws(JSONError) -> UInt64? {
    guard var scanner = try value(of: "seed") else { return nil }
    let seed = try scanner.integer()
    guard Self.seeds.contains(seed) else {
      throw scanner.failure("\"seed\" is \(seed); it must be from 0 to \(Self.seeds.upperBound)")
    }
    return UInt64(seed)
  }

  /// The range of seeds. All seeds are exact in float64, which jq and JavaScript use for all numbers.
  public static let seeds = 0...(1 << 53) - 1

  /// Reads a string member and returns its characters as UTF-8; nil if it is missing or null.
  public func string(_ name: String) throws(JSONError) -> [UInt8]? {
    guard var scanner = try value(of: name) else { return nil }
    let text = try scanner.string()
    var characters: [UInt8] = []
    guard scanner.decode(text, into: &characters) else {
      throw scanner.failure(
        "\"\(name)\" contains an unpaired surrogate", at: text.range.lowerBound)
    }
    return characters
  }
}

extension ByteBuffer {
  /// Appends an array of integers.
  public func append(json numbers: some Collection<Int>) {
    append(UInt8(ascii: "["))
    var isFirst = true
    for number in numbers {
      if !isFirst { append(UInt8(ascii: ",")) }
      isFirst = false
      append(json: number)
    }
    append(UInt8(ascii: "]"))
  }
}

extension ByteBuffer {
  /// Appends an array of numbers, with `null` for nil.
  public func append(json numbers: [Float?]) {
    append(UInt8(ascii: "["))
    for (index, number) in numbers.enumerated() {
      if index > 0 { append(UInt8(ascii: ",")) }
      if let number { append(json: number) } else { append("null") }
    }
    append(UInt8(ascii: "]"))
  }
}

extension Record {
  /// The members that lm-score adds besides `logprobs`.
  public static let scoreMembers = [
    "surprisals", "ranks", "entropies", "space_logprobs", "predictions", "word_scores", "text_score",
  ]
}

extension Record.Change {
  /// Drops the members that are stale after a change of `ids`, unless an earlier change sets them.
  public static var staleWithNewIDs: [Record.Change] {
    [
      .drop("logits"), .drop("position"), .dropNumber("layer"), .drop("topk"), .drop("continuations"), .drop("other_p"),
      .dropNumber("new_logprob"), .drop("attentions"), .drop("nearest"), .drop("tokens"), .drop("offsets"),
      .drop("attention_mask"), .drop("logprobs"),
    ] + Record.scoreMembers.map(Record.Change.drop)
  }

  /// Drops the members that are stale if `ids` are replaced by another sequence, not only extended.
  public static var staleWithOtherSequence: [Record.Change] {
    staleWithNewIDs + [.drop("next"), .drop("done"), .dropNumber("prompt")]
  }
}

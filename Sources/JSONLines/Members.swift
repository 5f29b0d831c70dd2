import JSON

// The members of a record that the tools share (lm-records(5)).

extension Record {
  /// `ids`; nil where there are none.
  public func ids() throws(JSONError) -> [Int]? {
    guard var scanner = try value(of: "ids") else { return nil }
    return try scanner.integers()
  }

  /// `logits`, from an array or from base64; nil where there are none.
  public func logits() throws(JSONError) -> [Float]? {
    guard let source = try source(of: "logits") else { return nil }
    var scanner = scanner(of: source)
    guard try scanner.kind() == .string else { return try scanner.floats() }
    // Base64 has no need of escapes, so the characters are those between the quotation marks, or else to be resolved.
    if let logits = floats(base64: UnsafeBufferPointer(rebasing: line[source].dropFirst().dropLast())) { return logits }
    let text = try scanner.string()
    var characters: [UInt8] = []
    guard text.hasEscapes, scanner.decode(text, into: &characters),
      let logits = characters.withUnsafeBufferPointer({ floats(base64: $0) })
    else { throw scanner.failure("\"logits\" is not the base64 of float32 numbers", at: text.range.lowerBound) }
    return logits
  }

  /// `seed`; nil where there is none.
  public func seed() throws(JSONError) -> UInt64? {
    guard var scanner = try value(of: "seed") else { return nil }
    let seed = try scanner.integer()
    guard Self.seeds.contains(seed) else {
      throw scanner.failure("\"seed\" is \(seed), which is not between 0 and \(Self.seeds.upperBound)")
    }
    return UInt64(seed)
  }

  /// What a seed can be: programs that read all numbers as float64 read these rightly.
  public static let seeds = 0...(1 << 53) - 1

  /// A member that is a string; nil where there is none.
  public func string(_ name: String) throws(JSONError) -> [UInt8]? {
    guard var scanner = try value(of: name) else { return nil }
    let text = try scanner.string()
    var characters: [UInt8] = []
    guard scanner.decode(text, into: &characters) else {
      throw scanner.failure(
        "\"\(name)\" has half of a surrogate pair, which is no character", at: text.range.lowerBound)
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
  /// Appends an array of numbers, null for those that are not there.
  public func append(json numbers: [Float?]) {
    append(UInt8(ascii: "["))
    for (index, number) in numbers.enumerated() {
      if index > 0 { append(UInt8(ascii: ",")) }
      if let number { append(json: number) } else { append("null") }
    }
    append(UInt8(ascii: "]"))
  }
}

extension Record.Change {
  /// What becomes stale when `ids` change, unless the change itself sets it.
  public static var dropsOfNewIDs: [Record.Change] {
    [
      .drop("logits"), .drop("position"), .drop("topk"), .drop("tokens"), .drop("offsets"), .drop("attention_mask"),
      .drop("logprobs"),
    ]
  }

  /// What becomes stale as well when the ids are those of another sequence, and not of this one a step on.
  public static var dropsOfAnotherSequence: [Record.Change] {
    dropsOfNewIDs + [.drop("next"), .drop("done"), .dropNumber("prompt")]
  }
}

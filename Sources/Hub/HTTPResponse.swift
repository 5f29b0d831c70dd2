/// The head of an HTTP answer: its status and its fields.
struct ResponseHead: Equatable {
  let status: Int
  /// By name in lower case; of several fields of one name the last counts.
  let fields: [String: String]

  /// Whether another head follows it where redirections are followed.
  var isInterim: Bool { status < 200 || ((300..<400).contains(status) && fields["location"] != nil) }

  /// Reads the lines of a head; nil where they are none.
  init?(_ lines: [Substring]) {
    guard let words = lines.first?.split(separator: " "), words.count >= 2, words[0].hasPrefix("HTTP/"),
      let status = Int(words[1])
    else { return nil }
    self.status = status
    fields = lines.dropFirst().reduce(into: [:]) { fields, line in
      guard let colon = line.firstIndex(of: ":") else { return }
      fields[line[..<colon].lowercased()] = String(line[line.index(after: colon)...]).trimmed
    }
  }

  /// Where in the whole file the body begins, after a request for a part of it: `Content-Range: bytes 100-299/300`.
  var contentStart: Int? {
    guard let words = fields["content-range"]?.split(separator: " "), words.count == 2, words[0] == "bytes" else {
      return nil
    }
    return words[1].split(separator: "-").first.flatMap { Int($0) }
  }
}

/// Takes apart what `curl --include --location` writes: the heads of redirections and interim answers, the last head, and
/// its body.
struct ResponseReader {
  /// The last head so far; the answer's, once its body has begun.
  private(set) var head: ResponseHead?
  private var pending: [UInt8] = []
  private var isInBody = false

  /// The heads of one answer may not be longer.
  private static let limit = 1 << 18

  /// - Parameters:
  ///   - begin: is given the last head.
  ///   - body: takes what follows it.
  mutating func take(
    _ bytes: UnsafeRawBufferPointer, begin: (ResponseHead) throws(HubError) -> Void,
    body: (UnsafeRawBufferPointer) throws(HubError) -> Void
  ) throws(HubError) {
    if isInBody { return try body(bytes) }
    pending += bytes
    while !isInBody, let end = Self.endOfHead(pending) {
      let text = String(decoding: pending[..<end], as: UTF8.self)
      guard let head = ResponseHead(text.split(whereSeparator: \.isNewline)) else {
        throw HubError(.unavailable, "the server does not speak HTTP")
      }
      self.head = head
      isInBody = !head.isInterim
      pending.removeFirst(end)
    }
    if isInBody, let head {
      try begin(head)
      let rest = pending
      pending = []
      guard !rest.isEmpty else { return }
      try rest.withUnsafeBufferPointer { bytes throws(HubError) in try body(UnsafeRawBufferPointer(bytes)) }
    } else if pending.count > Self.limit {
      throw HubError(.unavailable, "the server's answer has no end of its head")
    }
  }

  /// Behind the blank line that ends a head.
  private static func endOfHead(_ bytes: [UInt8]) -> Int? {
    var index = 0
    while let newline = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) {
      index = newline + 1
      if bytes[index...].first == UInt8(ascii: "\n") { return index + 1 }
      if bytes[index...].starts(with: [UInt8(ascii: "\r"), UInt8(ascii: "\n")]) { return index + 2 }
    }
    return nil
  }
}

extension String {
  /// Without white space at either end.
  var trimmed: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}

/// The head of an HTTP response: its status and its header fields.
struct ResponseHead: Equatable {
  let status: Int
  /// The values of the fields by their names in lower case. If a field is repeated, its last value is used.
  let fields: [String: String]

  /// True if another head follows: in interim responses and redirections.
  var isInterim: Bool { status < 200 || ((300..<400).contains(status) && fields["location"] != nil) }

  /// Parses the lines of a head; nil if they are not HTTP.
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

  /// The offset of the body in the whole file, in the response to a range request: 100 for
  /// `Content-Range: bytes 100-299/300`.
  var contentStart: Int? {
    guard let words = fields["content-range"]?.split(separator: " "), words.count == 2, words[0] == "bytes" else {
      return nil
    }
    return words[1].split(separator: "-").first.flatMap { Int($0) }
  }
}

/// Parses the output of `curl --include --location`: the heads of redirections and interim responses, the final head,
/// and its body.
struct ResponseReader {
  /// The last head so far; the final head once the body has begun.
  private(set) var head: ResponseHead?
  private var pending: [UInt8] = []
  private var isInBody = false

  /// The maximum length of a head in bytes.
  private static let limit = 1 << 18

  /// Parses the next bytes of the output.
  ///
  /// - Parameters:
  ///   - begin: called with the final head.
  ///   - body: called with the bytes after the final head.
  mutating func take(
    _ bytes: UnsafeRawBufferPointer, begin: (ResponseHead) throws(HubError) -> Void,
    body: (UnsafeRawBufferPointer) throws(HubError) -> Void
  ) throws(HubError) {
    if isInBody { return try body(bytes) }
    pending += bytes
    while !isInBody, let end = Self.endOfHead(pending) {
      let text = String(decoding: pending[..<end], as: UTF8.self)
      guard let head = ResponseHead(text.split(whereSeparator: \.isNewline)) else {
        throw HubError(.unavailable, "the server's response is not HTTP")
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
      throw HubError(.unavailable, "the header of the server's response is longer than \(Self.limit >> 10) KiB")
    }
  }

  /// Returns the index after the blank line that ends the head, or nil if the head is incomplete.
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
  /// The string without leading and trailing white space.
  var trimmed: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}

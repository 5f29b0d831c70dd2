import CPlatform
import Platform

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

  /// The range of the body in the whole file and the size of the file, in the response to a range request: 100..<300
  /// and 400 for `Content-Range: bytes 100-299/400`. The size is nil if the server does not know it.
  var contentRange: (range: Range<Int>, size: Int?)? {
    guard let words = fields["content-range"]?.split(separator: " "), words.count == 2, words[0] == "bytes" else {
      return nil
    }
    let parts = words[1].split(separator: "/")
    let ends = parts.first?.split(separator: "-", omittingEmptySubsequences: false) ?? []
    guard parts.count == 2, ends.count == 2, let first = Int(ends[0]), let last = Int(ends[1]), first >= 0,
      first <= last, last < .max
    else { return nil }
    return (first..<last + 1, Int(parts[1]))
  }

  /// The time in seconds after which a rate limit allows requests again, from the field `RateLimit` of the hub
  /// (`"api";r=0;t=45`: draft-ietf-httpapi-ratelimit-headers-09) or from `Retry-After`; nil if the head states none.
  var secondsToWait: Int? {
    if let limit = fields["ratelimit"], parameter("r", of: limit) == 0, let seconds = parameter("t", of: limit) {
      return seconds + 1  // the time is rounded
    }
    return fields["retry-after"].flatMap { Int($0) }
  }

  /// Returns an integer parameter of a structured field: 45 for `t` of `"api";r=0;t=45`.
  private func parameter(_ name: String, of field: String) -> Int? {
    for part in field.split(separator: ";") {
      let words = part.split(separator: "=")
      if words.count == 2, String(words[0]).trimmed == name, let value = Int(String(words[1]).trimmed) {
        return (0...1_000_000).contains(value) ? value : nil
      }
    }
    return nil
  }
}

/// What curl reports after a transfer (`--write-out`).
struct TransferReport: Equatable {
  /// The exit status that curl has for this transfer.
  let exitCode: Int32
  /// The status of the proxy's response to CONNECT; 0 without a proxy.
  let connectStatus: Int
  /// The size of the body in bytes. curl writes the trailers of a chunked body after the body, so that more bytes can
  /// have arrived.
  let bodySize: Int
  /// The host and port of the last request of a redirection.
  let host: String
  /// True if the last request used TLS.
  let usesTLS: Bool
  /// The description of a failure.
  let message: String

  /// The format for curl.
  static let format = "%{exitcode} %{http_connect} %{size_download} %{url_effective} %{errormsg}"

  init?(_ text: String) {
    let words = text.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
    guard words.count == 5, let exitCode = Int32(words[0]), let connectStatus = Int(words[1]),
      let bodySize = Double(words[2]).flatMap({ Int(exactly: $0) })
    else { return nil }
    (self.exitCode, self.connectStatus, self.bodySize) = (exitCode, connectStatus, bodySize)
    let address = words[3].firstRange(of: "://").map { words[3][$0.upperBound...] } ?? words[3]
    let authority = address.prefix { !"/?#".contains($0) }
    usesTLS = words[3].lowercased().hasPrefix("https://")
    host = String(authority.split(separator: "@", omittingEmptySubsequences: false).last ?? "")
    message = String(words[4]).trimmed
  }
}

/// Parses the output of curl for several transfers: for each of them the heads of redirections and interim responses,
/// the final head, the body, and the report.
struct ResponseReader {
  enum Event {
    /// The final head of a response.
    case head(ResponseHead)
    /// Bytes of the body, or of its trailers. Valid during the call.
    case body(UnsafeRawBufferPointer)
    /// The end of a transfer.
    case end(TransferReport)
  }

  /// A random text that separates the transfers, so that no body can contain it.
  let marker: String
  private let start: [UInt8]
  private let stop: [UInt8]
  private var pending: [UInt8] = []
  private var state = State.head

  private enum State {
    case head, body, report
  }

  /// The maximum length of a head in bytes.
  private static let limit = 1 << 18

  init(marker: String) {
    self.marker = marker
    start = Array("\n\(marker) ".utf8)
    stop = Array(" \(marker)\n".utf8)
  }

  /// The format for `--write-out`.
  var format: String { "\\n\(marker) \(TransferReport.format) \(marker)\\n" }

  /// Parses the next bytes of the output.
  mutating func take(_ bytes: UnsafeRawBufferPointer, _ handle: (Event) throws(HubError) -> Void) throws(HubError) {
    if state == .body, pending.isEmpty {
      // The usual case: the bytes are passed on without a copy.
      let end = Self.find(start, in: bytes) ?? bytes.count - Self.overlap(bytes, start)
      if end > 0 { try handle(.body(UnsafeRawBufferPointer(rebasing: bytes[..<end]))) }
      pending = Array(bytes[end...])
    } else {
      pending += bytes
    }
    while try step(handle) {}
  }

  /// Parses a part of the pending bytes.
  ///
  /// - Returns: false if more bytes are needed.
  private mutating func step(_ handle: (Event) throws(HubError) -> Void) throws(HubError) -> Bool {
    switch state {
    case .head:
      let end = find(start)
      if let next = Self.endOfHead(pending), next <= end ?? .max {
        let text = String(decoding: pending[..<next], as: UTF8.self)
        guard let head = ResponseHead(text.split(whereSeparator: \.isNewline)) else {
          throw HubError(.unavailable, "the server's response is not HTTP")
        }
        pending.removeFirst(next)
        if !head.isInterim {
          state = .body
          try handle(.head(head))
        }
        return true
      }
      if let end { return beginReport(at: end) }
      guard pending.count <= Self.limit else {
        throw HubError(.unavailable, "the header of the server's response is longer than \(Self.limit >> 10) KiB")
      }
      return false
    case .body:
      let end = find(start)
      let count = end ?? pending.count - pending.withUnsafeBytes { Self.overlap($0, start) }
      if count > 0 {
        let body = Array(pending[..<count])
        try body.withUnsafeBufferPointer { bytes throws(HubError) in try handle(.body(UnsafeRawBufferPointer(bytes))) }
        pending.removeFirst(count)
      }
      return end == nil ? false : beginReport(at: 0)
    case .report:
      guard let end = find(stop) else {
        guard pending.count <= Self.limit else { throw HubError(.unavailable, "curl's report is too long") }
        return false
      }
      let text = String(decoding: pending[..<end], as: UTF8.self)
      pending.removeFirst(end + stop.count)
      state = .head
      guard let report = TransferReport(text) else {
        throw HubError(.unavailable, "curl 7.75 or later is required; this one does not report its transfers")
      }
      try handle(.end(report))
      return true
    }
  }

  private mutating func beginReport(at index: Int) -> Bool {
    pending.removeFirst(index + start.count)
    state = .report
    return true
  }

  private func find(_ text: [UInt8]) -> Int? { pending.withUnsafeBytes { Self.find(text, in: $0) } }

  private static func find(_ text: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
    guard let base = bytes.baseAddress, let found = lmpipe_find(base, bytes.count, text, text.count) else { return nil }
    return UnsafeRawPointer(found) - base
  }

  /// Returns the length of the longest end of `bytes` with which `text` begins.
  private static func overlap(_ bytes: UnsafeRawBufferPointer, _ text: [UInt8]) -> Int {
    for count in stride(from: min(text.count - 1, bytes.count), to: 0, by: -1)
    where bytes[bytes.count - count] == text[0] && bytes.suffix(count).elementsEqual(text.prefix(count)) {
      return count
    }
    return 0
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

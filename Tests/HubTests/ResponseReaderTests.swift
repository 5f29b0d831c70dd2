import Testing

@testable import Hub

/// Parses the output of curl in chunks of different sizes.
@Suite struct ResponseReaderTests {
  private enum Part: Equatable {
    case head(Int)
    case body(String)
    case end(TransferReport)
  }

  private static let marker = "--lmpipe-0123"

  private static func report(_ text: String) -> String { "\n\(marker) \(text) \(marker)\n" }

  /// - Returns: the events, with adjacent parts of a body joined.
  private func read(_ text: String, chunkSize: Int) throws -> [Part] {
    var reader = ResponseReader(marker: Self.marker)
    var parts: [Part] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: chunkSize) {
      try bytes[start..<min(start + chunkSize, bytes.count)].withUnsafeBytes { chunk in
        try reader.take(chunk) { event in
          switch event {
          case .head(let head): parts.append(.head(head.status))
          case .body(let bytes):
            let text = String(decoding: bytes, as: UTF8.self)
            if case .body(let before)? = parts.last {
              parts[parts.count - 1] = .body(before + text)
            } else {
              parts.append(.body(text))
            }
          case .end(let report): parts.append(.end(report))
          }
        }
      }
    }
    return parts
  }

  @Test(arguments: [1, 2, 3, 7, 40, 1000])
  func separatesTransfers(_ chunkSize: Int) throws {
    let first = "0 0 33 https://user:pw@host:1/x?y "
    let second = "18 0 5 http://127.0.0.1:8080/a transfer closed with 7 bytes remaining to read"
    let parts = try read(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/2 302 \r\nlocation: /x\r\n\r\nHTTP/1.1 206 Partial Content\r\n"
        + "ETag: \"a:b\"\r\n\r\nHTTP/1.1 is\r\n\r\n\n--lmpipe-012 body" + Self.report(first)
        + "HTTP/1.1 200 OK\nContent-Length: 12\n\nshort" + Self.report(second) + Self.report("6 0 0 http://nowhere/ x"),
      chunkSize: chunkSize)
    let reports = try [first, second, "6 0 0 http://nowhere/ x"].map { try #require(TransferReport($0)) }
    #expect(
      parts == [
        .head(206), .body("HTTP/1.1 is\r\n\r\n\n--lmpipe-012 body"), .end(reports[0]), .head(200), .body("short"),
        .end(reports[1]), .end(reports[2]),
      ])
    #expect(reports.map(\.host) == ["host:1", "127.0.0.1:8080", "nowhere"])
    #expect(reports.map(\.exitCode) == [0, 18, 6] && reports.map(\.bodySize) == [33, 5, 0])
    #expect(reports[1].message == "transfer closed with 7 bytes remaining to read")
  }

  @Test func redirectionWithoutLocationIsFinal() throws {
    #expect(try read("HTTP/1.1 304 Not Modified\n\nx\n", chunkSize: 1) == [.head(304), .body("x")])
  }

  @Test func rejectsOtherProtocols() {
    #expect(throws: HubError.self) { try read("SSH-2.0-OpenSSH\r\n\r\n", chunkSize: 100) }
    #expect(throws: HubError.self) {
      try read(String(repeating: "HTTP/1.1 200 OK\r\n", count: 20_000), chunkSize: 4096)
    }
  }

  /// curl before 7.75 does not know some of the variables.
  @Test func rejectsOldVersionsOfCurl() {
    let error = #expect(throws: HubError.self) {
      try read("HTTP/1.1 200 OK\n\n" + Self.report(" 0 5 http://host/"), chunkSize: 100)
    }
    #expect(error?.message.contains("curl 7.75 or later") == true)
  }

  @Test(arguments: ["bytes */10", "bytes 5 -9/10", "lines 5-9/10", "bytes a-b/c", "", "bytes 9-5/10", "bytes 5-9"])
  func rejectsInvalidContentRange(_ value: String) throws {
    #expect(ResponseHead(["HTTP/1.1 206 x", "Content-Range: \(value)"])?.contentRange == nil)
  }

  @Test func readsContentRanges() {
    let known = ResponseHead(["HTTP/1.1 206 x", "Content-Range: bytes 5-9/10"])?.contentRange
    #expect(known?.range == 5..<10 && known?.size == 10)
    let unknown = ResponseHead(["HTTP/1.1 206 x", "Content-Range: bytes 0-0/*"])?.contentRange
    #expect(unknown?.range == 0..<1 && unknown?.size == nil)
  }

  @Test(arguments: [
    ("RateLimit: \"api\";r=0;t=45", 46), ("ratelimit: \"resolvers\"; r=0; t=0", 1),
    ("RateLimit: \"api\";r=7;t=45", nil),
    ("Retry-After: 120", 120), ("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT", nil), ("X: y", nil),
    ("RateLimit: \"api\";r=0;t=99999999999999999999", nil),
  ])
  func readsRateLimits(_ field: String, _ seconds: Int?) {
    #expect(ResponseHead(["HTTP/1.1 429 x", Substring(field)])?.secondsToWait == seconds)
  }
}

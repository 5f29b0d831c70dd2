import Testing

@testable import Hub

/// Parses the output of `curl --include --location` in chunks of different sizes.
@Suite struct ResponseReaderTests {
  /// - Returns: the final head, and the body.
  private func read(_ text: String, chunkSize: Int) throws -> (head: ResponseHead?, body: String) {
    var reader = ResponseReader()
    var body: [UInt8] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: chunkSize) {
      try bytes[start..<min(start + chunkSize, bytes.count)].withUnsafeBytes { chunk in
        try reader.take(chunk) { _ in
        } body: {
          body += $0
        }
      }
    }
    return (reader.head, String(decoding: body, as: UTF8.self))
  }

  @Test(arguments: [1, 2, 3, 7, 1000])
  func bodyFollowsTheLastHead(_ chunkSize: Int) throws {
    let (head, body) = try read(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/2 302 \r\nlocation: /x\r\n\r\nHTTP/1.1 206 Partial Content\r\n"
        + "Content-Range: bytes 5-9/10\r\nETag: \"a:b\"\r\n\r\nHTTP/1.1 is\r\n\r\nthe body",
      chunkSize: chunkSize)
    #expect(head?.status == 206)
    #expect(head?.fields["etag"] == "\"a:b\"")
    #expect(head?.contentStart == 5)
    #expect(body == "HTTP/1.1 is\r\n\r\nthe body")
  }

  @Test func redirectionWithoutLocationIsFinal() throws {
    let (head, body) = try read("HTTP/1.1 304 Not Modified\n\nx", chunkSize: 1)
    #expect(head?.status == 304 && body == "x")
  }

  @Test func rejectsOtherProtocols() {
    #expect(throws: HubError.self) { try read("SSH-2.0-OpenSSH\r\n\r\n", chunkSize: 100) }
    #expect(throws: HubError.self) {
      try read(String(repeating: "HTTP/1.1 200 OK\r\n", count: 20_000), chunkSize: 4096)
    }
  }

  @Test(arguments: ["bytes */10", "bytes 5 -9/10", "lines 5-9/10", "bytes a-b/c", ""])
  func rejectsInvalidContentRange(_ value: String) throws {
    #expect(ResponseHead(["HTTP/1.1 206 x", "Content-Range: \(value)"])?.contentStart == nil)
  }
}

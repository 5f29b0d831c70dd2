/// Makes requests with curl, which implements connections, TLS, proxies (`https_proxy` and so on) and redirections.
///
/// The URL and the token are passed on curl's standard input, because command lines are visible to other users. curl
/// drops the token if a redirection leads to another host (CVE-2018-1000007; since 7.83 also to another port).
/// `~/.curlrc` is not read, because its settings may be intended for other uses. curl writes into our pipe, so it ends
/// when this process ends.
struct Curl {
  let token: String?
  let userAgent: String

  enum Outcome {
    /// A complete response was received.
    case response(ResponseHead)
    /// curl failed.
    case failure(status: Int32, message: String)
  }

  /// Requests `url`, without the `sink.count` bytes that were already received if the server supports ranges.
  ///
  /// - Parameter sink: receives the body of a response with status 200 or 206; other bodies are discarded.
  func get(_ url: String, into sink: inout some BodySink) throws(HubError) -> Outcome {
    var reader = ResponseReader()
    var isWanted = false
    let configuration = configuration(url, from: sink.count)
    let result = try Subprocess.run(["curl", "--disable", "--config", "-"], input: .text(configuration)) {
      bytes throws(HubError) in
      try reader.take(bytes) { head throws(HubError) in
        isWanted = head.status == 200 || head.status == 206
        if head.status == 200 { try sink.restart() }
        if head.status == 206, head.contentStart != sink.count {
          throw HubError(.badData, "the server sent another range of the file than requested")
        }
      } body: { bytes throws(HubError) in
        if isWanted { try sink.append(bytes) }
      }
    }
    guard result.status == 0, let head = reader.head else {
      let (prefix, message) = ("curl: ", result.standardError)
      return .failure(
        status: result.status, message: message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message)
    }
    return .response(head)
  }

  private func configuration(_ url: String, from offset: Int) -> String {
    let protocols = url.hasPrefix("https:") ? "=https" : "=http,https"
    var lines = [
      "silent", "show-error", "include", "suppress-connect-headers", "location", "max-redirs = 10", "globoff",
      "proto = \"\(protocols)\"", "proto-redir = \"\(protocols)\"", "user-agent = \"\(userAgent)\"",
      "connect-timeout = 20", "speed-limit = 1", "speed-time = 30", "url = \(Self.quoted(url))",
    ]
    if let token { lines.append("header = \(Self.quoted("Authorization: Bearer \(token)"))") }
    if offset > 0 { lines.append("range = \"\(offset)-\"") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Returns a quoted value for curl's configuration.
  private static func quoted(_ text: String) -> String {
    "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
  }
}

/// A destination for the body of a response.
protocol BodySink {
  /// The number of bytes that were already received.
  var count: Int { get }
  /// Discards the bytes so far, because the response starts with the first byte.
  mutating func restart() throws(HubError)
  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(HubError)
}

/// A body in memory, limited to 32 MiB.
struct MemorySink: BodySink {
  private(set) var bytes: [UInt8] = []
  private static let limit = 1 << 25

  var count: Int { 0 }  // never resumed

  mutating func restart() { bytes = [] }

  mutating func append(_ more: UnsafeRawBufferPointer) throws(HubError) {
    guard bytes.count + more.count <= Self.limit else {
      throw HubError(.badData, "the hub's response is longer than \(Self.limit >> 20) MiB, too long for a file listing")
    }
    bytes += more
  }
}

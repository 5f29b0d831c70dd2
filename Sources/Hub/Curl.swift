/// One request, made by curl: connections, TLS, proxies (`https_proxy` and the like) and redirections are its business.
///
/// Address and token go to it on its standard input, where nobody sees them among the processes. curl itself takes the
/// token off where a redirection leaves the host (CVE-2018-1000007; other ports of the host since 7.83). `~/.curlrc` is
/// not read: what is in it may be meant for other uses. curl writes into our pipe, so it ends with us.
struct Curl {
  let token: String?
  let userAgent: String

  enum Outcome {
    /// The whole answer came.
    case answered(ResponseHead)
    /// curl's exit status, and what it says.
    case failed(status: Int32, complaint: String)
  }

  /// Gets `url`, with what `body` holds already left out where the server can do that. Only the body of an answer with
  /// status 200 or 206 goes to `body`.
  func get(_ url: String, into body: inout some BodySink) throws(HubError) -> Outcome {
    var reader = ResponseReader()
    var isWanted = false
    let configuration = configuration(url, from: body.count)
    let end = try Subprocess.run(["curl", "--disable", "--config", "-"], input: .text(configuration)) {
      bytes throws(HubError) in
      try reader.take(bytes) { head throws(HubError) in
        isWanted = head.status == 200 || head.status == 206
        if head.status == 200 { try body.restart() }
        if head.status == 206, head.contentStart != body.count {
          throw HubError(.badData, "the server sends another part of the file than was asked for")
        }
      } body: { bytes throws(HubError) in
        if isWanted { try body.append(bytes) }
      }
    }
    guard end.status == 0, let head = reader.head else {
      let prefix = "curl: "
      let complaint = end.complaint.hasPrefix(prefix) ? String(end.complaint.dropFirst(prefix.count)) : end.complaint
      return .failed(status: end.status, complaint: complaint)
    }
    return .answered(head)
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

  /// A value in curl's configuration.
  private static func quoted(_ text: String) -> String {
    "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
  }
}

/// What the body of an answer goes into.
protocol BodySink {
  /// The bytes that are there.
  var count: Int { get }
  /// The answer begins with the first byte: forgets what is there.
  mutating func restart() throws(HubError)
  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(HubError)
}

/// A body that is small enough for memory.
struct MemorySink: BodySink {
  private(set) var bytes: [UInt8] = []
  private static let limit = 1 << 25

  var count: Int { 0 }  // always asked for as a whole

  mutating func restart() { bytes = [] }

  mutating func append(_ more: UnsafeRawBufferPointer) throws(HubError) {
    guard bytes.count + more.count <= Self.limit else {
      throw HubError(.badData, "the hub's answer is longer than \(Self.limit >> 20) MiB: that is no listing of a model")
    }
    bytes += more
  }
}

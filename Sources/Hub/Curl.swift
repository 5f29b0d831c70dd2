import Checkpoint
import Platform

/// Makes requests with curl, which implements connections, TLS, proxies (`https_proxy` and so on) and redirections.
///
/// The URLs and the token are passed on curl's standard input, because command lines are visible to other users. curl
/// drops the token if a redirection leads to another host (CVE-2018-1000007; since 7.83 also to another port).
/// `~/.curlrc` is not read, because its settings may be intended for other uses. curl writes into our pipe, so it ends
/// when this process ends.
struct Curl {
  let token: String?
  let userAgent: String
  /// The time in seconds after which a connection without data is given up.
  let patience = environmentVariable("HF_HUB_DOWNLOAD_TIMEOUT").flatMap { Int($0) }.map { min(max($0, 1), 3600) } ?? 30

  /// A request for a URL.
  struct Request {
    let url: String
    /// The bytes to request; nil for the whole file without a `Range` field.
    let range: Range<Int>?
  }

  /// Starts curl with requests that it makes in order, over one connection if the server allows it.
  func start(_ requests: [Request]) throws(HubError) -> (process: Subprocess, reader: ResponseReader) {
    let random = (0..<2).map { _ in hexadecimal(UInt64.random(in: .min ... .max), width: 16) }
    let reader = ResponseReader(marker: "--lmpipe-\(random.joined())")
    let text = requests.map { configuration($0, reader) }.joined(separator: "next\n")
    return (try Subprocess(["curl", "--disable", "--config", "-"], input: .text(text)), reader)
  }

  private func configuration(_ request: Request, _ reader: ResponseReader) -> String {
    let protocols = request.url.hasPrefix("https:") ? "=https" : "=http,https"
    var lines = [
      "silent", "show-error", "include", "suppress-connect-headers", "location", "max-redirs = 10", "globoff",
      "proto = \"\(protocols)\"", "proto-redir = \"\(protocols)\"", "user-agent = \"\(userAgent)\"",
      "connect-timeout = \(max(20, patience))", "speed-limit = 1", "speed-time = \(patience)",
      "url = \(Self.quoted(request.url))", "write-out = \"\(reader.format)\"",
    ]
    if let token { lines.append("header = \(Self.quoted("Authorization: Bearer \(token)"))") }
    if let range = request.range { lines.append("range = \"\(range.lowerBound)-\(range.upperBound - 1)\"") }
    if let certificates = Self.certificates {
      lines.append("\(isDirectory(Path(certificates)) ? "capath" : "cacert") = \(Self.quoted(certificates))")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The file or folder with the certificates of trusted authorities, if the environment names one: in the variable of
  /// curl, or else in those that Python's libraries read.
  private static var certificates: String? {
    ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"].lazy.compactMap(environmentVariable).first
      .flatMap { $0.unicodeScalars.contains { $0.value < 0x20 } ? nil : $0 }
  }

  /// Returns a quoted value for curl's configuration.
  private static func quoted(_ text: String) -> String {
    "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
  }
}

/// A failure of curl (curl(1), "EXIT CODES").
enum CurlFailure {
  /// Partial file, timeout, empty response, send and receive errors, HTTP/2 and HTTP/3 errors.
  static let brokenConnections: Set<Int32> = [16, 18, 28, 52, 55, 56, 92, 95]
  /// Host not resolved, connection refused, TLS handshake failed.
  static let failedConnections: Set<Int32> = [6, 7, 35]
  /// A certificate that is not trusted, or problems with the file of trusted certificates.
  static let certificates: Set<Int32> = [58, 60, 77, 82, 83, 90, 91]
  /// The proxy's name is not resolved, or the handshake with the proxy failed.
  static let proxies: Set<Int32> = [5, 97]
  /// The user agent's remedy for ``certificates``.
  static let certificateHint =
    "if a proxy in your network inspects TLS, set CURL_CA_BUNDLE (or SSL_CERT_FILE, REQUESTS_CA_BUNDLE) to a file with "
    + "its certificate"
}

/// A destination for the body of a response.
protocol BodySink: AnyObject {
  /// The path and query at the hub.
  var address: String { get }
  /// The bytes to request; nil for the whole file without a `Range` field.
  var range: Range<Int>? { get }
  /// The number of body bytes that were received so far. If it grows during a request, the request made progress.
  var receivedCount: Int { get }
  /// True if all bytes were received.
  var isComplete: Bool { get }
  /// True if the bytes are no longer needed.
  var isCancelled: Bool { get }
  /// The number of failures in a row without any data.
  var failures: Int { get set }

  /// Begins the body of a response with status 200 or 206.
  func begin(_ head: ResponseHead) throws(HubError)
  func append(_ bytes: UnsafeRawBufferPointer) throws(HubError)
  /// Ends the body of a response.
  ///
  /// - Parameters:
  ///   - bodySize: its size; if fewer bytes than were appended, the last ones were trailers.
  ///   - isWhole: false if the connection broke.
  func end(bodySize: Int, isWhole: Bool) throws(HubError)
  /// Handles the status 416: the server's file ends before the range.
  func refuseRange() throws(HubError)
}

/// A body, or the beginning of a file, in memory.
final class MemorySink: BodySink {
  let address: String
  /// The number of bytes that are needed; nil for the whole body.
  private let count: Int?
  private let limit: Int
  private(set) var bytes: [UInt8]
  private(set) var isComplete: Bool
  /// The most bytes that were received; 0 for a whole body, because it is never resumed.
  private(set) var receivedCount = 0
  var isCancelled: Bool { isComplete }
  var failures = 0
  private var start = 0

  /// - Parameters:
  ///   - count: the number of bytes of the file to request; nil for the whole body without a range.
  ///   - limit: the largest size in bytes of a whole body.
  ///   - known: the first bytes of the file, which are not requested again.
  init(_ address: String, first count: Int? = nil, known: [UInt8] = [], limit: Int = 1 << 25) {
    (self.address, self.count, self.limit) = (address, count, limit)
    bytes = known
    isComplete = count.map { known.count >= $0 } ?? false
  }

  var range: Range<Int>? { count.map { bytes.count..<max($0, bytes.count + 1) } }

  func begin(_ head: ResponseHead) throws(HubError) {
    if head.status == 200 { bytes = [] }
    if head.status == 206, head.contentRange?.range.lowerBound != bytes.count {
      throw HubError(.badData, "the server sent another range of the file than requested")
    }
    start = bytes.count
  }

  func append(_ more: UnsafeRawBufferPointer) throws(HubError) {
    guard let count else {
      guard bytes.count + more.count <= limit else {
        throw HubError(.badData, "the hub's response is longer than \(limit >> 20) MiB, too long for a file listing")
      }
      bytes += more
      return
    }
    bytes += more.prefix(count - bytes.count)
    receivedCount = max(receivedCount, bytes.count)
    if bytes.count == count { isComplete = true }
  }

  func end(bodySize: Int, isWhole: Bool) {
    let size = start + bodySize
    if size < bytes.count { bytes.removeLast(bytes.count - size) }
    isComplete = isWhole
    if !isWhole, count == nil { bytes = [] }
  }

  func refuseRange() throws(HubError) { throw HubError(.badData, "the server refuses a range of the file") }
}

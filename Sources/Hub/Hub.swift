import Platform

/// The hub, or a server that answers as it does, asked through curl: requests that fail for a passing reason are made again.
public struct Hub {
  private let endpoint: Endpoint
  private let secrets: Secrets
  private let hasToken: Bool
  private let curl: Curl
  private let retries: Int
  private let note: (String) -> Void
  /// Whether it has answered anything: then a connection that cannot be had any more is a passing trouble.
  private var hasAnswered = false

  /// By the environment: `HF_ENDPOINT`, and the token of `HF_TOKEN` or of a login with Python's library.
  ///
  /// - Parameters:
  ///   - retries: how often a request is made again that brought nothing.
  ///   - note: is told why there is a pause.
  public init(userAgent: String, retries: Int, note: @escaping (String) -> Void) throws(HubError) {
    guard environmentVariable("HF_HUB_OFFLINE").map({ ["1", "ON", "YES", "TRUE"].contains($0.uppercased()) }) != true
    else { throw HubError(.unavailable, "HF_HUB_OFFLINE is set: no network is used") }
    guard let endpoint = Endpoint(environmentVariable("HF_ENDPOINT") ?? "https://huggingface.co") else {
      throw HubError(  // which does not show it: a mistyped password may be anywhere in it
        .usage,
        "HF_ENDPOINT must be an address such as https://huggingface.co or http://127.0.0.1:8080, with \"/\" and \"@\" of "
          + "a password written as %2F and %40")
    }
    self.endpoint = endpoint
    let token = try Self.token()
    hasToken = token != nil
    secrets = Secrets(token: token, endpoint)
    curl = Curl(token: token, userAgent: userAgent)
    self.retries = retries
    self.note = note
  }

  /// `$HF_TOKEN`, else what is in the file `$HF_TOKEN_PATH`, else in `token` in the hub's home.
  private static func token() throws(HubError) -> String? {
    var text = environmentVariable("HF_TOKEN")?.trimmed ?? ""
    if text.isEmpty, let path = environmentPath("HF_TOKEN_PATH") ?? home?.appending("token"),
      let file = try? MappedFile(path: path)
    {
      text = String(decoding: file.bytes.prefix(4096), as: UTF8.self).trimmed
    }
    guard Endpoint.isPlain(text) else { throw HubError(.usage, "the token has characters in it that no token has") }
    return text.isEmpty ? nil : text
  }

  private static var home: Path? {
    environmentPath("HF_HOME")
      ?? (environmentPath("XDG_CACHE_HOME") ?? environmentPath("HOME")?.appending(".cache"))?.appending("huggingface")
  }

  // MARK: what can be asked

  mutating func listing(of model: ModelName, _ revision: Revision) throws(HubError) -> FileListing {
    let path = "/api/models/\(model.text)/revision/\(Self.escaped(revision.text, keeping: ""))?blobs=true"
    var body = MemorySink()
    let head = try get(path, into: &body)
    guard head.status == 200 else { throw refusal(head, of: model, revision) }
    return try body.bytes.withUnsafeBufferPointer { bytes throws(HubError) in try FileListing(bytes) }
  }

  mutating func fetch(
    _ file: RemoteFile, of model: ModelName, commit: String, into body: inout some BodySink
  ) throws(HubError) {
    let head = try get("/\(model.text)/resolve/\(commit)/\(Self.escaped(file.path, keeping: "/"))", into: &body)
    guard head.status == 200 || head.status == 206 else { throw refusal(head, of: model, Revision.main) }
  }

  // MARK: asking

  private static let temporaryStatuses: Set = [408, 429, 500, 502, 503, 504]
  /// Of curl, for connections that broke: partial file, timeout, nothing came, sending and receiving, HTTP/2 and HTTP/3.
  private static let brokenConnections: Set<Int32> = [16, 18, 28, 52, 55, 56, 92, 95]
  /// Of curl, for connections that could not be had: name not resolved, nobody there, no TLS.
  private static let missingConnections: Set<Int32> = [6, 7, 35]
  /// Seconds that a server may ask to be left alone.
  private static let longestPause = 60

  /// Asks until there is an answer that another try would not change. As long as something comes, it goes on.
  private mutating func get(_ path: String, into body: inout some BodySink) throws(HubError) -> ResponseHead {
    var failures = 0
    while true {
      let before = body.count
      let outcome = try curl.get(endpoint.address + path, into: &body)
      let problem: String
      var pause = 1 << min(failures, 4)
      switch outcome {
      case .answered(let head):
        hasAnswered = true
        guard head.status != 416 || body.count == 0 else {  // what is there is not the beginning of this file
          try body.restart()
          continue
        }
        guard Self.temporaryStatuses.contains(head.status) else { return head }
        problem = "\(endpoint) answers with status \(head.status)" + (head.status == 429 ? ", too many requests" : "")
        if let seconds = head.fields["retry-after"].flatMap({ Int($0) }), seconds > pause {
          guard seconds <= Self.longestPause else {
            throw HubError(.unavailable, "\(problem): it wants to be asked again in \(seconds) seconds")
          }
          pause = seconds
        }
      case .failed(let status, let complaint):
        problem = complaint.isEmpty ? "curl ended with status \(status)" : secrets.hidden(in: complaint)
        if Self.brokenConnections.contains(status) {
          hasAnswered = true
        } else if !(hasAnswered && Self.missingConnections.contains(status)) {
          throw HubError(.unavailable, "\(endpoint) cannot be reached: \(problem)")
        }
      }
      if body.count > before {
        failures = 0
        continue
      }
      guard failures < retries else {
        throw HubError(.unavailable, "\(problem); tried \(retries + 1) \(retries == 0 ? "time" : "times")")
      }
      failures += 1
      note("\(problem); trying again in \(pause) s")
      sleep(UInt32(pause))
    }
  }

  /// Text in a URL, percent-encoded but for unreserved characters (RFC 3986) and those in `keeping`.
  static func escaped(_ text: String, keeping: String) -> String {
    text.utf8.reduce(into: "") { result, byte in
      if isUnreserved(byte) || keeping.utf8.contains(byte) {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
  }

  // MARK: refusals

  /// What an answer other than success means. The hub says more in a field than in the status: who has not said who they
  /// are gets 401 for a model that does not exist as well (huggingface_hub, `hf_raise_for_status`).
  private func refusal(_ head: ResponseHead, of model: ModelName, _ revision: Revision) -> HubError {
    let said = head.fields["x-error-message"].map { String(secrets.hidden(in: $0).prefix(200)) }
    switch (head.status, head.fields["x-error-code"]) {
    case (_, "GatedRepo"):
      return HubError(
        .notFound,
        hasToken
          ? "\(model.text) is gated, and the account of the token may not have it: ask for it at \(endpoint)/\(model.text)"
          : "\(model.text) is gated: accept its conditions at \(endpoint)/\(model.text) and set HF_TOKEN to a token of yours"
      )
    case (401, _) where said == "Invalid credentials in Authorization header":
      return HubError(.notFound, "\(endpoint) does not know the token (HF_TOKEN, or the one of a login)")
    case (_, "RevisionNotFound"):
      return HubError(
        .notFound, "\(model.text) has no revision \"\(revision.text)\"" + among(revisions(of: model)))
    case (_, "EntryNotFound"):
      return HubError(.notFound, "\(model.text) no longer has a file that its listing names")
    case (_, "RepoNotFound"), (401, nil), (404, nil):
      let hint = hasToken ? "" : " (then set HF_TOKEN)"
      return HubError(
        .notFound,
        "\(endpoint) has no model \(model.text), or it is private\(hint)" + among(names(like: model), "; near names: "))
    case (403, _): return HubError(.notFound, "\(endpoint) refuses \(model.text)\(said.map { ": \($0)" } ?? "")")
    default:
      return HubError(
        .unavailable, "\(endpoint) answers with status \(head.status)\(said.map { ": \($0)" } ?? "")")
    }
  }

  private func among(_ names: [String], _ words: String = "; it has ") -> String {
    guard !names.isEmpty else { return "" }
    let more = names.count > 20 ? " and \(names.count - 20) more" : ""
    return words + names.prefix(20).joined(separator: ", ") + more
  }

  private func revisions(of model: ModelName) -> [String] {
    strings("name", at: "/api/models/\(model.text)/refs")
  }

  /// Up to five names that are like the one that the hub does not know: those that it finds for a part of it, or else the
  /// organisation's that begin most like it.
  private func names(like model: ModelName) -> [String] {
    var words = model.base.split(separator: "-")
    while let text = words.isEmpty ? nil : words.joined(separator: "-"), text.count > 2 {
      let names = strings("id", at: "/api/models?search=\(Self.escaped(text, keeping: ""))&limit=5")
      if !names.isEmpty { return Array(names.prefix(5)) }
      words.removeLast()
    }
    guard let organisation = model.organisation else { return [] }
    func likeness(_ name: String) -> Int { zip(name, model.text).prefix { $0 == $1 }.count }
    let names = strings("id", at: "/api/models?author=\(Self.escaped(organisation, keeping: ""))&limit=500")
    return Array(names.sorted { likeness($0) > likeness($1) }.prefix(5))
  }

  /// Members of this name in the objects of an answer, wherever they are; none where there is no such answer. A help for
  /// messages, so it is asked for once.
  private func strings(_ name: String, at path: String) -> [String] {
    var body = MemorySink()
    guard case .answered(let head)? = try? curl.get(endpoint.address + path, into: &body), head.status == 200 else {
      return []
    }
    return stringMembers(name, of: body.bytes).filter { $0.utf8.count <= 200 }
  }
}

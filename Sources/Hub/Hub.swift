import Checkpoint
import Platform

/// A client of the Hugging Face hub or a compatible server.
public final class Hub {
  private(set) var endpoint: Endpoint
  let secrets: Secrets
  let curl: Curl
  /// The maximum number of retries of a request in a row without any data.
  let retries: Int
  let note: (String) -> Void
  private let token: Token?
  /// True after the first response. A later failure to connect is treated as temporary.
  var hasResponded = false
  /// The model whose files are requested, for messages.
  private var model: ModelName?
  private var revision = Revision.main

  /// An access token and the place where it was found.
  private struct Token {
    let text: String
    let source: String
  }

  /// Reads the settings from the environment: `HF_ENDPOINT`, and the token from `HF_TOKEN` or the file that
  /// `hf auth login` writes.
  ///
  /// - Parameters:
  ///   - retries: the maximum number of retries in a row without any data.
  ///   - note: called with the reason for a pause.
  public init(userAgent: String, retries: Int, note: @escaping (String) -> Void) throws(HubError) {
    guard let endpoint = Endpoint(environmentVariable("HF_ENDPOINT") ?? "https://huggingface.co") else {
      throw HubError(  // without the value, because a mistyped password can be in any part of it
        .usage,
        "HF_ENDPOINT must be a URL such as https://huggingface.co or http://127.0.0.1:8080; \"/\" and \"@\" in a "
          + "password must be written as %2F and %40")
    }
    self.endpoint = endpoint
    token = try Self.findToken()
    secrets = Secrets(token: token?.text, endpoint)
    curl = Curl(token: token?.text, userAgent: userAgent)
    self.retries = retries
    self.note = note
  }

  /// Returns `$HF_TOKEN` or `$HUGGING_FACE_HUB_TOKEN`, or else the content of the file `$HF_TOKEN_PATH`, or else of the
  /// file `token` in the folder of Hugging Face's libraries. Nil if `HF_HUB_DISABLE_IMPLICIT_TOKEN` is set.
  private static func findToken() throws(HubError) -> Token? {
    guard !HubEnvironment.isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") else { return nil }
    var found: Token?
    for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] where found == nil {
      let text = environmentVariable(name)?.trimmed ?? ""
      if !text.isEmpty { found = Token(text: text, source: name) }
    }
    if found == nil, let path = HubEnvironment.path("HF_TOKEN_PATH") ?? HubEnvironment.home?.appending("token"),
      let file = try? MappedFile(path: path)
    {
      let text = String(decoding: file.bytes.prefix(4096), as: UTF8.self).trimmed
      if !text.isEmpty { found = Token(text: text, source: path.description) }
    }
    guard Endpoint.isPlain(found?.text ?? "") else {
      throw HubError(
        .usage,
        "the token (from \(found?.source ?? "")) has invalid characters; it must be printable ASCII without spaces")
    }
    return found
  }

  /// Returns the name of a host for messages: the endpoint, or another host to which a redirection led.
  func host(_ report: TransferReport) -> String { host(report.host) }

  private func host(_ name: String) -> String { isHub(name) ? endpoint.description : name }

  /// Returns whether a host with an optional port is that of the endpoint. An empty name stands for the endpoint.
  func isHub(_ host: String) -> Bool {
    host.isEmpty || host.lowercased() == endpoint.authority.lowercased()
  }

  /// Makes another host of the hub the endpoint, if the endpoint redirects to it and a token is used: curl drops the
  /// token if a redirection leads to another host, so that the hub would answer as without a token.
  ///
  /// - Returns: true if the endpoint has changed.
  func follow(_ report: TransferReport) -> Bool {
    guard token != nil, report.usesTLS, ["huggingface.co", "hf.co"].contains(report.host.lowercased()),
      !isHub(report.host), let other = Endpoint("https://\(report.host.lowercased())")
    else { return false }
    endpoint = other
    return true
  }

  // MARK: requests

  /// Requests the listing of a model.
  ///
  /// - Throws: ``HubError``; its `isAvailabilityProblem` tells whether the hub gave no answer about the model.
  func listing(of model: ModelName, _ revision: Revision, _ showState: @escaping (TransferState) -> Void)
    throws(HubError) -> FileListing
  {
    (self.model, self.revision) = (model, revision)
    let path = "/api/models/\(model.text)/revision/\(Self.escaped(revision.text, keeping: ""))?blobs=true"
    let sink = MemorySink(path)
    try Transfers.run(MemoryRequests([sink], showState), self)
    if sink.bytes.first(where: { ![0x09, 0x0A, 0x0D, 0x20].contains($0) }) == UInt8(ascii: "<") {
      throw HubError(
        .unavailable,
        "\(endpoint) sent a web page and not a file listing; it is not a hub (check HF_ENDPOINT), or a network that "
          + "requires a login in the browser answers in its place")
    }
    return try sink.bytes.withUnsafeBufferPointer { bytes throws(HubError) in try FileListing(bytes) }
  }

  /// Returns the path and query for a file.
  func address(of file: RemoteFile, _ model: ModelName, commit: String) -> String {
    "/\(model.text)/resolve/\(commit)/\(Self.escaped(file.path, keeping: "/"))"
  }

  /// Returns the first bytes of a file, at most `count`.
  func beginning(of file: RemoteFile, _ model: ModelName, commit: String, count: Int, after known: [UInt8] = [])
    throws(HubError) -> [UInt8]
  {
    let sink = MemorySink(address(of: file, model, commit: commit), first: min(count, file.size), known: known)
    if sink.isComplete { return sink.bytes }
    try Transfers.run(MemoryRequests([sink]), self)
    return sink.bytes
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
  func refusal(_ head: ResponseHead, _ host: String, of sink: any BodySink) -> HubError {
    let message = head.fields["x-error-message"].map { String(secrets.hidden(in: $0).prefix(200)) }
    let said = message.map { ": \($0)" } ?? ""
    let isElsewhere = !isHub(host)
    let host = self.host(host)
    guard let model else { return HubError(.unavailable, "\(host) returned status \(head.status)\(said)") }
    switch (head.status, head.fields["x-error-code"]) {
    case (_, "GatedRepo") where token != nil && isElsewhere:
      return HubError(
        .notFound,
        "\(model.text) is gated, and \(endpoint) redirects to \(host), to which the token is not sent; set HF_ENDPOINT to "
          + "the hub itself")
    case (_, "GatedRepo"):
      let page = "\(endpoint)/\(model.text)"
      return HubError(
        .notFound,
        token != nil
          ? "\(model.text) is gated, and the token has no access; request access at \(page)"
          : "\(model.text) is gated; accept its conditions at \(page) and set HF_TOKEN to your token")
    case (401, let code) where token != nil && code != "RepoNotFound":
      // The hub checks the token first, so this says nothing about the model.
      return HubError(.notFound, tokenRefusal(message), isAvailabilityProblem: true)
    case (_, "RevisionNotFound"):
      return HubError(
        .notFound, "\(model.text) has no revision \"\(revision.text)\"" + list(revisions(of: model)))
    case (_, "EntryNotFound"):
      return HubError(.notFound, "\(model.text) no longer has a file of its listing; try again")
    case (_, "RepoNotFound"), (401, nil), (404, nil):
      let hint = token != nil ? "" : " (then set HF_TOKEN)"
      return HubError(
        .notFound,
        "\(endpoint) has no model \(model.text), or it is private\(hint)"
          + list(similarNames(to: model), prefix: "; similar names: "))
    case (403, _):
      return HubError(.notFound, "\(host) denied access to \(model.text)\(said)")
    case (407, _):
      return HubError(.unavailable, Transfers.proxyRefusal(407))
    default:
      return HubError(.unavailable, "\(host) returned status \(head.status)\(said)")
    }
  }

  /// Returns the message for a token that the hub rejects.
  private func tokenRefusal(_ message: String?) -> String {
    let source = token?.source ?? ""
    let isExpired = message?.lowercased().contains("expired") ?? false
    let remedy =
      "renew it with 'hf auth login', or set HF_HUB_DISABLE_IMPLICIT_TOKEN=1 to fetch public models without a token"
    return "\(endpoint) rejects the token (from \(source))\(isExpired ? ", which has expired" : "")"
      + "\(message.map { ": \($0)" } ?? ""); \(remedy)"
  }

  private func list(_ names: [String], prefix: String = "; it has ") -> String {
    guard !names.isEmpty else { return "" }
    let more = names.count > 20 ? " and \(names.count - 20) more" : ""
    return prefix + names.prefix(20).joined(separator: ", ") + more
  }

  private func revisions(of model: ModelName) -> [String] { strings("name", at: "/api/models/\(model.text)/refs") }

  /// Returns the names of up to five conversions of a model, which the hub has as pull requests (`refs/pr/1`).
  func pullRequests(of model: ModelName) -> [String] {
    strings("ref", at: "/api/models/\(model.text)/refs?include_prs=true").filter { $0.hasPrefix("refs/pr/") }
      .prefix(5).map { $0 }
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
    let sink = MemorySink(path)
    let source = MemoryRequests([sink])
    guard (try? Transfers.run(source, copy(retries: 0))) != nil, sink.isComplete else { return [] }
    return stringMembers(name, of: sink.bytes).filter { $0.utf8.count <= 200 }
  }

  private init(_ other: Hub, retries: Int) {
    (endpoint, secrets, curl, token) = (other.endpoint, other.secrets, other.curl, other.token)
    self.retries = retries
    note = { _ in }
  }

  private func copy(retries: Int) -> Hub { Hub(self, retries: retries) }
}

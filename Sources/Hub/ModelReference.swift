import Checkpoint
import Platform

/// What names a model for lm-pull: `NAME`, `ORGANIZATION/NAME`, either followed by `:QUANTIZATION`, or an address of
/// the hub as copied from a browser: `https://huggingface.co/ORGANIZATION/NAME/blob/main/FILE.gguf`, `hf.co/…`,
/// `hf://…`.
public struct ModelReference: Equatable, Sendable {
  public let name: ModelName
  /// Nil if the text names none.
  public let revision: Revision?
  /// A `.gguf` file or a quantization; nil if the text names none.
  public let choice: String?

  /// - Parameters:
  ///   - revision: the revision that an option names.
  ///   - choice: the file or quantization that an option names.
  public init(_ text: String, revision: String? = nil, choice: String? = nil) throws(HubError) {
    let parts = try Parts(text)
    if let inText = parts.revision, let revision, inText != revision {
      throw HubError(.usage, "\"\(text)\" names the revision \(inText), and --revision names \(revision)")
    }
    if let inText = parts.choice, let choice, inText.lowercased() != choice.lowercased() {
      throw HubError(.usage, "\"\(text)\" names the file or quantization \(inText), and --file names \(choice)")
    }
    name = try ModelName(parts.name)
    self.revision = try (revision ?? parts.revision).map(Revision.init)
    self.choice = choice ?? parts.choice
  }

  /// The parts of a reference, which are not validated yet.
  private struct Parts {
    var name: String
    var revision: String?
    var choice: String?

    init(_ text: String) throws(HubError) {
      guard let path = try Self.path(ofAddress: text) else {
        name = text
        splitChoice()
        return
      }
      var words = path.split(separator: "/").map { decoded(String($0)) }
      let kinds = ["datasets": "a data set", "spaces": "a space", "buckets": "a bucket", "kernels": "a kernel"]
      if let kind = words.first.flatMap({ kinds[$0] }) {
        throw HubError(.usage, "\"\(text)\" is the address of \(kind), not of a model")
      }
      if words.first == "models", words.count > 1 { words.removeFirst() }
      let pages: Set = ["tree", "blob", "resolve", "raw", "commit", "commits", "discussions", "edit"]
      let nameLength = words.count > 1 && !pages.contains(words[1]) ? 2 : 1
      name = words.prefix(nameLength).joined(separator: "/")
      words = Array(words.dropFirst(nameLength))
      splitChoice()
      if text.hasPrefix("hf://"), let at = name.firstIndex(of: "@") {
        revision = String(name[name.index(after: at)...])
        name = String(name[..<at])
      } else if let page = words.first, pages.contains(page) {
        words.removeFirst()
        guard page != "discussions", !words.isEmpty else { return }
        // Only references of the hub (`refs/pr/1`) have slashes that an address does not escape.
        let length = words[0] == "refs" ? 3 : 1
        revision = words.prefix(length).joined(separator: "/")
        words = Array(words.dropFirst(length))
      }
      let file = words.joined(separator: "/")
      if file.lowercased().hasSuffix(".gguf") { choice = file }
    }

    /// Moves the part of the name after a colon to `choice`.
    private mutating func splitChoice() {
      guard let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") else { return }
      let text = String(name[name.index(after: colon)...])
      guard !text.isEmpty else { return }
      (name, choice) = (String(name[..<colon]), text)
    }

    /// Returns the path of an address of the hub, without query and fragment; nil if the text is not an address.
    private static func path(ofAddress text: String) throws(HubError) -> Substring? {
      var rest = Substring(text)
      if text.hasPrefix("hf://") { return rest.dropFirst("hf://".count).prefix { $0 != "?" && $0 != "#" } }
      let schemeEnd = ["https://", "http://"].first { text.lowercased().hasPrefix($0) }?.count
      rest = rest.dropFirst(schemeEnd ?? 0)
      let host = rest.prefix { $0 != "/" }.lowercased()
      let endpoint = environmentVariable("HF_ENDPOINT").flatMap(Endpoint.init)?.authority.lowercased()
      let hosts: Set = ["huggingface.co", "www.huggingface.co", "hf.co", "www.hf.co", endpoint ?? "huggingface.co"]
      guard hosts.contains(host) else {
        guard schemeEnd == nil else {
          throw HubError(
            .usage, "\"\(Secrets.withoutUserInfo(text))\" is not an address of the hub; set HF_ENDPOINT for another hub"
          )
        }
        return nil
      }
      return rest.dropFirst(host.count).prefix { $0 != "?" && $0 != "#" }
    }
  }
}

/// Returns a text with percent-encoding decoded.
func decoded(_ text: String) -> String {
  var bytes: [UInt8] = []
  var rest = text.utf8[...]
  while let byte = rest.popFirst() {
    if byte == UInt8(ascii: "%"), let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) {
      bytes.append(value)
      rest = rest.dropFirst(2)
    } else {
      bytes.append(byte)
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

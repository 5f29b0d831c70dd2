import Platform

/// The passwords and tokens that messages must not show.
struct Secrets {
  private let words: [String]

  /// Collects the token, and the user information in the URLs of the hub and of the proxies in the environment. For
  /// `USER:PASSWORD`, the password alone is also included, and both also with percent-encoding decoded.
  init(token: String?, _ endpoint: Endpoint) {
    let proxies = ["http_proxy", "https_proxy", "all_proxy"].flatMap { [$0, $0.uppercased()] }.compactMap {
      environmentVariable($0).flatMap(Self.userInfo)
    }
    let passwords = ([endpoint.userInfo] + proxies).flatMap { text -> [String] in
      let password = text.firstIndex(of: ":").map { String(text[text.index(after: $0)...]) } ?? ""
      return [text, decoded(text), password, decoded(password)]
    }
    words = ([token ?? ""] + passwords).filter { !$0.isEmpty }.sorted { $0.utf8.count > $1.utf8.count }
  }

  /// Returns a text with each secret replaced by `***`.
  func hidden(in text: String) -> String {
    words.reduce(Self.withoutUserInfo(text)) { $0.replacing($1, with: "***") }
  }

  /// Returns the user information of a URL: the part between `://` and the last `@`.
  private static func userInfo(of address: String) -> String? {
    guard let at = address.lastIndex(of: "@") else { return nil }
    let start = address.firstRange(of: "://")?.upperBound ?? address.startIndex
    return start < at ? String(address[start..<at]) : nil
  }

  /// Returns a text without the user information of the URLs in it: the part between `://` and the last `@` before the
  /// next `://`. Because a password can contain any character, this can remove more of a message than the password.
  static func withoutUserInfo(_ text: String) -> String {
    var parts = text.split(separator: "://", omittingEmptySubsequences: false)
    for index in parts.indices.dropFirst() {
      if let at = parts[index].lastIndex(of: "@") { parts[index] = parts[index][at...].dropFirst() }
    }
    return parts.joined(separator: "://")
  }
}

import Platform

/// Passwords and tokens, which messages must not show.
struct Secrets {
  private let words: [String]

  /// The token, and the user information of the hub's address and of the proxies' addresses in the environment. Of
  /// `USER:PASSWORD` also the password alone, both also with percent-encoding resolved.
  init(token: String?, _ endpoint: Endpoint) {
    let proxies = ["http_proxy", "https_proxy", "all_proxy"].flatMap { [$0, $0.uppercased()] }.compactMap {
      environmentVariable($0).flatMap(Self.userInfo)
    }
    let passwords = ([endpoint.userInfo] + proxies).flatMap { text -> [String] in
      let password = text.firstIndex(of: ":").map { String(text[text.index(after: $0)...]) } ?? ""
      return [text, Self.decoded(text), password, Self.decoded(password)]
    }
    words = ([token ?? ""] + passwords).filter { !$0.isEmpty }.sorted { $0.utf8.count > $1.utf8.count }
  }

  /// A text from outside, with `***` for each of them.
  func hidden(in text: String) -> String {
    words.reduce(Self.withoutUserInfo(text)) { $0.replacing($1, with: "***") }
  }

  /// What is before the last `@` of an address, without its scheme.
  private static func userInfo(of address: String) -> String? {
    guard let at = address.lastIndex(of: "@") else { return nil }
    let start = address.firstRange(of: "://")?.upperBound ?? address.startIndex
    return start < at ? String(address[start..<at]) : nil
  }

  /// A text without the user information of the addresses in it: what is between `://` and the last `@` before the next
  /// `://`. A password may hold any character, and what is removed too much is only part of a message.
  static func withoutUserInfo(_ text: String) -> String {
    var parts = text.split(separator: "://", omittingEmptySubsequences: false)
    for index in parts.indices.dropFirst() {
      if let at = parts[index].lastIndex(of: "@") { parts[index] = parts[index][at...].dropFirst() }
    }
    return parts.joined(separator: "://")
  }

  /// With `%40` and the like resolved.
  private static func decoded(_ text: String) -> String {
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
}

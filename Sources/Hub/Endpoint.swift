/// The URL of a hub, `https://USER:PASSWORD@HOST:PORT/PATH`. The user information, the port and the path are optional.
struct Endpoint: Equatable, CustomStringConvertible {
  /// The URL for requests.
  let address: String
  /// The URL without the user name and password, for messages.
  let description: String
  /// The host with the port, if the URL has one.
  let authority: String
  /// `USER:PASSWORD` as in the URL; empty if the URL has none.
  let userInfo: String

  /// - Returns: nil if the text is not a valid URL of a hub, or if the path has an `@`: in that case the password
  ///   contains a `/` without percent-encoding, and messages would show part of the password as the host.
  init?(_ text: String) {
    guard let mark = text.firstRange(of: "://"), ["https", "http"].contains(text[..<mark.lowerBound]),
      Self.isPlain(text)
    else { return nil }
    let end = text[mark.upperBound...].firstIndex { "/?#".contains($0) } ?? text.endIndex
    let authority = text[mark.upperBound..<end]
    let hostStart = authority.lastIndex(of: "@").map { text.index(after: $0) } ?? authority.startIndex
    var path = text[end...]
    guard Self.isHost(text[hostStart..<end]), !path.contains(where: { "@?#".contains($0) }) else { return nil }
    while path.hasSuffix("/") { path.removeLast() }
    address = String(text[..<end]) + path
    description = String(text[..<mark.upperBound]) + text[hostStart..<end] + path
    self.authority = String(text[hostStart..<end])
    userInfo = String(authority[..<hostStart].dropLast())
  }

  /// Returns whether the text is `NAME`, `NAME:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`.
  private static func isHost(_ text: Substring) -> Bool {
    var name = text
    if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
      name = text[..<colon]
      guard text[colon...].dropFirst().allSatisfy({ ("0"..."9").contains($0) }) else { return false }
    }
    if name.hasPrefix("["), name.hasSuffix("]") { return true }
    return !name.isEmpty && name.utf8.allSatisfy { isUnreserved($0) }
  }

  /// Returns whether the text is printable ASCII without spaces.
  static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { (0x21...0x7E).contains($0) } }
}

/// Returns whether a byte is an unreserved character, which needs no percent-encoding (RFC 3986, section 2.3).
func isUnreserved(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
    UInt8(ascii: "~"):
    true
  default: false
  }
}

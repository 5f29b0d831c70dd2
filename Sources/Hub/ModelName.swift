/// A model's name on the hub, `NAME` or `ORGANISATION/NAME`, by the hub's own rules (huggingface_hub, `validate_repo_id`):
/// letters, digits, `-`, `_` and `.`, none of the last three doubled or at an end, no `.git`, 96 characters each.
public struct ModelName: Equatable, Sendable {
  public let text: String

  public init(_ text: String) throws(HubError) {
    let components = text.split(separator: "/", omittingEmptySubsequences: false)
    let isName =
      components.count <= 2 && !text.contains("--") && !text.contains("..") && !text.hasSuffix(".git")
      && components.allSatisfy { component in
        (1...96).contains(component.utf8.count) && component.utf8.allSatisfy(Self.isAllowed)
          && !"-.".contains(component.first ?? ".") && !"-.".contains(component.last ?? ".")
      }
    guard isName else {
      throw HubError(.usage, "\"\(text)\" is no name of a model: they look like gpt2 or HuggingFaceTB/SmolLM2-135M")
    }
    self.text = text
  }

  /// Without the organisation.
  var base: Substring { text.split(separator: "/").last ?? "" }

  var organisation: String? { text.contains("/") ? text.split(separator: "/").first.map(String.init) : nil }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}

/// A branch, a tag, or a commit. It becomes a file's name under `refs/`, so it may lead nowhere else.
public struct Revision: Equatable, Sendable {
  public static let main = Revision(unchecked: "main")
  public let text: String

  private init(unchecked text: String) { self.text = text }

  public init(_ text: String) throws(HubError) {
    guard isSafeRelativePath(text) else { throw HubError(.usage, "\"\(text)\" is no name of a revision") }
    self.text = text
  }

  /// A commit has no name to be kept under `refs/`.
  var isCommit: Bool { isHexadecimal(text, count: 40) }
}

/// Whether a path that somebody else chose stays in the folder that it is put into, and can be a file's name there: no
/// empty, `.` or `..` component, no control character (NUL among them), no component of more than 255 bytes.
func isSafeRelativePath(_ path: String) -> Bool {
  path.utf8.count <= 1024
    && path.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && $0 != "\\" }
    && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { component in
      (1...255).contains(component.utf8.count) && component != "." && component != ".."
    }
}

/// Whether the text is so many lower-case hexadecimal digits.
func isHexadecimal(_ text: String, count: Int) -> Bool {
  text.utf8.count == count
    && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
}

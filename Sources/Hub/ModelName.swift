/// A model's name on the hub, `NAME` or `ORGANIZATION/NAME`, as in huggingface_hub, `validate_repo_id`: at most 96
/// letters, digits, `-`, `_` and `.` in each part; no `--` or `..`; no `-` or `.` at the start or end of a part; no
/// `.git` at the end.
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
      throw HubError(
        .usage, "invalid model name \"\(text)\"; names look like gpt2 or HuggingFaceTB/SmolLM2-135M")
    }
    self.text = text
  }

  /// The name without the organization.
  var base: Substring { text.split(separator: "/").last ?? "" }

  var organization: String? { text.contains("/") ? text.split(separator: "/").first.map(String.init) : nil }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}

/// A branch, a tag, or a commit. It is used as a relative path below `refs/`, so it must not lead out of that folder.
public struct Revision: Equatable, Sendable {
  public static let main = Revision(unchecked: "main")
  public let text: String

  private init(unchecked text: String) { self.text = text }

  public init(_ text: String) throws(HubError) {
    guard isSafeRelativePath(text) else { throw HubError(.usage, "invalid revision \"\(text)\"") }
    self.text = text
  }

  /// True for a commit, which needs no entry in `refs/`.
  var isCommit: Bool { isHexadecimal(text, count: 40) }
}

/// Returns whether an untrusted relative path stays inside the folder that it is appended to and is valid as a file
/// name: no empty, `.` or `..` component, no control character, no backslash, at most 255 bytes in a component.
func isSafeRelativePath(_ path: String) -> Bool {
  path.utf8.count <= 1024
    && path.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && $0 != "\\" }
    && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { component in
      (1...255).contains(component.utf8.count) && component != "." && component != ".."
    }
}

/// Returns whether the text consists of `count` lower-case hexadecimal digits.
func isHexadecimal(_ text: String, count: Int) -> Bool {
  text.utf8.count == count
    && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
}

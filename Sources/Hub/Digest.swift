import Platform

/// The expected hash of a file. It is also the file's ETag on the hub, and its name in the `blobs` folder of the
/// cache.
public enum Digest: Equatable, Sendable {
  /// The hash of a file in the git repository: SHA-1 of `blob SIZE`, a NUL byte and the content.
  case gitBlob(String)
  /// The SHA-256 of a file in large file storage (LFS).
  case sha256(String)

  /// The lower-case hexadecimal digits.
  public var hexadecimal: String {
    switch self {
    case .gitBlob(let digits), .sha256(let digits): digits
    }
  }

  /// Returns whether an open file has this digest. Reads the file from its start with sha256sum and sha1sum
  /// (coreutils) or shasum (Perl, on macOS), which use the processor's SHA instructions.
  func matches(_ descriptor: Int32, size: Int) throws(HubError) -> Bool {
    let script =
      switch self {
      case .gitBlob: "{ printf 'blob %d\\0' \"$1\"; cat; } | \(Self.program(bits: 1))"
      case .sha256: Self.program(bits: 256)
      }
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw HubError(path: "the file to verify") }
    var output: [UInt8] = []
    let result = try Subprocess.run(["sh", "-c", script, "sh", "\(size)"], input: .file(descriptor)) { output += $0 }
    let digits = String(decoding: output.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
    guard result.status == 0, isHexadecimal(digits, count: hexadecimal.utf8.count) else {
      throw HubError(
        .unavailable,
        "cannot verify the download: neither sha256sum nor shasum could be run: \(result.standardError)")
    }
    return digits == hexadecimal
  }

  private static func program(bits: Int) -> String {
    "if command -v sha\(bits)sum > /dev/null; then exec sha\(bits)sum; else exec shasum -a \(bits); fi"
  }
}

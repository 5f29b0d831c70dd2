import Platform

/// What a file's bytes have to hash to. It is also what the hub calls the file by (its ETag), and so the file's name among
/// the blobs of the cache.
public enum Digest: Equatable, Sendable {
  /// Of a file that lies in the git repository: SHA-1 of `blob SIZE`, a NUL byte and the file.
  case gitBlob(String)
  /// Of a file in large file storage.
  case sha256(String)

  /// Lower-case hexadecimal digits.
  public var hexadecimal: String {
    switch self {
    case .gitBlob(let digits), .sha256(let digits): digits
    }
  }

  /// Whether the bytes of an open file have it; they are read from the beginning. Computed by coreutils' sha256sum and
  /// sha1sum, or Perl's shasum (macOS), which use what the processor has for it.
  func isOf(_ descriptor: Int32, size: Int) throws(HubError) -> Bool {
    let script =
      switch self {
      case .gitBlob: "{ printf 'blob %d\\0' \"$1\"; cat; } | \(Self.program(bits: 1))"
      case .sha256: Self.program(bits: 256)
      }
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw HubError(path: "the file to verify") }
    var output: [UInt8] = []
    let end = try Subprocess.run(["sh", "-c", script, "sh", "\(size)"], input: .file(descriptor)) { output += $0 }
    let digits = String(decoding: output.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
    guard end.status == 0, isHexadecimal(digits, count: hexadecimal.utf8.count) else {
      throw HubError(.unavailable, "neither sha256sum nor shasum could be run to verify what came: \(end.complaint)")
    }
    return digits == hexadecimal
  }

  private static func program(bits: Int) -> String {
    "if command -v sha\(bits)sum > /dev/null; then exec sha\(bits)sum; else exec shasum -a \(bits); fi"
  }
}

import CPlatform
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
}

/// The computation of a file's digest, while its bytes arrive in order.
struct DigestComputation {
  private var hash = lmpipe_hash()

  /// - Parameter size: the size of the file, which git's hash includes.
  init(_ digest: Digest, size: Int) {
    switch digest {
    case .sha256: lmpipe_hash_begin(&hash, true)
    case .gitBlob:
      lmpipe_hash_begin(&hash, false)
      let header = Array("blob \(size)\0".utf8)
      lmpipe_hash_add(&hash, header, header.count)
    }
  }

  mutating func add(_ bytes: UnsafeRawBufferPointer) { lmpipe_hash_add(&hash, bytes.baseAddress, bytes.count) }

  /// Returns the hexadecimal digits of the digest of the bytes so far.
  func digits() -> String {
    var hash = hash
    var digest = [UInt8](repeating: 0, count: 32)
    let count = hash.is_sha256 ? 32 : 20
    lmpipe_hash_end(&hash, &digest)
    return digest.prefix(count).map { Platform.hexadecimal($0, width: 2) }.joined()
  }
}

extension Digest {
  /// Returns whether bytes have this digest.
  func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var computation = DigestComputation(self, size: bytes.count)
    computation.add(bytes)
    return computation.digits() == hexadecimal
  }

  /// Returns whether an open file has this digest.
  ///
  /// - Parameter progress: called with the number of bytes read so far.
  func matches(_ descriptor: Int32, size: Int, progress: (Int) throws(HubError) -> Void = { _ in }) throws(HubError)
    -> Bool
  {
    var computation = DigestComputation(self, size: size)
    var position = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(position))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw HubError(path: "the file to verify") }
      guard count > 0 else { return computation.digits() == hexadecimal }
      computation.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      position += count
      try progress(position)
    }
  }
}

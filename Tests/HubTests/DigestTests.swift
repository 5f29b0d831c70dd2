import Foundation
import TestSupport
import Testing

@testable import Hub

@Suite struct DigestTests {
  private func digits(_ digest: Digest, _ bytes: [UInt8], chunks: Int = .max) -> String {
    var computation = DigestComputation(digest, size: bytes.count)
    var rest = bytes[...]
    while !rest.isEmpty {
      rest.prefix(chunks).withUnsafeBytes { computation.add($0) }
      rest = rest.dropFirst(chunks)
    }
    return computation.digits()
  }

  /// The examples of FIPS 180-4 (NIST, "Examples with Intermediate Values"), and git's hash of the empty file and of
  /// `hello` (`git hash-object`).
  @Test(arguments: [
    (Digest.sha256(""), "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (.sha256(""), "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      .sha256(""), "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (.gitBlob(""), "", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
    (.gitBlob(""), "hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"),
  ])
  func computesPublishedDigests(_ kind: Digest, _ text: String, _ expected: String) {
    #expect(digits(kind, Array(text.utf8)) == expected)
  }

  @Test func computesTheDigestOfAMillionLetters() {
    let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    #expect(
      digits(.sha256(""), bytes) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func chunksDoNotChangeDigests() {
    var generator = SeededGenerator(3)
    for count in Array(0...130) + [1000, 4096] {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      for kind in [Digest.sha256(""), .gitBlob("")] {
        let whole = digits(kind, bytes)
        for chunk in [1, 7, 63, 64, 65, 128] { #expect(digits(kind, bytes, chunks: chunk) == whole) }
      }
    }
  }
}

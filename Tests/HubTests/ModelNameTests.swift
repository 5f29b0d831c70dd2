import Testing

@testable import Hub

@Suite struct ModelNameTests {
  @Test(arguments: ["gpt2", "openai-community/gpt2", "Qwen/Qwen2.5-0.5B", "a/b_c.d", "_a/b_"])
  func aName(_ text: String) throws { #expect(try ModelName(text).text == text) }

  @Test(arguments: [
    "", "/", "a/", "/a", "a/b/c", ".a", "a.", "-a", "a-", "a--b", "a..b", "../a", "a/..", "a.git", "a b", "a\n", "é",
    "https://huggingface.co/gpt2", "a\u{0}b", String(repeating: "a", count: 97),
  ])
  func noName(_ text: String) { #expect(throws: HubError.self) { try ModelName(text) } }

  @Test(arguments: ["main", "v1.0", "refs/pr/1", "607a30d783dfa663caf39e06633721c8d4cfcd7e", "a b"])
  func aRevision(_ text: String) throws { #expect(try Revision(text).text == text) }

  @Test(arguments: ["", ".", "..", "../main", "a/../b", "/a", "a/", "a//b", "a\nb", "a\u{0}", "a\\b"])
  func noRevision(_ text: String) { #expect(throws: HubError.self) { try Revision(text) } }

  @Test func whatGoesIntoAnAddressIsEscaped() {
    #expect(Hub.escaped("refs/pr/1", keeping: "") == "refs%2Fpr%2F1")
    #expect(Hub.escaped("a b/ü?#%.gguf", keeping: "/") == "a%20b/%C3%BC%3F%23%25.gguf")
  }

  @Test(arguments: [
    (0, "0.0 kB"), (999_999, "999.9 kB"), (1_000_000, "1.0 MB"), (98_362_432, "98.3 MB"), (548_105_171, "548.1 MB"),
    (7_000_000_000, "7.0 GB"), (1 << 48, "281.4 TB"),
  ])
  func bytesForPeople(_ bytes: Int, _ text: String) { #expect(formattedByteCount(bytes) == text) }
}

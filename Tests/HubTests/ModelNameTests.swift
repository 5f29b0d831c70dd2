import Checkpoint
import Testing

@testable import Hub

@Suite struct ModelNameTests {
  @Test(arguments: ["gpt2", "openai-community/gpt2", "Qwen/Qwen2.5-0.5B", "a/b_c.d", "_a/b_"])
  func acceptsModelNames(_ text: String) throws { #expect(try ModelName(text).text == text) }

  @Test(arguments: [
    "", "/", "a/", "/a", "a/b/c", ".a", "a.", "-a", "a-", "a--b", "a..b", "../a", "a/..", "a.git", "a b", "a\n", "é",
    "https://huggingface.co/gpt2", "a\u{0}b", String(repeating: "a", count: 97),
  ])
  func rejectsModelNames(_ text: String) { #expect(throws: HubError.self) { try ModelName(text) } }

  @Test(arguments: ["main", "v1.0", "refs/pr/1", "607a30d783dfa663caf39e06633721c8d4cfcd7e", "a b"])
  func acceptsRevisions(_ text: String) throws { #expect(try Revision(text).text == text) }

  @Test(arguments: ["", ".", "..", "../main", "a/../b", "/a", "a/", "a//b", "a\nb", "a\u{0}", "a\\b"])
  func rejectsRevisions(_ text: String) { #expect(throws: HubError.self) { try Revision(text) } }

  @Test func namesOfPackagedModelsAreKnownToCheckpoint() {
    #expect(PackagedModel.all.map(\.name) == ModelLocation.packagedModelNames)
  }

  @Test func percentEncodesURLs() {
    #expect(Hub.escaped("refs/pr/1", keeping: "") == "refs%2Fpr%2F1")
    #expect(Hub.escaped("a b/ü?#%.gguf", keeping: "/") == "a%20b/%C3%BC%3F%23%25.gguf")
  }
}

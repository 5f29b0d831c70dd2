import Foundation
import Platform
import Testing

@testable import Hub

/// Entries that another user may have put into a shared cache.
@Suite final class FolderTests {
  private let outside: String
  private let cache: Folder

  init() throws {
    outside = NSTemporaryDirectory() + "lmpipe-" + UUID().uuidString
    cache = try Folder(making: Path(outside + "/deep/cache"))
    try Data("precious".utf8).write(to: URL(filePath: outside + "/file"))
  }

  deinit { try? FileManager.default.removeItem(atPath: outside) }

  private func precious() throws -> String { try String(contentsOfFile: outside + "/file", encoding: .utf8) }

  @Test func createsMissingFolders() throws {
    let folder = try cache.folder(["a", "b"])
    #expect(folder.path == Path(outside + "/deep/cache/a/b"))
    #expect(isDirectory(folder.path))
    #expect(try cache.folder(["a", "b"]).path == folder.path)
  }

  @Test func followsALinkToTheCache() throws {
    symlink("deep/cache", outside + "/link")
    let link = try Folder(making: Path(outside + "/link"))
    _ = try link.folder(["x"])
    #expect(isDirectory(cache.path(of: "x")))
  }

  @Test(arguments: ["../..", "nowhere", "."])
  func rejectsLinksToFolders(_ target: String) throws {
    symlink(target, cache.path(of: "link").cString)
    let error = #expect(throws: HubError.self) { try self.cache.folder(["link", "x"]) }
    #expect(error?.message.contains("/link: lm-pull does not write through symbolic links") == true)
    #expect(!lexists(Path(outside + "/x")))
  }

  @Test(arguments: ["../../file", "../../new"])
  func rejectsLinksToFiles(_ target: String) throws {
    symlink(target, cache.path(of: "link").cString)
    #expect(throws: HubError.self) { try self.cache.openOrMake("link") }
    #expect(!lexists(Path(outside + "/new")))
  }

  @Test func replacesLinksWhenWriting() throws {
    symlink("../../file", cache.path(of: "symbolic").cString)
    #expect(link(outside + "/file", cache.path(of: "hard").cString) == 0)
    #expect(mkfifo(cache.path(of: "pipe").cString, 0o600) == 0)
    for name in ["symbolic", "hard", "pipe", "new"] as [Path] {
      let file = try cache.openOwn(name)
      #expect(write(file, "x", 1) == 1)
      close(file)
      #expect(cache.size(ofFile: name) == 1)
      #expect(cache.status(name)?.st_nlink == 1)
    }
    #expect(try precious() == "precious")
    close(try cache.openOwn("new"))
    #expect(cache.size(ofFile: "new") == 1, "the user's own file is kept")
  }

  @Test func temporaryNamesAreUnique() throws {
    let names = Set(try (0..<100).map { _ in try cache.makeTemporaryFile("x", for: "x") })
    #expect(names.count == 100)
    let link = try cache.makeTemporaryLink(to: "target", for: "x")
    #expect(cache.linkTarget(link) == "target")
    try cache.rename(link, to: "name", in: cache.folder(["deep"]))
    #expect(cache.status(link) == nil)
    #expect(try cache.folder(["deep"]).linkTarget("name") == "target")
  }

  @Test func privateFolderReplacesLeftovers() throws {
    let first = try cache.makePrivateFolder("p")
    close(try first.openOrMake("left"))
    let second = try cache.makePrivateFolder("p")
    #expect(second.status("left") == nil)
    #expect(cache.status("p").map { $0.st_mode & 0o777 } == 0o700)
    try cache.removeFolder("p")
    #expect(cache.status("p") == nil)
    symlink("../..", cache.path(of: "p").cString)
    #expect(throws: HubError.self) { try self.cache.makePrivateFolder("p") }
    #expect(lexists(Path(outside + "/file")))
  }

  @Test func comparesFileContents() throws {
    let name = try cache.makeTemporaryFile("abc", for: "x")
    #expect(cache.hasFile(name, holding: "abc"))
    for other in ["ab", "abcd", "", "abd"] { #expect(!cache.hasFile(name, holding: other)) }
    #expect(!cache.hasFile("nothing", holding: ""))
  }
}

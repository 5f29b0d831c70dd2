import Testing

@testable import Hub

@Suite struct SearchPathTests {
  @Test(arguments: [
    ("/usr/bin:/bin", "/usr/bin:/bin"), (".:/bin", "/bin"), (":/bin:", "/bin"), ("/bin::/usr/bin", "/bin:/usr/bin"),
    ("bin:./x:../y:~/bin:/bin", "/bin"), ("", ""), (".", ""),
  ])
  func onlyAbsoluteFoldersAreSearched(_ path: String, _ result: String) {
    #expect(SearchPath.absoluteEntries(of: path) == result)
  }
}

import Platform
import Testing

@testable import Hub

@Suite struct SearchPathTests {
  @Test(arguments: [
    ("/usr/bin:/bin", "/usr/bin:/bin"), (".:/bin", "/bin"), (":/bin:", "/bin"), ("/bin::/usr/bin", "/bin:/usr/bin"),
    ("bin:./x:../y:~/bin:/bin", "/bin"), ("", ""), (".", ""),
    (Path(Array("b:/caf".utf8) + [0xE9]), Path(Array("/caf".utf8) + [0xE9])),
  ])
  func keepsOnlyAbsoluteFolders(_ path: Path, _ result: Path) {
    #expect(SearchPath.absoluteEntries(of: path) == result)
  }
}

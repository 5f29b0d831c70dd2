import Platform
import Testing

@Suite struct PathTests {
  private let latin1 = Path([UInt8(ascii: "c"), UInt8(ascii: "a"), UInt8(ascii: "f"), 0xE9])

  @Test(
    arguments: [
      ("a/b/c", "a/b", "c", ["a", "b", "c"]), ("a", ".", "a", ["a"]), ("/a", "/", "a", ["a"]), ("/", "/", "", []),
      ("a/", "a", "", ["a"]), ("//a//b", "//a/", "b", ["a", "b"]), ("", ".", "", []),
    ] as [(Path, Path, Path, [Path])])
  func splitsAtSlashes(_ path: Path, _ parent: Path, _ last: Path, _ components: [Path]) {
    #expect(path.parent == parent && path.lastComponent == last && path.components == components)
  }

  @Test func appendsComponentsAndSuffixes() {
    #expect(
      Path("a").appending("b") == "a/b" && Path("a/").appending("b/c") == "a/b/c" && Path("").appending("b") == "b")
    #expect(Path("/").appending("b") == "/b" && Path("a").appending(suffix: ".tmp") == "a.tmp")
    #expect(Path("x").appending(latin1).bytes == [0x78, 0x2F, 0x63, 0x61, 0x66, 0xE9])
    #expect(
      Path("model.gguf").hasSuffix(".gguf") && !Path("gguf").hasSuffix(".gguf")
        && Path("models--x").hasPrefix("models--"))
  }

  /// Names in a different Unicode normal form, or with replaced invalid bytes, are different names.
  @Test func comparesBytes() {
    #expect(Path("\u{E9}") != Path("e\u{301}") && latin1 != Path("caf\u{FFFD}"))
    #expect([Path("b"), latin1, "a", "caf"].sorted() == ["a", "b", "caf", latin1])
  }

  @Test(arguments: [
    (Path("notes.txt"), "notes.txt"), (Path("caf\u{E9} \u{65E5}"), "caf\u{E9} \u{65E5}"), (Path(""), "\"\""),
    (Path([0x63, 0xE9]), #"c\xE9"#), (Path([0xE2, 0x82]), #"\xE2\x82"#), (Path([0xE2, 0x82, 0x41]), #"\xE2\x82A"#),
    (Path([0xED, 0xA0, 0x80, 0xFF, 0xC0, 0xAF]), #"\xED\xA0\x80\xFF\xC0\xAF"#),
    (Path("a\u{1B}[31mb\n\u{7F}\u{85}"), #"a\u{1B}[31mb\n\u{7F}\u{85}"#),
    (Path("x\u{202E}y\u{2028}"), #"x\u{202E}y\u{2028}"#),
  ])
  func messagesShowEscapes(_ path: Path, _ text: String) {
    #expect("\(path)" == text)
    #expect(FileError(path: path, code: 2).description == "\(text): No such file or directory")
  }

  @Test func hexadecimalNumbersHaveAMinimumWidth() {
    #expect(hexadecimal(UInt8(10)) == "a" && hexadecimal(UInt8(10), width: 2, uppercase: true) == "0A")
    #expect(hexadecimal(0, width: 4) == "0000" && hexadecimal(UInt64.max, width: 2) == "ffffffffffffffff")
  }

  @Test func textIsUnchangedIfItIsUTF8() {
    #expect(Path("a\nb").text == "a\nb" && latin1.text == #"caf\xE9"# && Path("").text == "")
  }

  @Test func pathsWithNULNameNoFile() {
    #expect(Path("a").cString == [97, 0] && Path("a\0b").cString == [0] && latin1.cString == [99, 97, 102, -23, 0])
    #expect(!lexists("/\0x") && !isDirectory("/\0x") && fileSize("/etc/passwd\0") == nil)
    #expect(throws: FileError(path: "/etc/passwd\0.json", code: 2)) { try MappedFile(path: "/etc/passwd\0.json") }
  }
}

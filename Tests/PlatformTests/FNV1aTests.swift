import Platform
import Testing

@Suite struct FNV1aTests {
  /// Test vectors published by the authors (draft-eastlake-fnv).
  @Test(arguments: [("", 0xCBF2_9CE4_8422_2325), ("a", 0xAF63_DC4C_8601_EC8C), ("foobar", 0x8594_4171_F739_67E8)])
  func hashesTestVectors(text: String, expected: UInt64) {
    var hash = FNV1a()
    for byte in text.utf8 { hash.combine(byte) }
    #expect(hash.value == expected)
  }
}

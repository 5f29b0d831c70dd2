import JSON

/// The strings that members of this name hold, in all objects of a JSON text that are elements of arrays, at any depth of
/// arrays and objects up to ten; none where it is no JSON.
func stringMembers(_ name: String, of json: [UInt8]) -> [String] {
  var found: [String] = []
  func visit(_ scanner: inout JSONScanner, depth: Int) throws(JSONError) {
    switch try scanner.kind() {
    case .array where depth < 10:
      try scanner.array { scanner throws(JSONError) in try visit(&scanner, depth: depth + 1) }
    case .object where depth < 10:
      try scanner.object { member, scanner throws(JSONError) in
        if scanner.matches(member, name), try scanner.kind() == .string {
          found.append(try scanner.swiftString())
        } else {
          try visit(&scanner, depth: depth + 1)
        }
      }
    default: _ = try scanner.skipValue()
    }
  }
  return json.withUnsafeBufferPointer { bytes in
    var scanner = JSONScanner(bytes)
    do throws(JSONError) { try visit(&scanner, depth: 0) } catch { return [] }
    return found
  }
}

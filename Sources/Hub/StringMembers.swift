import JSON

/// Returns the values of the first 1,000 string members of a name, in objects nested up to ten levels deep in arrays
/// and objects. Empty if the text is not valid JSON.
func stringMembers(_ name: String, of json: [UInt8]) -> [String] {
  var found: [String] = []
  func visit(_ scanner: inout JSONScanner, depth: Int) throws(JSONError) {
    switch try scanner.kind() {
    case .array where depth < 10:
      try scanner.array { scanner throws(JSONError) in try visit(&scanner, depth: depth + 1) }
    case .object where depth < 10:
      try scanner.object { member, scanner throws(JSONError) in
        if scanner.matches(member, name), try scanner.kind() == .string {
          let string = try scanner.swiftString()
          if found.count < 1000 { found.append(string) }
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

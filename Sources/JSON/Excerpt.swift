/// So many characters of a text are quoted.
private let excerptLimit = 60

/// What a message quotes of text from a file or a record, which may be of any length: all of a short one, else its
/// beginning and its length, such as `aaaaaaaa… (5000000 bytes)`. What is not UTF-8 becomes U+FFFD.
public func excerpt(_ text: some RandomAccessCollection<UInt8>) -> String {
  // Scalars, because a Character may consist of any number of them; four bytes hold each.
  let beginning = String(decoding: text.prefix(4 * excerptLimit), as: UTF8.self)
  let scalars = beginning.unicodeScalars
  guard text.count > 4 * excerptLimit || scalars.count > excerptLimit else { return beginning }
  return String(String.UnicodeScalarView(scalars.prefix(excerptLimit))) + "… (\(text.count) bytes)"
}

/// The same for a string.
public func excerpt(_ text: String) -> String {
  var text = text
  return text.withUTF8 { excerpt($0) }
}

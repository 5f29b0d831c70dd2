/// The maximum number of characters in an excerpt.
private let excerptLimit = 60

/// Returns an excerpt of a text for a message: all of a short text, otherwise its beginning and its length, such as
/// `aaaaaaaa… (5000000 bytes)`. Invalid UTF-8 is replaced by U+FFFD.
public func excerpt(_ text: some RandomAccessCollection<UInt8>) -> String {
  // Counted in scalars, because a Character may consist of any number of them. A scalar takes at most four bytes.
  let beginning = String(decoding: text.prefix(4 * excerptLimit), as: UTF8.self)
  let scalars = beginning.unicodeScalars
  guard text.count > 4 * excerptLimit || scalars.count > excerptLimit else { return beginning }
  return String(String.UnicodeScalarView(scalars.prefix(excerptLimit))) + "… (\(text.count) bytes)"
}

/// Returns an excerpt of a string for a message.
public func excerpt(_ text: String) -> String {
  var text = text
  return text.withUTF8 { excerpt($0) }
}

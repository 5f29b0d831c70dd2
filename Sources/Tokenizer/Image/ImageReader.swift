/// An image that has another form than `ImageWriter` gives it. The tokenizer is then opened from its source.
struct ImageError: Error {}

/// Reads what `ImageWriter` has written, and compares every length with the bytes that are left.
///
/// Unsafe pointers: `base[..<count]` is readable as long as `owner` exists, which each flat array keeps.
struct ImageReader {
  private let base: UnsafeRawPointer
  private let count: Int
  private let owner: AnyObject
  private var position = 0

  /// - Precondition: `bytes` begin at a multiple of `ImageWriter.alignment`.
  init(_ bytes: UnsafeRawBufferPointer, owner: AnyObject) throws(ImageError) {
    guard let base = bytes.baseAddress else { throw ImageError() }
    (self.base, count, self.owner) = (base, bytes.count, owner)
  }

  /// True if nothing is left.
  var isAtEnd: Bool { position == count }

  mutating func integer() throws(ImageError) -> Int {
    guard count - position >= 8 else { throw ImageError() }
    defer { position += 8 }
    return base.loadUnaligned(fromByteOffset: position, as: Int.self)
  }

  mutating func word() throws(ImageError) -> UInt64 { UInt64(bitPattern: Int64(try integer())) }

  mutating func integer(in range: ClosedRange<Int>) throws(ImageError) -> Int {
    let number = try integer()
    guard range.contains(number) else { throw ImageError() }
    return number
  }

  mutating func flag() throws(ImageError) -> Bool { try integer(in: 0...1) == 1 }

  mutating func byteString() throws(ImageError) -> [UInt8] {
    let length = try integer()
    guard length >= 0, length <= count - position else { throw ImageError() }
    defer { position += length }
    return Array(UnsafeRawBufferPointer(start: base + position, count: length))
  }

  mutating func string() throws(ImageError) -> String {
    guard let text = String(validating: try byteString(), as: UTF8.self) else { throw ImageError() }
    return text
  }

  mutating func optional<Value>(
    _ read: (inout ImageReader) throws(ImageError) -> Value
  ) throws(ImageError) -> Value? {
    try flag() ? try read(&self) : nil
  }

  /// Reads values, each of which has at least eight bytes.
  mutating func values<Value>(
    _ read: (inout ImageReader) throws(ImageError) -> Value
  ) throws(ImageError) -> [Value] {
    let number = try integer(in: 0...(count - position) / 8)
    var values: [Value] = []
    values.reserveCapacity(number)
    for _ in 0..<number { values.append(try read(&self)) }
    return values
  }

  /// Reads an array of trivial values of which any bits are valid.
  mutating func array<Element: BitwiseCopyable>(
    _ type: Element.Type = Element.self
  ) throws(ImageError) -> FlatArray<Element> {
    let number = try integer()
    try align()
    let (size, overflows) = number.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    guard number >= 0, !overflows, size <= count - position - ImageWriter.padding else { throw ImageError() }
    defer { position += size + ImageWriter.padding }
    let start = (base + position).assumingMemoryBound(to: Element.self)
    return FlatArray(start, count: number, owner: owner)
  }

  /// Skips zeros up to a multiple of the alignment.
  mutating func align() throws(ImageError) {
    let aligned = (position + ImageWriter.alignment - 1) & ~(ImageWriter.alignment - 1)
    guard aligned <= count else { throw ImageError() }
    position = aligned
  }
}

/// Throws if a condition does not hold.
func require(_ condition: Bool) throws(ImageError) { if !condition { throw ImageError() } }

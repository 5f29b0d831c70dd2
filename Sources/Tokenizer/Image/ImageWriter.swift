/// Appends the parts of an image to a byte array: numbers of eight bytes, byte strings after their length, and flat
/// arrays, which are aligned and followed by readable bytes (see "Padding" in Slab.swift).
struct ImageWriter {
  /// A flat array begins at a multiple of this size, one cache line.
  static let alignment = 64
  /// The number of zeros after a flat array, at least.
  static let padding = 64

  private(set) var bytes: [UInt8] = []

  mutating func append(_ number: Int) { withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) } }

  mutating func append(_ word: UInt64) { append(Int(bitPattern: UInt(word))) }

  mutating func append(_ flag: Bool) { append(flag ? 1 : 0) }

  mutating func append(_ text: some Collection<UInt8>) {
    append(text.count)
    bytes.append(contentsOf: text)
  }

  mutating func append(_ text: String) { append(text.utf8) }

  /// Appends a value that may be missing.
  mutating func append<Value>(_ value: Value?, _ write: (inout ImageWriter, Value) -> Void) {
    append(value != nil)
    if let value { write(&self, value) }
  }

  /// Appends the number of values, and the values.
  mutating func append<Value>(_ values: some Collection<Value>, _ write: (inout ImageWriter, Value) -> Void) {
    append(values.count)
    for value in values { write(&self, value) }
  }

  mutating func append<Element>(_ array: FlatArray<Element>) { append(table: array.buffer) }

  mutating func append<Element: BitwiseCopyable>(table elements: UnsafeBufferPointer<Element>) {
    append(elements.count)
    align()
    bytes.append(contentsOf: UnsafeRawBufferPointer(elements))
    bytes.append(contentsOf: repeatElement(0, count: Self.padding))
  }

  /// Appends zeros up to a multiple of the alignment.
  mutating func align() {
    bytes.append(contentsOf: repeatElement(0, count: (Self.alignment - bytes.count % Self.alignment) % Self.alignment))
  }
}

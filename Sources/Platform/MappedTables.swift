/// Consecutive strings in a mapped file, each preceded by its length in eight little-endian bytes, as in GGUF. There is
/// no index: access is sequential.
///
/// Unsafe pointers: a string is valid as long as `file` exists. Strings do not extend past `range`, which is inside the
/// file.
public struct MappedStrings: Sequence, Sendable {
  public let file: MappedFile
  public let range: Range<Int>
  public let count: Int

  public init(_ file: MappedFile, _ range: Range<Int>, count: Int) {
    precondition(range.clamped(to: 0..<file.bytes.count) == range)
    (self.file, self.range, self.count) = (file, range, count)
  }

  public var underestimatedCount: Int { count }

  public func makeIterator() -> Iterator {
    Iterator(bytes: UnsafeRawBufferPointer(rebasing: file.bytes[range]), left: count)
  }

  public struct Iterator: IteratorProtocol {
    let bytes: UnsafeRawBufferPointer
    var position = 0
    var left: Int

    /// Returns the bytes of the next string; nil after the last one, and if a string would extend past the range.
    public mutating func next() -> UnsafeBufferPointer<UInt8>? {
      guard left > 0, bytes.count - position >= 8 else { return nil }
      let length = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
      guard length <= UInt64(bytes.count - position) else { return nil }
      defer {
        position += Int(length)
        left -= 1
      }
      return UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(length)]).bindMemory(to: UInt8.self)
    }
  }
}

/// Little-endian 32-bit integers in a mapped file, at any alignment.
public struct MappedInt32s: RandomAccessCollection, Sendable {
  public let file: MappedFile
  private let start: Int
  public let count: Int

  public init(_ file: MappedFile, at start: Int, count: Int) {
    precondition(start >= 0 && count >= 0 && count <= (file.bytes.count - start) / 4)
    (self.file, self.start, self.count) = (file, start, count)
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { count }

  public subscript(index: Int) -> Int32 {
    precondition(indices.contains(index))
    return Int32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: start + 4 * index, as: Int32.self))
  }
}

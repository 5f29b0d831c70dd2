import JSON
import Platform

/// A growable buffer of token ids and, optionally, the offsets where the tokens end: the output of an encoder.
///
/// Unsafe pointers: `ids[0..<count]` is initialized, and so is `ends[0..<count]` if ends are recorded.
public final class TokenBuffer {
  public private(set) var count = 0
  private var capacity = 0
  private var idBase: UnsafeMutablePointer<Int32>  // from malloc, like `endBase`
  private var endBase: UnsafeMutablePointer<Int>?

  /// Creates an empty buffer, which records the tokens' ends if `recordsEnds` is true.
  public init(recordsEnds: Bool) {
    idBase = reallocated(nil, capacity: 0)
    if recordsEnds { endBase = reallocated(nil, capacity: 0) }
  }

  deinit {
    free(idBase)
    free(endBase)
  }

  var recordsEnds: Bool { endBase != nil }

  /// The ids of the tokens. Valid until the next change of the buffer.
  public var ids: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(start: idBase, count: count) }

  /// The byte offset in the text at which each token ends; empty if ends are not recorded. Valid until the next change
  /// of the buffer.
  public var ends: UnsafeBufferPointer<Int> { UnsafeBufferPointer(start: endBase, count: endBase == nil ? 0 : count) }

  /// Removes all tokens and keeps the memory.
  public func removeAll() { count = 0 }

  /// Removes all tokens after the first `newCount`.
  public func truncate(to newCount: Int) {
    precondition(newCount <= count)
    count = newCount
  }

  /// Appends a token that ends at the byte offset `end` of the text.
  public func append(_ id: Int32, end: Int) {
    fill(upTo: 1) { $0.append(id, end: end) }
  }

  /// Replaces the ends of the tokens from index `first` on by the results of `change`, which is called in order.
  func changeEnds(from first: Int, _ change: (Int) -> Int) {
    guard let endBase else { return }
    for index in first..<count { endBase[index] = change(endBase[index]) }
  }

  /// A position after the last token, for appending without checks of the capacity.
  struct Cursor {
    fileprivate(set) var ids: UnsafeMutablePointer<Int32>
    fileprivate(set) var ends: UnsafeMutablePointer<Int>?

    @inline(__always)
    mutating func append(_ id: Int32, end: Int) {
      ids.pointee = id
      ids += 1
      if let ends {
        ends.pointee = end
        self.ends = ends + 1
      }
    }

    /// Adds `amount` ids, which the caller has stored after the last one. Only if ends are not recorded.
    @inline(__always)
    mutating func appendStored(_ amount: Int) { ids += amount }
  }

  /// Calls `write` with a cursor through which it may append at most `limit` tokens. If it throws, nothing is appended.
  @inline(__always)
  func fill<E>(upTo limit: Int, _ write: (inout Cursor) throws(E) -> Void) throws(E) {
    if capacity - count < limit { grow(by: limit) }
    var cursor = Cursor(ids: idBase + count, ends: endBase.map { $0 + count })
    try write(&cursor)
    count = cursor.ids - idBase
  }

  private func grow(by amount: Int) {
    capacity = max(2 * capacity, count + amount)
    idBase = reallocated(idBase, capacity: capacity)
    endBase = endBase.map { reallocated($0, capacity: capacity) }
  }
}

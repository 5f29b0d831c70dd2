import JSON
import Platform

/// What an encoder makes of texts: token ids, and, where they are wanted, the places where the tokens end.
///
/// Unsafe pointers: `ids[0..<count]` is initialized, and so is `ends[0..<count]` where there are ends.
public final class TokenBuffer {
  public private(set) var count = 0
  private var capacity = 0
  private var idBase: UnsafeMutablePointer<Int32>  // malloc's, as the other
  private var endBase: UnsafeMutablePointer<Int>?

  public init(recordsEnds: Bool) {
    idBase = reallocated(nil, capacity: 0)
    if recordsEnds { endBase = reallocated(nil, capacity: 0) }
  }

  deinit {
    free(idBase)
    free(endBase)
  }

  var recordsEnds: Bool { endBase != nil }

  /// Valid until the next change.
  public var ids: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(start: idBase, count: count) }

  /// The byte offset in the text where each token ends; valid until the next change. Empty where it is not recorded.
  public var ends: UnsafeBufferPointer<Int> { UnsafeBufferPointer(start: endBase, count: endBase == nil ? 0 : count) }

  public func removeAll() { count = 0 }

  /// Forgets all but the first `newCount` tokens.
  public func truncate(to newCount: Int) {
    precondition(newCount <= count)
    count = newCount
  }

  public func append(_ id: Int32, end: Int) {
    fill(upTo: 1) { $0.append(id, end: end) }
  }

  /// Changes the ends of the tokens from `first` on, in order.
  func changeEnds(from first: Int, _ change: (Int) -> Int) {
    guard let endBase else { return }
    for index in first..<count { endBase[index] = change(endBase[index]) }
  }

  /// A place behind the last token, where more can be written.
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

    /// Where no ends are recorded: counts ids that the caller has stored behind the last.
    @inline(__always)
    mutating func appendStored(_ amount: Int) { ids += amount }
  }

  /// Lets `write` append `limit` tokens at most. What it appended before it throws is forgotten.
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

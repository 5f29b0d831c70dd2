/// A read-only array of trivial values in memory of another object: a slab, or a mapped image of a tokenizer.
///
/// Unsafe pointers: `base[0..<count]` is initialized, and at least 16 more elements (or 64 bytes) are readable: see
/// "Padding" in Slab.swift. They are valid as long as `owner` exists. Code that copies `base` must keep the array.
struct FlatArray<Element: BitwiseCopyable>: @unchecked Sendable {  // nothing writes to the elements
  let base: UnsafePointer<Element>
  let count: Int
  let owner: AnyObject

  init(_ base: UnsafePointer<Element>, count: Int, owner: AnyObject) {
    (self.base, self.count, self.owner) = (base, count, owner)
  }

  /// The elements of an array that is complete.
  init(_ array: SlabArray<Element>) { self.init(UnsafePointer(array.base), count: array.count, owner: array.slab) }

  var buffer: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }
}

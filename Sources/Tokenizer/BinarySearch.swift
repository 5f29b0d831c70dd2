/// Returns the first index in `0..<count` for which `predicate` is true, or `count` if there is none.
///
/// Complexity: O(log `count`).
/// - Precondition: If `predicate` is true for an index, it is true for all later ones.
@inline(__always)
func firstIndex(below count: Int, where predicate: (Int) -> Bool) -> Int {
  var (low, high) = (0, count)
  while low < high {
    let middle = (low + high) / 2
    if predicate(middle) { high = middle } else { low = middle + 1 }
  }
  return low
}

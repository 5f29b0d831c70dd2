import Platform

/// Zeroed memory, handed out piece by piece and given back as a whole.
///
/// The more is asked for, the more it comes from huge pages, where the system has some to give. Opening GPT-2's
/// vocabulary fills less than two megabytes: that is one page fault instead of some four hundred, and those would take
/// longer than the work itself.
final class Slab {
  private static let hugePage = 1 << 21
  private static let leastChunk = 4 * hugePage  // what is never touched costs nothing

  private var chunks: [UnsafeMutableRawBufferPointer] = []
  private var free = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  deinit {
    for chunk in chunks { munmap(chunk.baseAddress, chunk.count) }
  }

  /// Memory for `count` elements, all zero, aligned to 64 bytes, which lives as long as the slab.
  func allocate<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) -> UnsafeMutablePointer<Element> {
    let size = (count * MemoryLayout<Element>.stride + 63) & ~63
    if free.count < size { addChunk(size) }
    guard let base = free.baseAddress else { fatalError("no memory was asked for") }
    free = UnsafeMutableRawBufferPointer(rebasing: free[size...])
    return base.bindMemory(to: Element.self, capacity: count)
  }

  private func addChunk(_ size: Int) {
    let isLarge = size >= Self.hugePage / 4
    let room = isLarge ? max((size + Self.hugePage - 1) & ~(Self.hugePage - 1), Self.leastChunk) : size
    let mapped = isLarge ? room + Self.hugePage : room  // so that a huge page begins where we begin
    guard let start = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), start != MAP_FAILED
    else { abortOutOfMemory(wanted: mapped) }
    chunks.append(UnsafeMutableRawBufferPointer(start: start, count: mapped))
    free = UnsafeMutableRawBufferPointer(start: start, count: mapped)
    guard isLarge else { return }
    free = UnsafeMutableRawBufferPointer(start: start.alignedUp(toMultipleOf: Self.hugePage), count: room)
    #if os(Linux)
      madvise(free.baseAddress, room, MADV_HUGEPAGE)
    #endif
  }
}

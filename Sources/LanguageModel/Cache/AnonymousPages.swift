import Platform

/// Pages of a KV cache in anonymous memory.
final class AnonymousPages: CachePages {
  private let size: Int
  private var pages: [UnsafeMutablePointer<Float>] = []

  /// - Parameter size: the number of float32 numbers in a page.
  init(size: Int) { self.size = size * MemoryLayout<Float>.size }

  deinit { for page in pages { munmap(page, size) } }

  /// Returns a page. A new page contains zeros, and takes memory only when it is written.
  func page(_ index: Int) -> UnsafeMutablePointer<Float> {
    if index < pages.count { return pages[index] }
    guard let page = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), page != MAP_FAILED
    else { abortOutOfMemory(wanted: size) }
    pages.append(page.assumingMemoryBound(to: Float.self))
    return pages[index]
  }
}

import Platform

/// Pages of memory that belong to no file.
final class AnonymousPages: CachePages {
  private let size: Int
  private var pages: [UnsafeMutablePointer<Float>] = []

  /// - Parameter size: of a page, in numbers.
  init(size: Int) { self.size = size * MemoryLayout<Float>.size }

  deinit { for page in pages { munmap(page, size) } }

  /// At first zeros, which take memory only where they are overwritten.
  func page(_ index: Int) -> UnsafeMutablePointer<Float> {
    if index < pages.count { return pages[index] }
    guard let page = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), page != MAP_FAILED
    else { abortOutOfMemory(wanted: size) }
    pages.append(page.assumingMemoryBound(to: Float.self))
    return pages[index]
  }
}

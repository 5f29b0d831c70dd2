import Platform
import Tokenizer

/// The images of tokenizers in the user's cache folder, and those to write when the tool ends.
final class TokenizerImages: @unchecked Sendable {  // `pending` is guarded by `mutex`
  static let shared = TokenizerImages()

  /// Nil if the user has no cache folder, or has switched the images off.
  private let folder = userFolder()
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)  // never freed
  private var pending: [(image: ImageFolder.Entry, tokenizer: Tokenizer)] = []

  private init() { pthread_mutex_init(mutex, nil) }

  /// Returns the image of a tokenizer, which need not exist. Call it before the tokenizer's files are read.
  func image(_ path: Path, preTokenizer: String?, for purpose: Tokenizer.Purpose) -> ImageFolder.Entry? {
    folder?.entry(path, preTokenizer: preTokenizer, for: purpose)
  }

  /// Writes an image when the tool ends, so that the output does not wait for it.
  func writeAtEnd(_ image: ImageFolder.Entry, _ tokenizer: Tokenizer) {
    pthread_mutex_lock(mutex)
    pending.append((image, tokenizer))
    pthread_mutex_unlock(mutex)
  }

  /// Writes the pending images. Call it once, after the output is closed.
  func writePending() {
    pthread_mutex_lock(mutex)
    for (image, tokenizer) in pending { image.write(tokenizer) }
    pending = []
    pthread_mutex_unlock(mutex)
  }

  private static func userFolder() -> ImageFolder? {
    guard environmentVariable("LM_NO_TOKENIZER_CACHE") ?? "0" == "0" else { return nil }
    func folder(_ root: Path) -> ImageFolder { ImageFolder(root, program: Tool.version) }
    if let root = environmentPath("LMPIPE_CACHE") { return folder(root) }
    // A relative path is invalid (XDG Base Directory Specification)
    if let cache = environmentPath("XDG_CACHE_HOME"), cache.hasPrefix("/") { return folder(cache.appending("lmpipe")) }
    #if canImport(Darwin)
      let caches: Path = "Library/Caches"
    #else
      let caches: Path = ".cache"
    #endif
    return environmentPath("HOME").map { folder($0.appending(caches).appending("lmpipe")) }
  }
}

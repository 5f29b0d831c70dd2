import Platform

/// A folder with images of tokenizers, in the user's cache folder. It and the images must belong to the user and must
/// not be writable for others; otherwise there are no images.
///
/// Errors are ignored: without an image a tokenizer is opened from its files.
public struct ImageFolder: Sendable {
  private let root: Path
  private let program: String
  /// In seconds; 2 because the resolution of times in file systems is at most that of FAT.
  private let settlingTime: Int

  private var folder: Path { root.appending("tokenizers") }

  /// Smaller images are not written: their tokenizers open in less than two milliseconds.
  private let minSize: Int
  /// All images together are not larger than this: the images that were used least recently are removed.
  private static let maxTotalSize = 1 << 29
  private static let day = 24 * 60 * 60
  /// An image that was not used for this time, in seconds, is removed.
  private static let maxAge = 90 * day

  /// - Parameters:
  ///   - root: The folder of the program in the user's cache folder. It and its parent are created when the first image
  ///     is written.
  ///   - program: The version of the program. Images of other versions are not used.
  public init(_ root: Path, program: String) { self.init(root, program: program, minSize: 1 << 20, settlingTime: 2) }

  /// - Parameter settlingTime: The tokenizers of files that were modified in this many last seconds get no image,
  ///   because the next change of such a file may have the same time.
  package init(_ root: Path, program: String, minSize: Int, settlingTime: Int) {
    (self.root, self.program, self.minSize, self.settlingTime) = (root, program, minSize, settlingTime)
  }

  /// The image of one tokenizer.
  public struct Entry: Sendable {
    fileprivate let images: ImageFolder
    fileprivate let path: Path
    fileprivate let preTokenizer: String?
    fileprivate let purpose: Tokenizer.Purpose
    fileprivate let source: ImageSource
  }

  /// Returns the image of a tokenizer, which need not exist; nil if the source does not exist.
  ///
  /// - Parameters:
  ///   - path: A folder with tokenizer files, or a GGUF file.
  ///   - preTokenizer: The name of the pre-tokenizer of a GGUF file, if it is not the one in the file.
  public func entry(_ path: Path, preTokenizer: String?, for purpose: Tokenizer.Purpose) -> Entry? {
    ImageSource(path, preTokenizer: preTokenizer, purpose, program: program, settlingTime: settlingTime).map {
      Entry(images: self, path: path, preTokenizer: preTokenizer, purpose: purpose, source: $0)
    }
  }

  /// Opens the folder; nil if it is missing, or if another user could write to it.
  fileprivate func open() -> Int32? {
    let descriptor = Platform.open(folder.cString, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { return nil }
    var information = stat()
    guard fstat(descriptor, &information) == 0, Self.isPrivate(information) else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  fileprivate static func isPrivate(_ information: stat) -> Bool {
    information.st_uid == geteuid() && information.st_mode & 0o022 == 0
  }

  /// Creates the folder.
  fileprivate func create() {
    for path in [root.parent, root, folder] { mkdir(path.cString, 0o700) }
    let tag = root.appending("CACHEDIR.TAG")
    guard !lexists(tag) else { return }
    let text = "Signature: 8a477f597d28d172789f06886806bc55\n# Cache of lmpipe, see https://bford.info/cachedir/\n"
    _ = Self.write(Array(text.utf8), tag, AT_FDCWD)
  }

  /// Writes a new file. Returns false if it exists, or after an error; nothing is left in this case.
  fileprivate static func write(_ bytes: [UInt8], _ path: Path, _ folder: Int32) -> Bool {
    let descriptor = openat(folder, path.cString, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return false }
    let isWritten = bytes.withUnsafeBytes { bytes in
      var rest = bytes
      while !rest.isEmpty {
        let count = Platform.write(descriptor, rest.baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
      return true
    }
    guard close(descriptor) == 0, isWritten else {
      unlinkat(folder, path.cString, 0)
      return false
    }
    return true
  }

  /// Removes the images that were not used for a long time, temporary files of processes that were killed, and the
  /// least recently used images if all together are too large.
  fileprivate func removeOldFiles(_ descriptor: Int32) {
    var files: [(name: Path, size: Int, age: Int)] = []
    let now = Int(time(nil))
    for name in entries(ofFolder: folder) {
      var information = stat()
      guard fstatat(descriptor, name.cString, &information, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
      let used = information.times.modified.tv_sec
      files.append((name, Int(information.st_size), now - Int(used)))
    }
    var total = 0
    for file in files.sorted(by: { $0.age < $1.age }) {
      total += file.size
      let isTemporary = file.name.hasSuffix(".partial")
      guard file.age > (isTemporary ? Self.day : Self.maxAge) || total > Self.maxTotalSize && !isTemporary else {
        continue
      }
      unlinkat(descriptor, file.name.cString, 0)
    }
  }
}

extension ImageFolder.Entry {
  /// Returns the contents of the image; nil if there is no image, or one that was made from something else.
  public func contents() -> TokenizerImage.Contents? {
    guard let folder = images.open() else { return nil }
    defer { close(folder) }
    let descriptor = openat(folder, source.name.cString, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var information = stat()
    guard fstat(descriptor, &information) == 0, ImageFolder.isPrivate(information),
      let file = try? MappedFile(path: images.folder.appending(source.name), descriptor, readsAll: true),
      let contents = TokenizerImage.contents(of: file.bytes, owner: file, key: source.key, purpose)
    else { return nil }
    let used = information.times.modified.tv_sec
    if Int(time(nil)) - Int(used) > ImageFolder.day { futimens(descriptor, nil) }  // the time of the last use
    return contents
  }

  /// Writes the image of a tokenizer that was opened from the source after this entry was made. Nothing is written for
  /// a small tokenizer, and if the source was modified in the last seconds or since the entry was made.
  public func write(_ tokenizer: Tokenizer) {
    guard source.isSettled else { return }
    let bytes = TokenizerImage.bytes(of: tokenizer, key: source.key, purpose)
    guard bytes.count >= images.minSize,
      images.entry(path, preTokenizer: preTokenizer, for: purpose)?.source.key == source.key
    else { return }
    images.create()
    guard let folder = images.open() else { return }
    defer { close(folder) }
    let temporary = source.name.appending(suffix: "-\(getpid()).partial")
    guard ImageFolder.write(bytes, temporary, folder) else { return }
    guard renameat(folder, temporary.cString, folder, source.name.cString) == 0 else {
      unlinkat(folder, temporary.cString, 0)
      return
    }
    images.removeOldFiles(folder)
  }
}

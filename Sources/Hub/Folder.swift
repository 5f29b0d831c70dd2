import Platform

/// An open folder of the cache. Its entries are used by its descriptor, and none through a symbolic link: somebody else who
/// may write to a shared cache could put one in place of a folder or a file, to have a file elsewhere overwritten.
final class Folder {
  let path: Path
  private let descriptor: Int32

  /// Opens the cache itself, to which links may lead, and makes it if it is missing.
  init(making path: Path) throws(HubError) {
    try Self.make(path)
    descriptor = open(path.cString, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw HubError(path: path) }
    self.path = path
  }

  private init(_ descriptor: Int32, _ path: Path) { (self.descriptor, self.path) = (descriptor, path) }

  deinit { close(descriptor) }

  func path(of name: Path) -> Path { path.appending(name) }

  /// For programs that run in another folder.
  func absolutePath() throws(HubError) -> Path {
    guard let absolute = resolved(path) else { throw HubError(path: path) }
    return absolute
  }

  /// The folder of these names, one in the other; those that are missing are made.
  func folder(_ names: some Sequence<Path>) throws(HubError) -> Folder {
    var folder = self
    for name in names { folder = try folder.folder(name) }
    return folder
  }

  private func folder(_ name: Path) throws(HubError) -> Folder {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    var opened = openat(descriptor, name.cString, flags)
    if opened < 0, errno == ENOENT {
      guard mkdirat(descriptor, name.cString, 0o777) == 0 || errno == EEXIST else {
        throw HubError(path: path(of: name))
      }
      opened = openat(descriptor, name.cString, flags)
    }
    guard opened >= 0 else { throw error(name) }
    return Folder(opened, path(of: name))
  }

  /// Makes an empty folder that only this user can enter, in place of what a process that was killed has left.
  func makePrivateFolder(_ name: Path) throws(HubError) -> Folder {
    if status(name) != nil { try removeFolder(name) }
    guard mkdirat(descriptor, name.cString, 0o700) == 0 else { throw HubError(path: path(of: name)) }
    return try folder(name)
  }

  /// Removes a folder with the files in it.
  func removeFolder(_ name: Path) throws(HubError) {
    let folder = try folder(name)
    for entry in entries(ofFolder: folder.path) { try? folder.remove(entry) }
    guard unlinkat(descriptor, name.cString, AT_REMOVEDIR) == 0 else { throw HubError(path: path(of: name)) }
  }

  // MARK: files

  /// What the system knows of an entry, not following it if it is a link; nil if there is none.
  func status(_ name: Path) -> stat? {
    var information = stat()
    return fstatat(descriptor, name.cString, &information, AT_SYMLINK_NOFOLLOW) == 0 ? information : nil
  }

  /// The size of a regular file, to which a link may lead; nil if there is none.
  func size(ofFile name: Path) -> Int? {
    var information = stat()
    guard fstatat(descriptor, name.cString, &information, 0) == 0, information.st_mode & S_IFMT == S_IFREG else {
      return nil
    }
    return Int(information.st_size)
  }

  /// Opens a file to be read, to which a link may lead.
  func openToRead(_ name: Path) -> Int32? {
    let file = openat(descriptor, name.cString, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    return file < 0 ? nil : file
  }

  /// Whether there is a file that holds this text and nothing else.
  func hasFile(_ name: Path, holding text: String) -> Bool {
    guard let file = openToRead(name) else { return false }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: text.utf8.count + 1)
    let count = read(file, &bytes, bytes.count)
    return count >= 0 && bytes.prefix(count).elementsEqual(text.utf8)
  }

  /// Opens a file, or makes it.
  func openOrMake(_ name: Path) throws(HubError) -> Int32 {
    let file = openat(descriptor, name.cString, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw error(name) }
    return file
  }

  /// Opens a file to go on writing it, or makes it. What has this name and cannot be ours alone is removed first: a link,
  /// a file that has another name as well, one of another user.
  func openOwn(_ name: Path) throws(HubError) -> Int32 {
    let file = openat(descriptor, name.cString, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    if file >= 0 {
      var information = stat()
      if fstat(file, &information) == 0, Self.isOwn(information) { return file }
      close(file)
    }
    if status(name) != nil { try remove(name) }
    return try make(name, for: path(of: name))
  }

  /// Whether nobody else has the file under another name, or may open it because it is theirs.
  static func isOwn(_ information: stat) -> Bool {
    information.st_mode & S_IFMT == S_IFREG && information.st_uid == geteuid() && information.st_nlink == 1
  }

  /// Makes a file that was not there, and opens it.
  private func make(_ name: Path, for path: Path) throws(HubError) -> Int32 {
    let file = openat(descriptor, name.cString, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw HubError(path: path) }
    return file
  }

  func remove(_ name: Path) throws(HubError) {
    guard unlinkat(descriptor, name.cString, 0) == 0 || errno == ENOENT else { throw HubError(path: path(of: name)) }
  }

  /// Gives an entry another name, in place of what has it.
  func rename(_ name: Path, to newName: Path, in folder: Folder) throws(HubError) {
    guard renameat(descriptor, name.cString, folder.descriptor, newName.cString) == 0 else {
      throw HubError(path: folder.path(of: newName))
    }
  }

  func linkTarget(_ name: Path) -> Path? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlinkat(descriptor, name.cString, &buffer, buffer.count)
    return count < 0 ? nil : Path(buffer[..<count].map { UInt8(bitPattern: $0) })
  }

  /// Makes a symbolic link under a name that nobody else uses.
  ///
  /// - Parameter path: where it belongs, for the message of an error.
  /// - Returns: the name.
  func makeTemporaryLink(to target: Path, for path: Path) throws(HubError) -> Path {
    let name = Self.temporaryName()
    guard symlinkat(target.cString, descriptor, name.cString) == 0 else { throw HubError(path: path) }
    return name
  }

  /// Makes a small file under a name that nobody else uses.
  ///
  /// - Parameter path: where it belongs, for the message of an error.
  /// - Returns: the name.
  func makeTemporaryFile(_ text: String, for path: Path) throws(HubError) -> Path {
    let name = Self.temporaryName()
    let file = try make(name, for: path)
    let bytes = Array(text.utf8)
    let isWritten = write(file, bytes, bytes.count) == bytes.count
    let code = errno
    guard close(file) == 0, isWritten else {
      let failure = HubError(path: path, code: isWritten ? errno : code)
      try? remove(name)
      throw failure
    }
    return name
  }

  /// 128 random bits: processes in different containers, which may have the same id, do not meet in one name. What is made
  /// under it must not exist in any case.
  private static func temporaryName() -> Path {
    let random = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }
    return Path(".\(random.joined(separator: "-")).new")
  }

  /// Bytes that an ordinary user may still write; nil if the system has no answer.
  var freeSpace: Int? {
    var information = statvfs()
    guard fstatvfs(descriptor, &information) == 0 else { return nil }
    return Int(clamping: UInt64(information.f_bavail).multipliedReportingOverflow(by: UInt64(information.f_frsize)).0)
  }

  // MARK: errors

  /// Why an entry could not be opened, from `errno`.
  private func error(_ name: Path) -> HubError {
    let code = errno
    guard let status = status(name), status.st_mode & S_IFMT == S_IFLNK else {
      return HubError(path: path(of: name), code: code)
    }
    return HubError(
      .inputOutput,
      "\(path(of: name)): lm-pull does not write through symbolic links inside the hub cache; remove this one, or set "
        + "HF_HUB_CACHE to another folder")
  }

  private static func make(_ path: Path) throws(HubError) {
    guard mkdir(path.cString, 0o777) != 0, errno != EEXIST else { return }
    guard errno == ENOENT, path.parent != path else { throw HubError(path: path) }
    try make(path.parent)
    guard mkdir(path.cString, 0o777) == 0 || errno == EEXIST else { throw HubError(path: path) }
  }
}

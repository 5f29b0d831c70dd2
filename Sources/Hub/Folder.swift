import Platform

/// An open folder of the cache. Entries are accessed relative to its descriptor and, unless stated otherwise, not
/// through symbolic links: in a shared cache, another user could replace a folder or a file by a link, so that a file
/// elsewhere would be overwritten.
final class Folder {
  let path: Path
  private let descriptor: Int32

  /// Opens the cache folder, following symbolic links, and creates it if it is missing.
  init(making path: Path) throws(HubError) {
    try Self.make(path)
    descriptor = open(path.cString, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw HubError(path: path) }
    self.path = path
  }

  private init(_ descriptor: Int32, _ path: Path) { (self.descriptor, self.path) = (descriptor, path) }

  deinit { close(descriptor) }

  func path(of name: Path) -> Path { path.appending(name) }

  /// Returns the absolute path, for subprocesses, which run in another folder.
  func absolutePath() throws(HubError) -> Path {
    guard let absolute = resolved(path) else { throw HubError(path: path) }
    return absolute
  }

  /// Returns whether there is a folder of this name, and not a symbolic link.
  func hasFolder(_ name: Path) -> Bool { status(name).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false }

  /// Opens nested folders and returns the innermost. Missing folders are created.
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

  /// Creates an empty folder that only this user can access. Removes a folder of this name that a killed process left.
  func makePrivateFolder(_ name: Path) throws(HubError) -> Folder {
    if status(name) != nil { try removeFolder(name) }
    guard mkdirat(descriptor, name.cString, 0o700) == 0 else { throw HubError(path: path(of: name)) }
    return try folder(name)
  }

  /// Removes a folder and the files in it.
  func removeFolder(_ name: Path) throws(HubError) {
    let folder = try folder(name)
    for entry in entries(ofFolder: folder.path) { try? folder.remove(entry) }
    guard unlinkat(descriptor, name.cString, AT_REMOVEDIR) == 0 else { throw HubError(path: path(of: name)) }
  }

  // MARK: files

  /// Returns the status of an entry without following symbolic links, or nil if there is none.
  func status(_ name: Path) -> stat? {
    var information = stat()
    return fstatat(descriptor, name.cString, &information, AT_SYMLINK_NOFOLLOW) == 0 ? information : nil
  }

  /// Returns the size of a regular file, following symbolic links, or nil if there is none.
  func size(ofFile name: Path) -> Int? {
    var information = stat()
    guard fstatat(descriptor, name.cString, &information, 0) == 0, information.st_mode & S_IFMT == S_IFREG else {
      return nil
    }
    return Int(information.st_size)
  }

  /// Opens a file for reading, following symbolic links; nil if it cannot be opened.
  func openToRead(_ name: Path) -> Int32? {
    let file = openat(descriptor, name.cString, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    return file < 0 ? nil : file
  }

  /// Returns whether a file exists and contains exactly this text.
  func hasFile(_ name: Path, holding text: String) -> Bool {
    guard let file = openToRead(name) else { return false }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: text.utf8.count + 1)
    let count = read(file, &bytes, bytes.count)
    return count >= 0 && bytes.prefix(count).elementsEqual(text.utf8)
  }

  /// Returns the text of a small file that only this user can write; nil if there is none.
  func contents(ofOwn name: Path, limit: Int) -> String? {
    let file = openat(descriptor, name.cString, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var information = stat()
    guard fstat(file, &information) == 0, Self.isOwn(information) else { return nil }
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = read(file, &bytes, bytes.count)
    return count >= 0 && count < limit ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
  }

  /// Creates a second name for a file.
  ///
  /// - Returns: false if the system refuses, for example because the file system has no hard links.
  func link(_ name: Path, to newName: Path, in folder: Folder) -> Bool {
    linkat(descriptor, name.cString, folder.descriptor, newName.cString, 0) == 0
  }

  /// Opens a file for reading and writing, and creates it if it is missing.
  func openOrMake(_ name: Path) throws(HubError) -> Int32 {
    let file = openat(descriptor, name.cString, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw error(name) }
    return file
  }

  /// Opens a file to continue writing it, and creates it if it is missing. An entry that other users could also access
  /// is removed first: a symbolic link, a file with a second hard link, or a file of another user.
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

  /// Returns whether this is a regular file of this user with a single hard link.
  static func isOwn(_ information: stat) -> Bool {
    information.st_mode & S_IFMT == S_IFREG && information.st_uid == geteuid() && information.st_nlink == 1
  }

  /// Creates and opens a file, which must not exist yet.
  private func make(_ name: Path, for path: Path) throws(HubError) -> Int32 {
    let file = openat(descriptor, name.cString, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw HubError(path: path) }
    return file
  }

  func remove(_ name: Path) throws(HubError) {
    guard unlinkat(descriptor, name.cString, 0) == 0 || errno == ENOENT else { throw HubError(path: path(of: name)) }
  }

  /// Renames an entry, replacing an entry with the new name.
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

  /// Creates a symbolic link with a unique name.
  ///
  /// - Parameter path: the final path of the link, for error messages.
  /// - Returns: the unique name.
  func makeTemporaryLink(to target: Path, for path: Path) throws(HubError) -> Path {
    let name = Self.temporaryName()
    guard symlinkat(target.cString, descriptor, name.cString) == 0 else { throw HubError(path: path) }
    return name
  }

  /// Creates a small file with a unique name.
  ///
  /// - Parameter path: the final path of the file, for error messages.
  /// - Returns: the unique name.
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

  /// Returns a name with 128 random bits. A process id would not be unique: processes in different containers can have
  /// the same one. Callers must still fail if the name exists.
  private static func temporaryName() -> Path {
    let random = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }
    return Path(".\(random.joined(separator: "-")).new")
  }

  /// The number of bytes available to an unprivileged user; nil if unknown.
  var freeSpace: Int? {
    var information = statvfs()
    guard fstatvfs(descriptor, &information) == 0 else { return nil }
    return Int(clamping: UInt64(information.f_bavail).multipliedReportingOverflow(by: UInt64(information.f_frsize)).0)
  }

  // MARK: errors

  /// Returns the error for an entry that could not be opened, from `errno`.
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

import Checkpoint
import Platform

/// A model's folder in the hub cache, as Python's library lays it out (huggingface_hub, "Understand caching"):
/// `blobs/DIGEST` holds a file's bytes, `snapshots/COMMIT/PATH` is a relative link to it, `refs/REVISION` holds a commit.
struct ModelFolder {
  let path: Path
  private let locks: Path

  init(_ cache: HubCache, _ model: Path) {
    path = cache.folder(of: model)
    locks = cache.folder.appending(".locks").appending(path.lastComponent)
  }

  func blob(_ digest: Digest) -> Path { path.appending("blobs").appending(Path(digest.hexadecimal)) }

  /// A place for what is not yet a blob, on the same file system.
  func unfinished(_ digest: Digest) -> Path { blob(digest).appending(suffix: ".incomplete") }

  /// How much of a file is there and not yet a blob.
  func unfinishedSize(_ file: RemoteFile) -> Int {
    var information = stat()
    return stat(unfinished(file.digest).cString, &information) == 0 ? min(Int(information.st_size), file.size) : 0
  }

  func snapshot(_ commit: String) -> Path { path.appending("snapshots").appending(Path(commit)) }

  /// Whether the blob is there with the right size. It was verified before it got its name.
  func has(_ file: RemoteFile) -> Bool {
    var information = stat()
    return stat(blob(file.digest).cString, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
      && Int(information.st_size) == file.size
  }

  /// Whether the blob's bytes are still those that were verified.
  func isSound(_ file: RemoteFile) throws(HubError) -> Bool {
    let descriptor = open(blob(file.digest).cString, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return try file.digest.isOf(descriptor, size: file.size)
  }

  func lock(_ digest: Digest, willWait: () -> Void) throws(HubError) -> FileLock {
    try makeFolder(locks)
    try makeFolder(path.appending("blobs"))
    return try FileLock(locks.appending(Path("\(digest.hexadecimal).lock")), willWait: willWait)
  }

  /// Gives the blob of a file its name in the snapshot.
  func link(_ file: RemoteFile, commit: String) throws(HubError) {
    let depth = file.path.split(separator: "/").count + 1
    let target = String(repeating: "../", count: depth) + "blobs/" + file.digest.hexadecimal
    let path = snapshot(commit).appending(Path(file.path))
    guard linkTarget(path) != Path(target) else { return }
    try replace(path) { symlink(target, $0.cString) == 0 }
  }

  /// Lets the name of a revision stand for a commit.
  func setReference(_ revision: Revision, to commit: String) throws(HubError) {
    let path = self.path.appending("refs").appending(Path(revision.text))
    if let there = try? MappedFile(path: path), there.bytes.elementsEqual(commit.utf8) { return }
    try replace(path) { new in
      guard let stream = fopen(new.cString, "w") else { return false }
      let isWritten = fputs(commit, stream) >= 0
      return fclose(stream) == 0 && isWritten
    }
  }

  /// Bytes that an ordinary user may still write there.
  func freeSpace() throws(HubError) -> Int? {
    try makeFolder(path)
    var information = statvfs()
    guard statvfs(path.cString, &information) == 0 else { return nil }
    return Int(clamping: UInt64(information.f_bavail).multipliedReportingOverflow(by: UInt64(information.f_frsize)).0)
  }

  /// Makes something under another name and puts it in the place of what is there, in one step.
  private func replace(_ path: Path, _ make: (Path) -> Bool) throws(HubError) {
    let new = self.path.appending(Path("\(getpid()).new"))
    try makeFolder(path.parent)
    unlink(new.cString)
    guard make(new), rename(new.cString, path.cString) == 0 else {
      let code = errno
      unlink(new.cString)
      throw HubError(path: path, code: code)
    }
  }

  private func linkTarget(_ path: Path) -> Path? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path.cString, &buffer, buffer.count)
    return count < 0 ? nil : Path(buffer[..<count].map { UInt8(bitPattern: $0) })
  }

  private func makeFolder(_ path: Path) throws(HubError) {
    guard mkdir(path.cString, 0o777) != 0, errno != EEXIST else { return }
    guard errno == ENOENT, path.parent != path else { throw HubError(path: path) }
    try makeFolder(path.parent)
    guard mkdir(path.cString, 0o777) == 0 || errno == EEXIST else { throw HubError(path: path) }
  }
}

import Checkpoint
import Platform

/// A model's folder in the hub cache, as Python's library lays it out (huggingface_hub, "Understand caching"):
/// `blobs/DIGEST` holds a file's bytes, `snapshots/COMMIT/PATH` is a relative link to it, `refs/REVISION` holds a commit.
struct ModelFolder {
  let path: String
  private let locks: String

  init(_ cache: HubCache, _ model: String) {
    path = cache.folder(of: model)
    locks = cache.folder + "/.locks/" + (path.split(separator: "/").last ?? "")
  }

  func blob(_ digest: Digest) -> String { "\(path)/blobs/\(digest.hexadecimal)" }

  /// A place for what is not yet a blob, on the same file system.
  func unfinished(_ digest: Digest) -> String { blob(digest) + ".incomplete" }

  /// How much of a file is there and not yet a blob.
  func unfinishedSize(_ file: RemoteFile) -> Int {
    var information = stat()
    return stat(unfinished(file.digest), &information) == 0 ? min(Int(information.st_size), file.size) : 0
  }

  func snapshot(_ commit: String) -> String { "\(path)/snapshots/\(commit)" }

  /// Whether the blob is there with the right size. It was verified before it got its name.
  func has(_ file: RemoteFile) -> Bool {
    var information = stat()
    return stat(blob(file.digest), &information) == 0 && information.st_mode & S_IFMT == S_IFREG
      && Int(information.st_size) == file.size
  }

  /// Whether the blob's bytes are still those that were verified.
  func isSound(_ file: RemoteFile) throws(HubError) -> Bool {
    let descriptor = open(blob(file.digest), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return try file.digest.isOf(descriptor, size: file.size)
  }

  func lock(_ digest: Digest, willWait: () -> Void) throws(HubError) -> FileLock {
    try makeFolder(locks)
    try makeFolder(path + "/blobs")
    return try FileLock("\(locks)/\(digest.hexadecimal).lock", willWait: willWait)
  }

  /// Gives the blob of a file its name in the snapshot.
  func link(_ file: RemoteFile, commit: String) throws(HubError) {
    let depth = file.path.split(separator: "/").count + 1
    let target = String(repeating: "../", count: depth) + "blobs/" + file.digest.hexadecimal
    let path = "\(snapshot(commit))/\(file.path)"
    guard linkTarget(path) != target else { return }
    try replace(path) { symlink(target, $0) == 0 }
  }

  /// Lets the name of a revision stand for a commit.
  func setReference(_ revision: Revision, to commit: String) throws(HubError) {
    let path = "\(self.path)/refs/\(revision.text)"
    if let there = try? MappedFile(path: path), there.bytes.elementsEqual(commit.utf8) { return }
    try replace(path) { new in
      guard let stream = fopen(new, "w") else { return false }
      let isWritten = fputs(commit, stream) >= 0
      return fclose(stream) == 0 && isWritten
    }
  }

  /// Bytes that an ordinary user may still write there.
  func freeSpace() throws(HubError) -> Int? {
    try makeFolder(path)
    var information = statvfs()
    guard statvfs(path, &information) == 0 else { return nil }
    return Int(clamping: UInt64(information.f_bavail).multipliedReportingOverflow(by: UInt64(information.f_frsize)).0)
  }

  /// Makes something under another name and puts it in the place of what is there, in one step.
  private func replace(_ path: String, _ make: (String) -> Bool) throws(HubError) {
    let new = "\(self.path)/\(getpid()).new"
    try makeFolder(parent(of: path))
    unlink(new)
    guard make(new), rename(new, path) == 0 else {
      let code = errno
      unlink(new)
      throw HubError(path: path, code: code)
    }
  }

  private func linkTarget(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &buffer, buffer.count)
    return count < 0 ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func makeFolder(_ path: String) throws(HubError) {
    guard mkdir(path, 0o777) != 0, errno != EEXIST else { return }
    guard errno == ENOENT, parent(of: path) != path else { throw HubError(path: path) }
    try makeFolder(parent(of: path))
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw HubError(path: path) }
  }

  private func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

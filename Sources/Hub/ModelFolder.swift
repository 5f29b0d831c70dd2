import Checkpoint
import Platform

/// A model's folder in the hub cache, as Python's library lays it out (huggingface_hub, "Understand caching"):
/// `blobs/DIGEST` holds a file's bytes, `snapshots/COMMIT/PATH` is a relative link to it, `refs/REVISION` holds a commit.
struct ModelFolder {
  private let model: Folder
  let blobs: Folder
  private let locks: Folder

  /// Makes the folders that are missing.
  init(_ cache: HubCache, _ name: Path) throws(HubError) {
    let folder = try Folder(making: cache.folder)
    let ownName = cache.folder(of: name).lastComponent
    model = try folder.folder([ownName])
    blobs = try model.folder(["blobs"])
    locks = try folder.folder([".locks", ownName])
  }

  var path: Path { model.path }

  /// Bytes that an ordinary user may still write there.
  var freeSpace: Int? { model.freeSpace }

  /// How much of a file there is that is not yet a blob.
  func partialSize(_ file: RemoteFile) -> Int {
    guard let status = blobs.status(file.partialName), Folder.isOwn(status) else { return 0 }
    return min(Int(status.st_size), file.size)
  }

  func blobPath(_ file: RemoteFile) -> Path { blobs.path(of: file.blobName) }

  /// Whether the blob is there with the right size. It was verified before it got its name. (It may be a link, to where
  /// Python's library keeps what several models share.)
  func has(_ file: RemoteFile) -> Bool { blobs.size(ofFile: file.blobName) == file.size }

  /// Whether the blob's bytes are still those that were verified.
  func isIntact(_ file: RemoteFile) throws(HubError) -> Bool {
    guard let descriptor = blobs.openToRead(file.blobName) else { return false }
    defer { close(descriptor) }
    return try file.digest.isOf(descriptor, size: file.size)
  }

  func lock(_ file: RemoteFile, willWait: () -> Void) throws(HubError) -> FileLock {
    try FileLock(file.blobName.appending(suffix: ".lock"), in: locks, willWait: willWait)
  }

  /// Gives the blob of a file its name in the snapshot.
  func link(_ file: RemoteFile, commit: String) throws(HubError) {
    let names = ["snapshots", Path(commit)] + Path(file.path).components
    let target = Path(String(repeating: "../", count: names.count - 1) + "blobs").appending(file.blobName)
    try replace(names, where: { $0.linkTarget($1) != target }) { path throws(HubError) in
      try model.makeTemporaryLink(to: target, for: path)
    }
  }

  /// Lets the name of a revision stand for a commit.
  func setReference(_ revision: Revision, to commit: String) throws(HubError) {
    let names = ["refs"] + Path(revision.text).components
    try replace(names, where: { !$0.hasFile($1, holding: commit) }) { path throws(HubError) in
      try model.makeTemporaryFile(commit, for: path)
    }
  }

  func snapshot(_ commit: String) -> Path { model.path.appending("snapshots").appending(Path(commit)) }

  /// Makes something under another name and puts it in place of what is there, in one step.
  private func replace(
    _ names: [Path], where isNeeded: (Folder, Path) -> Bool, _ make: (_ path: Path) throws(HubError) -> Path
  ) throws(HubError) {
    let folder = try model.folder(names.dropLast())
    let name = names[names.count - 1]
    guard isNeeded(folder, name) else { return }
    let new = try make(folder.path(of: name))
    do { try model.rename(new, to: name, in: folder) } catch {
      try? model.remove(new)
      throw error
    }
  }
}

extension RemoteFile {
  var blobName: Path { Path(digest.hexadecimal) }
  /// The name of what is not yet a blob, in the same folder.
  var partialName: Path { blobName.appending(suffix: ".incomplete") }
}

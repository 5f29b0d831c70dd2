import Checkpoint
import Platform

/// A model's folder in the hub cache, as Python's library lays it out (huggingface_hub, "Understand caching"):
/// `blobs/DIGEST` is a file's content, `snapshots/COMMIT/PATH` is a relative link to it, `refs/REVISION` contains a
/// commit.
struct ModelFolder {
  private let model: Folder
  let blobs: Folder
  private let locks: Folder

  /// Opens a model's folder. Missing folders are created.
  init(_ cache: HubCache, _ name: Path) throws(HubError) {
    let folder = try Folder(making: cache.folder)
    let folderName = cache.folder(of: name).lastComponent
    model = try folder.folder([folderName])
    blobs = try model.folder(["blobs"])
    locks = try folder.folder([".locks", folderName])
  }

  var path: Path { model.path }

  /// The number of bytes available to an unprivileged user; nil if unknown.
  var freeSpace: Int? { model.freeSpace }

  /// Returns the number of bytes of a partial download.
  func partialSize(_ file: RemoteFile) -> Int {
    guard let status = blobs.status(file.partialName), Folder.isOwn(status) else { return 0 }
    return min(Int(status.st_size), file.size)
  }

  func blobPath(_ file: RemoteFile) -> Path { blobs.path(of: file.blobName) }

  /// Returns whether the file's blob exists with the right size. Its digest was verified before it was renamed to a
  /// blob. The blob may be a link: huggingface_hub can store files that several models share in another folder.
  func has(_ file: RemoteFile) -> Bool { blobs.size(ofFile: file.blobName) == file.size }

  /// Returns whether the blob's content still matches the digest.
  func isIntact(_ file: RemoteFile) throws(HubError) -> Bool {
    guard let descriptor = blobs.openToRead(file.blobName) else { return false }
    defer { close(descriptor) }
    return try file.digest.matches(descriptor, size: file.size)
  }

  func lock(_ file: RemoteFile, willWait: () -> Void) throws(HubError) -> FileLock {
    try FileLock(file.blobName.appending(suffix: ".lock"), in: locks, willWait: willWait)
  }

  /// Links the snapshot's entry for a file to its blob.
  func link(_ file: RemoteFile, commit: String) throws(HubError) {
    let names = ["snapshots", Path(commit)] + Path(file.path).components
    let target = Path(String(repeating: "../", count: names.count - 1) + "blobs").appending(file.blobName)
    let (folder, name) = try parent(of: names)
    guard folder.linkTarget(name) != target else { return }
    try moveIntoPlace(try model.makeTemporaryLink(to: target, for: folder.path(of: name)), name, in: folder)
  }

  /// Makes a revision refer to a commit.
  func setReference(_ revision: Revision, to commit: String) throws(HubError) {
    let (folder, name) = try parent(of: ["refs"] + Path(revision.text).components)
    guard !folder.hasFile(name, holding: commit) else { return }
    try moveIntoPlace(try model.makeTemporaryFile(commit, for: folder.path(of: name)), name, in: folder)
  }

  func snapshot(_ commit: String) -> Path { model.path.appending("snapshots").appending(Path(commit)) }

  /// Opens the folder of an entry, creating it if needed, and returns it with the entry's name.
  private func parent(of names: [Path]) throws(HubError) -> (folder: Folder, name: Path) {
    (try model.folder(names.dropLast()), names[names.count - 1])
  }

  /// Renames a temporary entry to its final name, atomically replacing an existing entry.
  private func moveIntoPlace(_ temporary: Path, _ name: Path, in folder: Folder) throws(HubError) {
    do { try model.rename(temporary, to: name, in: folder) } catch {
      try? model.remove(temporary)
      throw error
    }
  }
}

extension RemoteFile {
  var blobName: Path { Path(digest.hexadecimal) }
  /// The name of the partial download, in the same folder as the blob.
  var partialName: Path { blobName.appending(suffix: ".incomplete") }
}

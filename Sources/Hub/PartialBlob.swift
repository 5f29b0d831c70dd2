import Checkpoint
import Platform

/// A partial download in the cache, `blobs/DIGEST.incomplete`, which a later pull can resume. Bytes are written at
/// explicit offsets, so that two processes without a working lock write the same content.
final class PartialBlob: BodySink {
  private let blobs: Folder
  private let file: RemoteFile
  private let descriptor: Int32
  private let progress: (Int) -> Void
  private(set) var count: Int

  /// Opens the partial download of a file, or creates it.
  ///
  /// - Parameter progress: called with the number of bytes that were received so far.
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
      throw HubError(.badData, "\(file.path): received more than the \(file.size) bytes in the hub's listing")
    }
    var rest = bytes
    while rest.count > 0 {
      let written = pwrite(descriptor, rest.baseAddress, rest.count, off_t(count))
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        let reason = String(cString: strerror(errno))
        throw HubError(
          .inputOutput,
          "\(path): \(reason); \(formattedByteCount(count)) of \(formattedByteCount(file.size)) are kept for the next run"
        )
      }
      count += written
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
    progress(count)
  }

  /// Returns whether the download is complete and matches the digest.
  func isWhole() throws(HubError) -> Bool {
    guard count == file.size else { return false }
    return try file.digest.matches(descriptor, size: file.size)
  }

  /// Deletes the partial download.
  func remove() throws(HubError) { try blobs.remove(file.partialName) }

  /// Renames the partial download to its final name.
  func publish() throws(HubError) {
    guard fsync(descriptor) == 0 else { throw HubError(path: path) }
    try blobs.rename(file.partialName, to: file.blobName, in: blobs)
  }
}

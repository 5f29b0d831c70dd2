import Checkpoint
import Platform

/// The download of a file into the cache, in one or several ranges at once. Its digest is computed while the bytes
/// arrive, as far as they are contiguous.
final class FileDownload {
  let file: RemoteFile
  /// The path and query at the hub.
  let address: String
  let blob: PartialBlob
  /// Excludes other processes from the download.
  private let lock: FileLock
  private var computation: DigestComputation
  /// The number of bytes in `computation`.
  private var hashed = 0
  /// The ranges that no request covers yet.
  private var gaps: [Range<Int>] = []
  private var segments: [Segment] = []
  /// False if the server ignores or refuses ranges; there is then one request for the whole file.
  private(set) var usesRanges = true
  /// True if an earlier pull has written a part of the file.
  private var isResumed: Bool
  private var hasRestarted = false
  private let note: (String) -> Void

  init(
    _ file: RemoteFile, address: String, in blobs: Folder, _ lock: FileLock, note: @escaping (String) -> Void
  ) throws(HubError) {
    (self.file, self.address, self.lock, self.note) = (file, address, lock, note)
    blob = try PartialBlob(file, in: blobs)
    computation = DigestComputation(file.digest, size: file.size)
    isResumed = blob.written.count > 0
    gaps = blob.written.gaps(in: 0..<file.size)
  }

  /// The number of bytes that were received, in this pull or before.
  var receivedCount: Int { blob.written.count }

  /// True if all bytes were received.
  var isReceived: Bool { receivedCount == file.size }

  /// The number of bytes that no request covers yet.
  var unassignedCount: Int { gaps.reduce(0) { $0 + $1.count } }

  /// Writes bytes at the start of the file that are already known.
  func begin(with bytes: [UInt8]) throws(HubError) {
    guard bytes.count <= file.size, blob.written.firstEnd < bytes.count else { return }
    try bytes.withUnsafeBufferPointer { bytes throws(HubError) in try blob.write(UnsafeRawBufferPointer(bytes), at: 0) }
    gaps = blob.written.gaps(in: 0..<file.size)
  }

  // MARK: requests

  /// Returns a request for the next missing range; nil if all are requested.
  func nextSegment(length: Int) -> Segment? {
    guard let gap = gaps.first else { return nil }
    // A rest of less than half a length belongs to the request before it.
    let end = !usesRanges || gap.count < length + length / 2 ? gap.upperBound : gap.lowerBound + length
    gaps[0] = end..<gap.upperBound
    if gaps[0].isEmpty { gaps.removeFirst() }
    let segment = Segment(self, gap.lowerBound..<end)
    segments.append(segment)
    return segment
  }

  /// Continues with one request for the whole file, because the server does not answer requests for ranges.
  fileprivate func stopUsingRanges(_ segment: Segment?) throws(HubError) {
    usesRanges = false
    gaps = []
    for other in segments where other !== segment { other.isCancelled = true }
    segments = segment.map { [$0] } ?? []
    if receivedCount > 0 { try restartBlob() }
  }

  private func restartBlob() throws(HubError) {
    try blob.restart()
    computation = DigestComputation(file.digest, size: file.size)
    hashed = 0
    isResumed = false
  }

  fileprivate func receive(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(HubError) {
    try blob.write(bytes, at: offset)
    // The bytes are still in the processor's cache.
    if offset == hashed {
      computation.add(bytes)
      hashed += bytes.count
    }
  }

  /// Forgets the last bytes of a range: trailers that curl wrote after the body.
  fileprivate func forget(_ range: Range<Int>) {
    blob.forget(range)
    guard hashed > range.lowerBound else { return }
    computation = DigestComputation(file.digest, size: file.size)
    hashed = 0
  }

  fileprivate func ended(_ segment: Segment) { segments.removeAll { $0 === segment } }

  /// Requests the file again from the start if the server's file is shorter than a range, which can be that of an
  /// earlier pull.
  fileprivate func refuseRange(_ segment: Segment) throws(HubError) {
    guard !hasRestarted else {
      throw HubError(.badData, "\(file.path): the server's file is shorter than \(file.size) bytes")
    }
    hasRestarted = true
    segment.range = nil
    segment.position = 0
    segment.end = file.size
    try stopUsingRanges(segment)
  }

  // MARK: completion

  /// Adds received bytes to the digest.
  ///
  /// - Returns: true if more bytes can be added at once.
  func hash(_ buffer: UnsafeMutableRawBufferPointer) throws(HubError) -> Bool {
    let available = blob.written.firstEnd
    guard hashed < available else { return false }
    let end = min(available, hashed + Self.hashingStep)
    try blob.add(hashed..<end, to: &computation, buffer)
    hashed = end
    return end < available
  }

  /// The number of bytes between two reports of the progress, about 10 ms of work.
  private static let hashingStep = 1 << 24

  /// True if the digest of the whole file is computed.
  var isHashed: Bool { isReceived && hashed == file.size }

  /// Gives the file its final name if the digest is right. If it is wrong and an earlier pull has written a part of the
  /// file, downloads the file again.
  ///
  /// - Returns: false if the file is downloaded again.
  func complete() throws(HubError) -> Bool {
    guard computation.digits() != file.digest.hexadecimal else {
      try blob.publish()
      return true
    }
    guard isResumed else {
      try blob.remove()
      throw HubError(.badData, "\(file.path): checksum mismatch: expected \(file.digest.hexadecimal)")
    }
    note("the partial download of \(file.path) does not match; restarting")
    try restartBlob()
    gaps = [0..<file.size]
    return false
  }

  /// Stores what is needed to resume the download, or removes an empty partial file.
  func suspend() {
    if blob.written.count == 0 {
      try? blob.remove()
    } else if blob.written.ranges.count > 1 || blob.written.firstEnd == 0 {
      try? blob.saveRanges()
    }
  }
}

/// A range of a file, which one request at a time receives.
final class Segment: BodySink {
  private let download: FileDownload
  fileprivate(set) var range: Range<Int>?
  fileprivate var position: Int
  fileprivate var end: Int
  /// The end of the bytes that were received in any attempt.
  private var furthest: Int
  fileprivate(set) var isCancelled = false
  var failures = 0
  /// The number of bytes of the response so far, its first position, and whether it ends after the requested range.
  private var response = (count: 0, start: 0, isTooLong: false)

  fileprivate init(_ download: FileDownload, _ range: Range<Int>) {
    self.download = download
    // A file that is requested as a whole needs a range only if it is large: the storage refuses to send very large
    // files in one response.
    let isWhole = range == 0..<download.file.size
    self.range = !download.usesRanges || isWhole && range.count <= FileTransfers.smallSize ? nil : range
    (position, end, furthest) = (range.lowerBound, range.upperBound, range.lowerBound)
  }

  var address: String { download.address }
  var file: RemoteFile { download.file }
  var receivedCount: Int { furthest }
  var isComplete: Bool { position == end }

  func begin(_ head: ResponseHead) throws(HubError) {
    if head.status == 206 {
      guard let content = head.contentRange, content.range.lowerBound == position else {
        throw HubError(.badData, "\(file.path): the server sent another range than requested")
      }
      if let size = content.size, size != file.size {
        try? download.blob.remove()
        throw HubError(.badData, "\(file.path): the server's file has \(size) bytes, expected \(file.size)")
      }
    } else {
      // The whole file.
      if range != nil {
        try download.stopUsingRanges(self)
        range = nil
      } else if position > 0 {
        try download.stopUsingRanges(self)
      }
      (position, end) = (0, file.size)
    }
    response = (0, position, head.contentRange.map { $0.range.upperBound > end } ?? false)
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(HubError) {
    response.count += bytes.count
    let count = min(bytes.count, end - position)
    if response.isTooLong, position + count == end { isCancelled = true }
    guard count > 0 else { return }
    try download.receive(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: position)
    position += count
    furthest = max(furthest, position)
    if range != nil { range = position..<max(end, position + 1) }
  }

  func end(bodySize: Int, isWhole: Bool) throws(HubError) {
    let size = min(bodySize, response.count)
    let bodyEnd = response.start + size
    if bodyEnd > end, !response.isTooLong {
      try? download.blob.remove()
      throw HubError(.badData, "\(file.path): received more than the \(file.size) bytes in the hub's listing")
    }
    if bodyEnd < position {
      download.forget(bodyEnd..<position)
      position = bodyEnd
    }
    if range != nil, position < end { range = position..<end }
    guard position < end else { return download.ended(self) }
    if isWhole, range == nil {
      try? download.blob.remove()
      throw HubError(.badData, "\(file.path): received \(position) bytes, expected \(file.size)")
    }
    guard range == nil else { return }
    if download.usesRanges { range = position..<end } else { position = 0 }
  }

  func refuseRange() throws(HubError) { try download.refuseRange(self) }
}

import CPlatform
import Checkpoint
import Platform

/// A partial download in the cache, `blobs/DIGEST.incomplete`, which a later pull can resume. Bytes are written at
/// explicit offsets, in several ranges at once. The ranges that are already written are in the file
/// `blobs/DIGEST.ranges.incomplete`; without that file, the bytes of the partial download are contiguous.
///
/// A partial download that turns out to be wrong is replaced by a new file and never truncated: on a file system whose
/// locks do not work, another process may have the same file open and publish it.
final class PartialBlob {
  private let blobs: Folder
  private let file: RemoteFile
  private var descriptor: Int32
  /// The ranges that are written, in ascending order and without adjacent ones.
  private(set) var written = RangeList()
  /// True if the file of ranges exists.
  private var hasRangesFile = false
  private var lastSaved = 0.0

  /// Opens the partial download of a file, or creates it.
  init(_ file: RemoteFile, in blobs: Folder) throws(HubError) {
    descriptor = try blobs.openOwn(file.partialName)
    self.blobs = blobs
    self.file = file
    let size = fileSize(descriptor) ?? 0
    hasRangesFile = blobs.status(file.rangesName) != nil
    if hasRangesFile {
      written =
        blobs.contents(ofOwn: file.rangesName, limit: 1 << 16).flatMap { RangeList($0, of: file.size) } ?? RangeList()
      written.remove(from: size)
    } else if size <= file.size {
      written.insert(0..<size)
    }
    if written.count == 0, size > 0 { try restart() }
  }

  deinit { close(descriptor) }

  private var path: Path { blobs.path(of: file.partialName) }

  /// Discards all bytes.
  func restart() throws(HubError) {
    try remove()
    close(descriptor)
    descriptor = -1
    descriptor = try blobs.openOwn(file.partialName)
    written = RangeList()
  }

  /// Writes bytes at an offset. The range must be in the file.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(HubError) {
    // Without the file of ranges, a pull that is killed now would leave a file that looks contiguous.
    if offset > 0, !hasRangesFile, written.firstEnd != offset { try saveRanges() }
    var rest = bytes
    var position = offset
    while rest.count > 0 {
      let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(position))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let reason = String(cString: strerror(errno))
        throw HubError(
          .inputOutput,
          "\(path): \(reason); \(formattedByteCount(written.count)) of \(formattedByteCount(file.size)) are kept for the "
            + "next run")
      }
      written.insert(position..<position + count)
      position += count
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    // The disk begins to write while more bytes arrive, so that the final fsync is short.
    let step = 1 << 23
    if position / step > offset / step {
      lmpipe_start_writeback(descriptor, off_t((position / step - 1) * step), off_t(step))
    }
  }

  /// Stores the written ranges, unless they are contiguous from the start or were stored less than a second ago.
  func saveRangesIfDue() throws(HubError) {
    guard hasRangesFile, monotonicSeconds() - lastSaved >= 1 else { return }
    try saveRanges()
  }

  /// Stores the written ranges.
  func saveRanges() throws(HubError) {
    lastSaved = monotonicSeconds()
    let temporary = try blobs.makeTemporaryFile(written.text, for: blobs.path(of: file.rangesName))
    do throws(HubError) { try blobs.rename(temporary, to: file.rangesName, in: blobs) } catch {
      try? blobs.remove(temporary)
      throw error
    }
    hasRangesFile = true
  }

  /// Adds bytes of the file to the computation of its digest.
  func add(_ range: Range<Int>, to computation: inout DigestComputation, _ buffer: UnsafeMutableRawBufferPointer)
    throws(HubError)
  {
    var position = range.lowerBound
    while position < range.upperBound {
      let wanted = min(buffer.count, range.upperBound - position)
      let count = pread(descriptor, buffer.baseAddress, wanted, off_t(position))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw HubError(path: path, code: count < 0 ? errno : EIO) }
      computation.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      position += count
    }
  }

  /// Returns whether the whole file has the expected digest.
  func matches() throws(HubError) -> Bool { try file.digest.matches(descriptor, size: file.size) }

  /// Forgets bytes that were written but do not belong to the file.
  func forget(_ range: Range<Int>) { written.remove(range) }

  /// Deletes the partial download.
  func remove() throws(HubError) {
    try blobs.remove(file.partialName)
    try blobs.remove(file.rangesName)
    hasRangesFile = false
  }

  /// Renames the partial download to its final name.
  func publish() throws(HubError) {
    guard fsync(descriptor) == 0 else { throw HubError(path: path) }
    try blobs.remove(file.rangesName)
    do throws(HubError) { try blobs.rename(file.partialName, to: file.blobName, in: blobs) } catch {
      // Without working locks, another process can have published the same file.
      guard blobs.size(ofFile: file.blobName) == file.size, blobs.status(file.partialName) == nil else { throw error }
    }
  }
}

/// Ranges in ascending order that neither overlap nor touch.
struct RangeList: Equatable {
  private(set) var ranges: [Range<Int>] = []

  init() {}

  /// The sum of the lengths.
  var count: Int { ranges.reduce(0) { $0 + $1.count } }

  /// The end of the range that begins at 0; 0 if there is none.
  var firstEnd: Int { ranges.first.map { $0.lowerBound == 0 ? $0.upperBound : 0 } ?? 0 }

  mutating func insert(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    if let index = ranges.firstIndex(where: { $0.upperBound == range.lowerBound }),
      index + 1 == ranges.count || ranges[index + 1].lowerBound > range.upperBound
    {
      ranges[index] = ranges[index].lowerBound..<range.upperBound  // the usual case: the next bytes of a range
      return
    }
    var merged = range
    ranges.removeAll { other in
      guard other.lowerBound <= merged.upperBound, other.upperBound >= merged.lowerBound else { return false }
      merged = min(other.lowerBound, merged.lowerBound)..<max(other.upperBound, merged.upperBound)
      return true
    }
    ranges.insert(merged, at: ranges.firstIndex { $0.lowerBound > merged.lowerBound } ?? ranges.count)
  }

  mutating func remove(_ range: Range<Int>) {
    ranges = ranges.flatMap { other -> [Range<Int>] in
      [
        other.lowerBound..<max(other.lowerBound, min(other.upperBound, range.lowerBound)),
        min(other.upperBound, max(other.lowerBound, range.upperBound))..<other.upperBound,
      ].filter { !$0.isEmpty }
    }
  }

  mutating func remove(from start: Int) { remove(start..<Int.max) }

  /// Returns the ranges of `whole` that are missing.
  func gaps(in whole: Range<Int>) -> [Range<Int>] {
    var gaps: [Range<Int>] = []
    var start = whole.lowerBound
    for range in ranges {
      if range.lowerBound > start { gaps.append(start..<min(range.lowerBound, whole.upperBound)) }
      start = max(start, range.upperBound)
    }
    if start < whole.upperBound { gaps.append(start..<whole.upperBound) }
    return gaps
  }

  private static let header = "lmpipe ranges 1"

  /// The text for a file.
  var text: String {
    ([Self.header] + ranges.map { "\($0.lowerBound) \($0.upperBound)" } + ["end"]).joined(separator: "\n") + "\n"
  }

  /// Parses the text of a file; nil if it is not valid for a file of this size.
  init?(_ text: String, of size: Int) {
    let lines = text.split(separator: "\n")
    guard lines.first.map(String.init) == Self.header, lines.last == "end", lines.count >= 2 else { return nil }
    for line in lines[1..<(lines.count - 1)] {
      let words = line.split(separator: " ")
      guard words.count == 2, let start = Int(words[0]), let end = Int(words[1]), start >= ranges.last?.upperBound ?? 0,
        end > start, end <= size
      else { return nil }
      insert(start..<end)
    }
  }
}

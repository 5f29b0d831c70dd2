import Checkpoint
import Platform

/// The progress of a pull.
public struct PullProgress: Sendable {
  public enum Phase: Sendable, Equatable {
    case receiving
    /// All bytes of the file have arrived, and its digest is computed.
    case verifying
    /// No data arrived for some seconds.
    case stalled(seconds: Int)
    /// A request is repeated after a pause.
    case waiting(seconds: Int)
  }

  /// The number of files that are complete, and of all files.
  public var filesDone = 0
  public var fileCount = 0
  /// The number of bytes that were received, and of all bytes. Those of files that were in the cache before are not
  /// included.
  public var bytesDone = 0
  public var byteCount = 0
  /// The number of bytes that an earlier pull had received.
  public var bytesBefore = 0
  /// The path of a file that is being received or verified.
  public var file = ""
  public var phase = Phase.receiving
}

/// The requests for the files of a model.
final class FileTransfers: RequestSource {
  private var downloads: [FileDownload]
  private var progress: PullProgress
  private var doneBytes = 0
  private let showProgress: (PullProgress) -> Void
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)

  /// Files up to this size are requested as a whole, several over one connection.
  static let smallSize = 1 << 22
  /// The smallest and the largest range of one request. Each costs a process and two round trips to the hub.
  private static let smallestRange = 1 << 22
  private static let largestRange = 1 << 28

  /// - Parameter progress: the state at the start, with the number of files and bytes.
  init(_ downloads: [FileDownload], _ progress: PullProgress, _ show: @escaping (PullProgress) -> Void) {
    (self.downloads, self.progress, showProgress) = (downloads, progress, show)
    report(.receiving)
  }

  deinit { buffer.deallocate() }

  /// Small files are distributed to several connections; of large files, ranges. The ranges become smaller towards the
  /// end, so that all connections end at about the same time (guided self-scheduling).
  func next(connections: Int, rate: Int) -> [any BodySink] {
    let small = downloads.filter { $0.file.size <= Self.smallSize && $0.unassignedCount > 0 }
    if !small.isEmpty {
      let share = (small.count + 2) / 3
      return small.prefix(max(1, min(share, 8))).compactMap { $0.nextSegment(length: .max / 4) }
    }
    guard let download = downloads.first(where: { $0.unassignedCount > 0 }) else { return [] }
    let rest = downloads.reduce(0) { $0 + $1.unassignedCount }
    let smallest = max(Self.smallestRange, rate / 2)  // half a second
    let length = min(max(rest / (2 * max(connections, 1)), smallest), Self.largestRange)
    return download.nextSegment(length: length).map { [$0] } ?? []
  }

  func work() throws(HubError) -> Bool {
    var hasMore = false
    for download in downloads {
      if try download.hash(buffer) { hasMore = true }
      try download.blob.saveRangesIfDue()
      guard download.isHashed else { continue }
      if download.file.size > Self.smallSize { show(.verifying, download.file.path) }
      guard try download.complete() else { continue }
      downloads.removeAll { $0 === download }
      doneBytes += download.file.size
      progress.filesDone += 1
    }
    return hasMore
  }

  func report(_ state: TransferState) {
    let active = downloads.first { $0.unassignedCount < $0.file.size } ?? downloads.first
    let isVerifying = !downloads.isEmpty && downloads.allSatisfy(\.isReceived)
    let phase: PullProgress.Phase =
      switch state {
      case .receiving: isVerifying ? .verifying : .receiving
      case .stalled(let seconds): isVerifying ? .verifying : .stalled(seconds: seconds)
      case .waiting(let seconds): .waiting(seconds: seconds)
      }
    show(phase, active?.file.path ?? "")
  }

  private func show(_ phase: PullProgress.Phase, _ file: String) {
    progress.bytesDone = doneBytes + downloads.reduce(0) { $0 + $1.receivedCount }
    (progress.phase, progress.file) = (phase, file)
    showProgress(progress)
  }

  /// Stores what is needed to resume the downloads that are not complete.
  func suspend() { for download in downloads { download.suspend() } }

  /// The progress so far.
  var current: PullProgress { progress }
}

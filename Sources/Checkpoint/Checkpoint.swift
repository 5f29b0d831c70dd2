import JSON
import Platform

/// The tensors of a model's files: of the safetensors files in a folder, or of a GGUF file or its parts.
public struct Checkpoint: Sendable {
  public let location: ModelLocation
  /// The files that contain the weights, sorted by name. The parts of a split GGUF model are in their order.
  public let files: [Path]
  /// The total size in bytes of these files.
  public let byteCount: Int
  /// The tensors by their names in the files.
  package let tensors: [String: Tensor]

  public init(_ location: ModelLocation) throws(CheckpointError) { try self.init(ModelFiles(location)) }

  public init(_ model: ModelFiles) throws(CheckpointError) {
    location = model.location
    if let gguf = model.gguf {
      tensors = try gguf.tensors.get()
      files = gguf.parts.map(\.path)
      byteCount = gguf.parts.reduce(0) { $0 + $1.bytes.count }
    } else {
      let weights = try SafeTensorsFolder(location.path)
      (files, tensors) = (weights.files, weights.tensors)
      let sizes = Dictionary(tensors.values.map { ($0.file.path, $0.file.bytes.count) }) { size, _ in size }
      byteCount = sizes.values.reduce(0, +)
    }
  }

  /// A hash that identifies the model and the version of its files. It covers file metadata (size, modification time
  /// and so on) instead of contents: reading all weights would take longer than computing with them.
  public var identity: UInt64 {
    var hash = FNV1a()
    let folder = location.path
    let others = location.isFile ? [] : [folder.appending("config.json"), SafeTensorsFolder.index(in: folder)]
    for path in others + files {
      for byte in fileIdentity(path).utf8 { hash.combine(byte) }
    }
    return hash.value
  }
}

extension [Tensor] {
  /// Reads the tensors from the disk if they are not in memory yet, and maps their pages.
  ///
  /// - Parameter inParallel: calls its body with the numbers below a count, on any threads.
  package func readAhead(inParallel: (_ count: Int, _ body: (Int) -> Void) -> Void) {
    let chunk = 1 << 23  // a large page takes a microsecond, 8 MiB of small pages half a millisecond
    var chunks: [(file: MappedFile, range: Range<Int>)] = []
    for (_, tensors) in Dictionary(grouping: self, by: { ObjectIdentifier($0.file) }) {
      let file = tensors[0].file
      for range in joined(tensors.map(\.range)) {
        guard file.isInMemory(range) else {
          file.populate(range)  // one reader in sequential order, for disks
          continue
        }
        for start in stride(from: range.lowerBound, to: range.upperBound, by: chunk) {
          chunks.append((file, start..<Swift.min(start + chunk, range.upperBound)))
        }
      }
    }
    inParallel(chunks.count) { chunks[$0].file.populate(chunks[$0].range) }
  }

  /// Returns the ranges in ascending order, with ranges merged if the gap between them is not larger than a single
  /// read.
  private func joined(_ ranges: [Range<Int>]) -> [Range<Int>] {
    let smallGap = 1 << 17  // the default read-ahead of Linux
    return ranges.sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { joined, range in
      if let last = joined.last, range.lowerBound - last.upperBound <= smallGap {
        joined[joined.count - 1] = last.lowerBound..<Swift.max(last.upperBound, range.upperBound)
      } else {
        joined.append(range)
      }
    }
  }
}

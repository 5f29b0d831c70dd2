import JSON

/// A file of a model on the hub.
public struct RemoteFile: Equatable, Sendable {
  /// The path in the repository.
  public let path: String
  /// The size in bytes.
  public let size: Int
  public let digest: Digest
}

/// The files of a model at one commit: the hub's response to `GET /api/models/NAME/revision/REVISION?blobs=true`
/// (huggingface_hub, `HfApi.model_info` with `files_metadata`).
public struct FileListing: Equatable, Sendable {
  public let commit: String
  public let files: [RemoteFile]

  /// Parses a listing, which is untrusted: it is rejected if any path leads out of the folder, or if any size or
  /// digest is invalid. Each file is checked as it is parsed, so that only valid entries take memory: at most ten times
  /// the size of the text.
  public init(_ json: UnsafeBufferPointer<UInt8>) throws(HubError) {
    var commit: String?
    var files: [RemoteFile] = []
    var refusal: HubError?
    do throws(JSONError) {
      var scanner = JSONScanner(json)
      try scanner.object { name, scanner throws(JSONError) in
        if scanner.matches(name, "sha") {
          commit = try scanner.swiftString()
        } else if scanner.matches(name, "siblings") {
          try scanner.array { scanner throws(JSONError) in
            let entry = try Entry(&scanner)
            guard refusal == nil else { return }
            do throws(HubError) { files.append(try entry.file()) } catch { refusal = error }
          }
        } else {
          _ = try scanner.skipValue()
        }
      }
      try scanner.end()
    } catch {
      throw HubError(.badData, "invalid file listing from the hub: \(error)")
    }
    guard let commit, isHexadecimal(commit, count: 40) else {
      throw HubError(.badData, "invalid file listing from the hub: no commit")
    }
    if let refusal { throw refusal }
    self.commit = commit
    guard Set(files.map(\.path)).count == files.count else {
      throw HubError(.badData, "invalid file listing from the hub: duplicate file")
    }
    self.files = files
  }

  public func file(_ path: String) -> RemoteFile? { files.first { $0.path == path } }

  /// An element of `siblings`, not validated yet.
  private struct Entry {
    var path = ""
    var size: Int?
    var blob: String?
    var sha256: String?

    init(_ scanner: inout JSONScanner) throws(JSONError) {
      try scanner.object { name, scanner throws(JSONError) in
        if scanner.matches(name, "rfilename") {
          path = try scanner.swiftString()
        } else if scanner.matches(name, "size") {
          size = try scanner.integer()
        } else if scanner.matches(name, "blobId") {
          blob = try scanner.swiftString()
        } else if scanner.matches(name, "lfs"), try scanner.kind() == .object {
          try scanner.object { name, scanner throws(JSONError) in
            if scanner.matches(name, "sha256") {
              sha256 = try scanner.swiftString()
            } else {
              _ = try scanner.skipValue()
            }
          }
        } else {
          _ = try scanner.skipValue()
        }
      }
    }

    func file() throws(HubError) -> RemoteFile {
      guard isSafeRelativePath(path) else {
        throw HubError(
          .badData, "invalid file listing from the hub: unsafe path \"\(path.prefix(200))\"")
      }
      guard let size, (0...1 << 48).contains(size) else {
        throw HubError(.badData, "invalid file listing from the hub: missing or invalid size of \(path)")
      }
      if let sha256, isHexadecimal(sha256, count: 64) {
        return RemoteFile(path: path, size: size, digest: .sha256(sha256))
      }
      guard sha256 == nil, let blob, isHexadecimal(blob, count: 40) else {
        throw HubError(.badData, "invalid file listing from the hub: missing or invalid digest of \(path)")
      }
      return RemoteFile(path: path, size: size, digest: .gitBlob(blob))
    }
  }
}

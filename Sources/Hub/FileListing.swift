import JSON

/// A file of a model on the hub.
public struct RemoteFile: Equatable, Sendable {
  /// In the repository: `config.json`, or with folders.
  public let path: String
  /// In bytes.
  public let size: Int
  public let digest: Digest
}

/// What a model consists of at one commit: the hub's answer to `GET /api/models/NAME/revision/REVISION?blobs=true`
/// (huggingface_hub, `HfApi.model_info` with `files_metadata`).
public struct FileListing: Equatable, Sendable {
  public let commit: String
  public let files: [RemoteFile]

  /// A listing comes from outside: names that lead out of the folder, sizes that no file has, digests that are none are
  /// refused as a whole. Each file is checked as it is read, so that memory is needed for valid ones only: at most ten
  /// times the size of the text.
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
      throw HubError(.badData, "the hub's listing of the model: \(error)")
    }
    guard let commit, isHexadecimal(commit, count: 40) else {
      throw HubError(.badData, "the hub's listing of the model names no commit")
    }
    if let refusal { throw refusal }
    self.commit = commit
    guard Set(files.map(\.path)).count == files.count else {
      throw HubError(.badData, "the hub's listing of the model names a file twice")
    }
    self.files = files
  }

  public func file(_ path: String) -> RemoteFile? { files.first { $0.path == path } }

  /// An element of `siblings` as it stands there.
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
          .badData, "the hub's listing of the model names a file \"\(path.prefix(200))\", which is refused")
      }
      guard let size, (0...1 << 48).contains(size) else {
        throw HubError(.badData, "the hub's listing of the model gives \(path) no size that a file can have")
      }
      if let sha256, isHexadecimal(sha256, count: 64) {
        return RemoteFile(path: path, size: size, digest: .sha256(sha256))
      }
      guard sha256 == nil, let blob, isHexadecimal(blob, count: 40) else {
        throw HubError(.badData, "the hub's listing of the model gives \(path) no digest")
      }
      return RemoteFile(path: path, size: size, digest: .gitBlob(blob))
    }
  }
}

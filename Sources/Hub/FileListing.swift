import JSON

/// A file of a model on the hub.
public struct RemoteFile: Equatable, Sendable {
  /// The path in the repository.
  public let path: String
  /// The size in bytes.
  public let size: Int
  public let digest: Digest
  /// The digest of the pointer that git has in place of a file in large file storage; nil for other files.
  var pointer: String?
}

/// The files of a model at one commit: the hub's response to `GET /api/models/NAME/revision/REVISION?blobs=true`
/// (huggingface_hub, `HfApi.model_info` with `files_metadata`).
public struct FileListing: Equatable, Sendable {
  public let commit: String
  /// The current name of the model, to which the hub redirects from its former names and from other letter case.
  public let name: ModelName?
  public let files: [RemoteFile]

  /// Parses a listing, which is untrusted: it is rejected if any path leads out of the folder, or if any size or
  /// digest is invalid. Each file is checked as it is parsed, so that only valid entries take memory: at most ten times
  /// the size of the text.
  public init(_ json: UnsafeBufferPointer<UInt8>) throws(HubError) {
    var commit: String?
    var name: String?
    var files: [RemoteFile] = []
    var refusal: HubError?
    do throws(JSONError) {
      var scanner = JSONScanner(json)
      try scanner.object { memberName, scanner throws(JSONError) in
        if scanner.matches(memberName, "sha") {
          commit = try scanner.swiftString()
        } else if scanner.matches(memberName, "id"), try scanner.kind() == .string {
          name = try scanner.swiftString()
        } else if scanner.matches(memberName, "siblings") {
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
    self.name = name.flatMap { try? ModelName($0) }
    guard Set(files.map(\.path)).count == files.count else {
      throw HubError(.badData, "invalid file listing from the hub: duplicate file")
    }
    self.files = files
  }

  /// Parses a file `trees/COMMIT.json` of the cache (huggingface_hub, `_tree_cache.py`).
  ///
  /// - Returns: nil if it is not valid.
  init?(tree json: UnsafeBufferPointer<UInt8>, commit: String) {
    var files: [RemoteFile] = []
    var isValid = true
    do throws(JSONError) {
      var scanner = JSONScanner(json)
      try scanner.object { name, scanner throws(JSONError) in
        guard scanner.matches(name, "files") else {
          _ = try scanner.skipValue()
          return
        }
        try scanner.object { path, scanner throws(JSONError) in
          var entry = Entry()
          var bytes: [UInt8] = []
          guard scanner.decode(path, into: &bytes) else { throw scanner.failure("invalid file name") }
          entry.path = String(decoding: bytes, as: UTF8.self)
          try scanner.object { name, scanner throws(JSONError) in
            if scanner.matches(name, "size") {
              entry.size = try scanner.integer()
            } else if scanner.matches(name, "blob_id") {
              entry.blob = try scanner.swiftString()
            } else if scanner.matches(name, "lfs_sha256"), try scanner.kind() == .string {
              entry.sha256 = try scanner.swiftString()
            } else {
              _ = try scanner.skipValue()
            }
          }
          if let file = try? entry.file() { files.append(file) } else { isValid = false }
        }
      }
      try scanner.end()
    } catch { return nil }
    guard isValid, !files.isEmpty else { return nil }
    (self.commit, self.files, name) = (commit, files, nil)
  }

  /// The text of the file `trees/COMMIT.json`.
  var treeText: String {
    let buffer = ByteBuffer()
    buffer.append("{\n \"format_version\": 1,\n \"files\": {")
    for (index, file) in files.sorted(by: { $0.path < $1.path }).enumerated() {
      buffer.append(index == 0 ? "\n  " : ",\n  ")
      buffer.append(jsonString: file.path)
      buffer.append(": {\"size\": \(file.size), \"blob_id\": \"\(file.pointer ?? file.digest.hexadecimal)\"")
      if case .sha256(let digits) = file.digest {
        buffer.append(", \"lfs_sha256\": \"\(digits)\", \"lfs_size\": \(file.size)")
      }
      buffer.append("}")
    }
    buffer.append("\n }\n}\n")
    return String(decoding: buffer.bytes, as: UTF8.self)
  }

  public func file(_ path: String) -> RemoteFile? { files.first { $0.path == path } }

  /// An element of `siblings`, not validated yet.
  private struct Entry {
    var path = ""
    var size: Int?
    var blob: String?
    var sha256: String?

    init() {}

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
        let pointer = blob.flatMap { isHexadecimal($0, count: 40) ? $0 : nil }
        return RemoteFile(path: path, size: size, digest: .sha256(sha256), pointer: pointer)
      }
      guard sha256 == nil, let blob, isHexadecimal(blob, count: 40) else {
        throw HubError(.badData, "invalid file listing from the hub: missing or invalid digest of \(path)")
      }
      return RemoteFile(path: path, size: size, digest: .gitBlob(blob))
    }
  }
}

import Foundation
import Testing

/// A hub server for a test, on the local machine (Hub/hub.py), and an empty hub cache.
final class HubServer {
  /// True if the server can be run.
  static let canRun = (try? Programs.shell("command -v python3 && command -v curl"))?.status == 0
  static let requirement: Comment = "NOT TESTED: lm-pull (needs python3 and curl)"

  let folder: URL
  let address: String
  private let process = Process()
  private let input = Pipe()

  /// Starts a server with the model acme/tiny, a copy of wren, and additional files.
  ///
  /// - Parameters:
  ///   - files: the contents by `ORGANIZATION/NAME/PATH`.
  ///   - usesTLS: if true, the certificate is the file `certificate` in the folder.
  init(_ files: [String: Data] = [:], usesTLS: Bool = false) throws {
    folder = try Programs.newFolder()
    let (models, state) = (folder.appending(path: "models"), folder.appending(path: "state"))
    try FileManager.default.createDirectory(at: models.appending(path: "acme"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(at: state, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: Programs.checkout.appending(path: "Models/wren"), to: models.appending(path: "acme/tiny"))
    for (path, content) in files {
      let file = models.appending(path: path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try content.write(to: file)
    }
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", Programs.checkout.appending(path: "Tests/PipelineTests/Hub/hub.py").path, models.path, state.path,
    ]
    if usesTLS {
      let certificate = folder.appending(path: "certificate").path
      _ = try Programs.shell(
        """
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
          -addext subjectAltName=DNS:localhost,DNS:huggingface.co,IP:127.0.0.1 -keyout key -out certificate && cat key >> certificate
        """, in: folder)
      process.arguments?.append(certificate)
    }
    process.standardInput = input
    try process.run()
    let file = state.appending(path: "address")
    let deadline = Date().addingTimeInterval(60)
    while !FileManager.default.fileExists(atPath: file.path), Date() < deadline { usleep(10_000) }
    address = String(try String(contentsOf: file, encoding: .utf8).split(separator: " ")[0])
  }

  deinit {
    try? input.fileHandleForWriting.close()  // the server ends at the end of its input
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }

  /// Sets the current names of renamed models.
  func rename(_ names: [String: String]) throws {
    try JSONEncoder().encode(names).write(to: folder.appending(path: "state/renames"))
  }

  /// Sets the faults that the server injects; see hub.py.
  func fault(_ faults: String?) throws {
    let file = folder.appending(path: "state/faults")
    try? FileManager.default.removeItem(at: file)
    try faults?.write(to: file, atomically: true, encoding: .utf8)
  }

  /// Runs a script in the server's folder. The hub cache is its subfolder `hub`.
  func shell(_ script: String, _ extra: [String: String] = [:]) throws -> Programs.Result {
    var environment = ["HF_ENDPOINT": address, "HF_HUB_CACHE": "hub", "HF_HOME": "home", "HF_TOKEN": ""]
    environment.merge(extra) { $1 }
    return try Programs.shell(script, environment: environment, in: folder)
  }

  struct Request: Decodable {
    let host: String
    let path: String
    let range: String?
    let token: String?
  }

  /// Returns the requests since the previous call.
  func requests() throws -> [Request] {
    let file = folder.appending(path: "state/log")
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
    try FileManager.default.removeItem(at: file)
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Request.self, from: Data($0.utf8)) }
  }

  /// Returns a description of the damage in the cache, or an empty string: blobs with a wrong digest, and revisions
  /// with missing files. Partial downloads are ignored.
  func damage(of model: String, files: [String]) throws -> String {
    try shell(
      """
      cd hub/models--\(model.replacing("/", with: "--")) 2>/dev/null || exit 0
      for blob in blobs/*; do
        name=${blob#blobs/}
        case $name in
        \\* | *.incomplete) continue ;;
        ????????????????????????????????????????) digest=$({ printf 'blob %d\\0' $(wc -c < $blob); cat $blob; } | sha1sum) ;;
        *) digest=$(sha256sum < $blob) ;;
        esac
        [ "$name" = "${digest%% *}" ] || echo "$blob has another digest"
      done
      for reference in refs/*; do
        [ -f $reference ] || continue
        for file in \(files.joined(separator: " ")); do
          cmp snapshots/$(cat $reference)/$file ../../models/\(model)/$file
          case $(readlink snapshots/$(cat $reference)/$file) in
          ../*/blobs/*) ;;
          *) echo "$file is not a relative link" ;;
          esac
        done
      done 2>&1
      """
    ).text
  }
}

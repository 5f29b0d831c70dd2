import Foundation
import Testing

/// Full and read-only file systems, which are mounted in a new namespace.
@Suite(.enabled(if: MountedDisk.isPossible, MountedDisk.requirement))
struct FileSystemTests {
  private func shell(_ size: String, _ script: String) throws -> Programs.Result {
    let folder = try Programs.newFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    return try Programs.shell(MountedDisk.script(size, script), in: folder)
  }

  @Test func writesUntilTheDiskIsFull() throws {
    let result = try shell(
      "64k",
      """
      yes word | head -n 20000 > text; bpe-encode text > whole; bpe-encode text > disk/out; echo $?
      wc -c < disk/out; cmp -n 65536 disk/out whole
      """)
    #expect(result.text == "74\n65536\n")
    #expect(result.errors == "bpe-encode: standard output: No space left on device\n")
  }

  /// The cache is used again when there is free space.
  @Test func computesWithoutACacheOnAFullDisk() throws {
    let result = try shell(
      "64k",
      """
      step() { echo '[5,6,7]' | lm-step -n 40 $1 | cksum; echo ${PIPESTATUS[*]}; }
      for room in 64k 500k 1m 16m 16m; do mount -o remount,size=$room tmpfs disk; step '--cache disk/cache'; done
      step
      """)
    let answers = result.text.split(separator: "\n")
    #expect(answers.count == 12 && Set(answers).count == 2 && answers[1] == "0 0 0", "\(result.text)")
    let full = "lm-step: disk/cache: cannot store new positions: No space left on device"
    let complaints = result.errors.split(separator: "\n")
    #expect(complaints.first == full[...] && Set(complaints).count == 1 && complaints.count < 4, "\(result.errors)")
  }

  @Test func worksOnAReadOnlyDisk() throws {
    let result = try shell(
      "64m",
      """
      cp -r "$CHECKOUT/Models/wren" disk/model; echo '[5,6]' | lm-step -m disk/model --cache disk/cache > /dev/null
      before=$(cksum < disk/cache)
      mount -o remount,ro tmpfs disk
      step() { echo '[5,6,7]' | lm-step -n 5 -m disk/model $1 | cksum; echo ${PIPESTATUS[*]}; }
      step; step '--cache disk/cache'; step '--cache disk/other'
      [ "$before" = "$(cksum < disk/cache)" ] && bpe-encode > disk/out; echo $?
      """)
    let answers = result.text.split(separator: "\n")
    #expect(answers.count == 7 && Set(answers[..<6]).count == 2 && answers[1] == "0 0 0" && answers[6] == "1")
    #expect(result.errors.contains("lm-step: disk/other: Read-only file system; continuing without a cache\n"))
    #expect(!result.errors.contains("disk/cache"))
  }

  @Test(.enabled(if: HubServer.canRun, HubServer.requirement))
  func resumesADownloadWhenThereIsRoom() throws {
    let hub = try HubServer()
    // The server asks for a retry after one second, and in that second the disk is filled.
    try hub.fault(#"{"storage/": {"status": 503, "times": 1, "headers": {"Retry-After": "1"}}}"#)
    let result = try hub.shell(
      MountedDisk.script(
        "2m",
        """
        export HF_HUB_CACHE=disk/hub
        lm-pull acme/tiny; echo $?
        mount -o remount,size=8m tmpfs disk; lm-pull acme/tiny 2> patience & pid=$!
        until grep -qs 'retrying in' patience || ! kill -0 $pid; do sleep 0.01; done
        head -c 5000000 /dev/zero > disk/other; wait $pid; echo $?; rm disk/other
        lm-pull acme/tiny > /dev/null; echo $?
        cmp disk/hub/*/snapshots/*/model.safetensors models/acme/tiny/model.safetensors; echo $?
        mount -o remount,ro tmpfs disk; lm-pull acme/tiny > /dev/null; echo $?; lm-pull acme/tiny -r v1; echo $?
        tail -n 1 patience >&2
        """))
    #expect(result.text == "74\n74\n0\n0\n0\n74\n", "\(result.text)")
    let complaints = result.errors.split(separator: "\n")
    #expect(complaints.count == 3, "\(result.errors)")
    #expect(complaints[0].hasSuffix(" MB needed, 2.0 MB free"))
    #expect(complaints[1].hasSuffix("refs/v1: Read-only file system"))
    #expect(complaints[2].contains(": No space left on device; ") && complaints[2].hasSuffix("for the next run"))
  }
}

enum MountedDisk {
  static let isPossible =
    (try? Programs.shell("unshare --map-root-user --mount mount -t tmpfs tmpfs /mnt"))?.status == 0
  static let requirement: Comment = "NOT TESTED: full and read-only disks (needs the permission to mount file systems)"

  /// Returns a script that mounts a new file system of a size on the folder `disk`, and then runs `script`.
  static func script(_ size: String, _ script: String) -> String {
    """
    unshare --map-root-user --mount bash /dev/fd/3 3<<'END'
    mkdir disk; mount -t tmpfs -o size=\(size) tmpfs disk
    \(script)
    END
    """
  }
}

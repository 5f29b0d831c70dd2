import Foundation
import Testing

/// System failures while a tool runs. The tool continues, or ends with a message and an exit status of sysexits(3). It
/// never traps, and never leaves a partial line in a file.
@Suite struct FaultTests {
  private let temporaryFolder: TemporaryFolder
  private var folder: URL { temporaryFolder.url }

  init() throws { temporaryFolder = try TemporaryFolder() }

  private func shell(_ script: String, input: Data? = nil, _ environment: [String: String] = [:]) throws
    -> Programs.Result
  {
    try Programs.shell(script, input: input, environment: environment, in: folder)
  }

  private func copyModel() throws {
    try FileManager.default.copyItem(
      at: Programs.checkout.appending(path: "Models/wren"), to: folder.appending(path: "model"))
  }

  // MARK: - Model files

  /// The mapped pages are accessed by the main thread for a short record, and also by worker threads for a long one.
  @Test(arguments: ["[5]", "[\((1...400).map(String.init).joined(separator: ","))]"])
  func reportsAModelThatIsTruncatedWhileMapped(_ record: String) throws {
    try copyModel()
    let result = try shell(
      """
      mkfifo in; lm-logits -m model --base64 < in > out & pid=$!
      exec 3> in; printf '[5]\\n' >&3; while [ ! -s out ]; do sleep 0.01; done
      truncate -s 4096 model/model.safetensors; printf '%s\\n' '\(record)' >&3
      wait $pid
      """)
    #expect(result.status == 74)
    #expect(
      result.errors
        == "lm-logits: model/model.safetensors: the file was truncated while in use, or its disk failed\n")
    let lines = try String(contentsOf: folder.appending(path: "out"), encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 2 && lines[1].hasPrefix("{\"error\":\"lm-logits: ") && lines[1].hasSuffix("\"fatal\":true}"))
  }

  @Test func reportsACacheThatIsTruncatedWhileMapped() throws {
    let result = try shell(
      """
      mkfifo in; lm-step --cache cache < in > out & pid=$!
      exec 3> in; printf '[5]\\n' >&3; while [ ! -s out ]; do sleep 0.01; done
      truncate -s 0 cache; printf '[5,6]\\n' >&3
      wait $pid
      """)
    #expect(result.status == 74)
    #expect(result.errors == "lm-step: cache: the file was truncated while in use, or its disk failed\n")
  }

  @Test(arguments: ["config.json", "model.safetensors", "tokenizer.json"])
  func rejectsAPipeAsAModelFile(_ name: String) throws {
    try copyModel()
    let result = try shell("rm model/\(name); mkfifo model/\(name); echo '[5]' | lm-step -m model")
    #expect(result.status == 66)
    #expect(result.errors == "lm-step: model/\(name): not a regular file; only regular files can be memory-mapped\n")
  }

  // MARK: - Memory

  /// For each memory limit, the output is right or there is an error message.
  @Test(
    .enabled(if: Programs.canLimitMemory, Programs.limitRequirement),
    arguments: ["lm-step -n 3", "lm-logits --base64", "lm-topk", "bpe-encode -j", "bpe-decode"])
  func reportsOutOfMemory(_ tool: String) throws {
    let record =
      "{\"text\":\"\(String(repeating: "ab ", count: 4_000))\",\"ids\":[5],\"logits\":[\(String(repeating: "0.5,", count: 4095))1]}\n"
    let limits = Array(stride(from: 20_000, to: 120_000, by: 10_000))
    let script = limits.map { "(ulimit -v \($0); \(tool) < record | cksum; echo ${PIPESTATUS[0]})" }
    try Data(record.utf8).write(to: folder.appending(path: "record"))
    let result = try shell("set -o pipefail; \(tool) < record | cksum\n" + script.joined(separator: "\n"))
    let lines = result.text.split(separator: "\n")
    let right = try #require(lines.first)
    for (limit, index) in zip(limits, stride(from: 1, to: lines.count - 1, by: 2)) {
      let isRight = lines[index] == right && lines[index + 1] == "0"
      #expect(isRight || lines[index + 1] == "71", "\(tool) in \(limit) kB: \(lines[index + 1])")
    }
    let complaints = result.errors.split(separator: "\n")
    #expect(complaints.allSatisfy { $0.contains(": out of memory: cannot allocate ") }, "\(complaints)")
  }

  @Test(.enabled(if: Programs.canLimitMemory, Programs.limitRequirement))
  func writesTheRecordsBeforeOneThatExceedsTheMemory() throws {
    let result = try shell(
      """
      seq 30 > in; bpe-encode in > right; truncate -s 300M in  # a line of zeros without an end
      ulimit -v 100000; bpe-encode in > out; echo $?; head -n 30 out | cmp - right; echo $?; tail -n +31 out | grep -c fatal
      """)
    #expect(result.text == "71\n0\n1\n")
    #expect(result.errors.hasPrefix("bpe-encode: out of memory: "))
  }

  // MARK: - Reading and writing

  /// Signals interrupt the system calls, and the input arrives byte by byte.
  @Test func handlesShortAndInterruptedReads() throws {
    let text = "Once upon a time\nthere was\n\na slow écrivain 😀\n"
    let whole = try shell("bpe-encode | lm-step -n 2 | bpe-decode", input: Data(text.utf8))
    let slow = try shell(
      """
      while IFS= read -r -n 1 -d '' byte; do printf '%s' "$byte"; sleep 0.002; done < text |
        { bpe-encode & pid=$!; (for n in $(seq 30); do kill -STOP $pid; kill -CONT $pid; sleep 0.005; done) 2> /dev/null
          wait $pid; } | lm-step -n 2 | bpe-decode
      """.replacing("< text", with: "<<< '\(text.dropLast())'"))
    #expect(whole.status == 0 && slow.output == whole.output)
  }

  @Test func waitsForNonblockingDescriptors() throws {
    let (input, output, process) = (Pipe(), Pipe(), Process())
    // O_NONBLOCK belongs to the end of the pipe, which the tool inherits.
    for end in [input.fileHandleForReading, output.fileHandleForWriting] {
      #expect(fcntl(end.fileDescriptor, F_SETFL, fcntl(end.fileDescriptor, F_GETFL) | O_NONBLOCK) == 0)
    }
    process.executableURL = URL(filePath: Programs.folder).appending(path: "bpe-encode")
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    let writer = input.fileHandleForWriting
    for line in ["one\n", "two\n"] {
      usleep(100_000)
      try writer.write(contentsOf: Data(line.utf8))
    }
    // The record is longer than a pipe holds, and is read late: writing it blocks as well.
    try writer.write(contentsOf: Data((String(repeating: "word ", count: 12_000) + "\n").utf8))
    try writer.close()
    usleep(300_000)
    let lines = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    #expect(lines.count { $0 == UInt8(ascii: "\n") } == 3)
  }

  @Test func handlesClosedStandardStreams() throws {
    let result = try shell(
      """
      bpe-encode <&- > /dev/null; echo $?
      echo '[5]' | lm-step --cache cache >&-; echo $?
      lm-step --cache cache < /dev/null >&-; echo $?
      echo nonsense | lm-step 2>&- > /dev/null; echo $?
      """)
    #expect(result.text == "74\n74\n0\n65\n")
    #expect(
      result.errors
        == "bpe-encode: standard input: Bad file descriptor\nlm-step: standard output: Bad file descriptor\n")
    // The output was not written into the file that took the descriptor of standard output.
    let cache = try Data(contentsOf: folder.appending(path: "cache"))
    #expect(cache.starts(with: Data("lmpkev1\n".utf8)) && cache.range(of: Data("\"next\"".utf8)) == nil)
  }

  /// The output file is a prefix of the whole output that ends after a line.
  @Test(arguments: ["INT", "TERM", "HUP"])
  func signalsLeaveNoPartialLine(_ signal: String) throws {
    let result = try shell(
      """
      yes 'Once upon a time there was an old man who lived by the sea.' | head -n 50000 > text
      bpe-encode text > whole
      for n in 1 2 3 4 5 6 7 8; do
        bpe-encode text > out & pid=$!; sleep 0.$((n * 8 + 10)); kill -\(signal) $pid; wait $pid
        [ $? -gt 128 ] || [ $(wc -c < out) = $(wc -c < whole) ] || echo "status"
        cmp -n $(wc -c < out) out whole || echo "other bytes"
        [ ! -s out ] || [ "$(tail -c 1 out | od -An -c | tr -d ' ')" = '\\n' ] || echo "half a line"
      done
      """)
    #expect(result.text.isEmpty, "\(result.text)")
  }

  @Test(.enabled(if: Programs.canLimitFiles, Programs.limitRequirement)) func reportsTheFileSizeLimit() throws {
    let result = try shell(
      "yes word | head -n 20000 > text; (ulimit -f 64; bpe-encode text > out); echo $?; wc -c < out")
    #expect(result.text == "74\n65536\n")
    #expect(result.errors == "bpe-encode: standard output: File too large\n")
  }

  // MARK: - Environment

  @Test func outputDoesNotDependOnTheEnvironment() throws {
    let plain = try shell("echo 'Once upon a été' | bpe-encode | lm-step -n 3 | lm-logits | lm-topk | cksum")
    for wrapper in [
      "env -i PATH=\"$PATH\" LANG=C", "env -u HOME", "env HOME=/nonexistent TMPDIR=/nonexistent LC_ALL=tr_TR.UTF-8",
      "setsid",
    ] {
      let other = try shell(
        "\(wrapper) bash -c \"echo 'Once upon a été' | bpe-encode | lm-step -n 3 | lm-logits | lm-topk | cksum\"")
      #expect(other.status == 0 && other.output == plain.output, "\(wrapper): \(other.errors)")
    }
  }

  /// No file can be created in /proc/self.
  @Test func computesWithoutACacheInAReadOnlyFolder() throws {
    let result = try shell("echo '[5]' | lm-step --cache /proc/self/cache")
    #expect(result.status == 0)
    #expect(result.text == (try shell("echo '[5]' | lm-step").text))
    #expect(
      result.errors.hasPrefix("lm-step: /proc/self/cache: ") && result.errors.hasSuffix("continuing without a cache\n"))
  }
}

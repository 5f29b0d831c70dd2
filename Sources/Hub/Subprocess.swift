import CPlatform
import Platform

/// A program that runs beside this process: curl, or pip.
///
/// Programs run in the folder `/` with only the absolute folders of PATH (``SearchPath``), so that they do not run or
/// read files in the current folder. On Linux they are killed when this process ends, even if this process is killed.
final class Subprocess {
  /// The standard input of a program.
  enum Input {
    case nothing
    /// A text that fits in the buffer of a pipe.
    case text(String)
  }

  private let name: String
  private let output: Pipe
  private let errors: Pipe
  /// The process id until the program has ended.
  private var process: pid_t?
  private var isOutputOpen = true
  private var isErrorsOpen = true
  /// The end of the program's standard error.
  private var errorOutput: [UInt8] = []

  /// Starts a program, which is searched for in PATH.
  ///
  /// - Parameters:
  ///   - words: the name of the program and its arguments.
  ///   - files: file names to append to the arguments.
  ///   - showsOutput: if true, the program's standard output goes to our standard error.
  init(_ words: [String], files: [Path] = [], input: Input = .nothing, showsOutput: Bool = false) throws(HubError) {
    name = words[0]
    output = try Pipe()
    errors = try Pipe()
    let source = try Self.open(input)
    defer { close(source) }
    var process: pid_t = 0
    var cWords = words.map { strdup($0) } + files.map { strdup($0.cString) } + [nil]
    SearchPath.secure()
    let code = lmpipe_spawn(
      &cWords, [source, showsOutput ? STDERR_FILENO : output.writeEnd, errors.writeEnd], &process)
    for word in cWords { free(word) }
    guard code == 0 else {
      throw HubError(
        .unavailable,
        code == ENOENT
          ? "\(name) is required, but was not found in the absolute folders of PATH"
          : "\(name): \(String(cString: strerror(code)))")
    }
    self.process = process
    output.closeWriteEnd()
    errors.closeWriteEnd()
  }

  deinit { stop() }

  /// True if the program has closed its standard output and error.
  var hasClosed: Bool { !isOutputOpen && !isErrorsOpen }

  /// Kills the program if it still runs.
  func stop() {
    guard let process else { return }
    kill(process, SIGKILL)  // SIGTERM could be ignored, and the programs have nothing to clean up
    _ = wait()
  }

  /// Waits until the program has ended.
  ///
  /// - Returns: its exit status, or 128 plus the number of the signal that ended it; nil if it is unknown.
  @discardableResult
  func wait() -> Int32? {
    guard let process else { return nil }
    self.process = nil
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { return nil }
    }
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
  }

  /// The last line of the program's standard error that has its name at the start, or else the last line, without the
  /// user names and passwords in URLs. curl, which can write several lines, starts the one with the reason with its
  /// name.
  var reason: String {
    let lines = errorOutput.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    let prefix = "\(name): "
    let line = lines.last { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) } ?? lines.last ?? ""
    return Secrets.withoutUserInfo(line)
  }

  /// Runs a program and waits until it ends.
  ///
  /// - Parameter receive: called with the program's standard output in chunks. If it throws, the program is killed.
  /// - Returns: the exit status, and ``reason``.
  static func run(
    _ words: [String], files: [Path] = [], showsOutput: Bool = false,
    receive: (UnsafeRawBufferPointer) throws(HubError) -> Void = { _ in }
  ) throws(HubError) -> (status: Int32?, reason: String) {
    let program = try Subprocess(words, files: files, showsOutput: showsOutput)
    let buffer = OutputBuffer()
    while !program.hasClosed {
      try Interruption.check()
      try read([program], into: buffer, timeout: 1) { _, bytes throws(HubError) in try receive(bytes) }
    }
    return (program.wait(), program.reason)
  }

  /// Waits until one of several programs has output or closes it, and reads what is there once from each.
  ///
  /// - Parameters:
  ///   - timeout: the longest time to wait, in seconds.
  ///   - receive: called with the index of the program and its output.
  static func read(
    _ programs: [Subprocess], into buffer: OutputBuffer, timeout: Double,
    _ receive: (Int, UnsafeRawBufferPointer) throws(HubError) -> Void
  ) throws(HubError) {
    var requests: [pollfd] = []
    for program in programs {
      requests.append(pollfd(fd: program.isOutputOpen ? program.output.readEnd : -1, events: Int16(POLLIN), revents: 0))
      requests.append(pollfd(fd: program.isErrorsOpen ? program.errors.readEnd : -1, events: Int16(POLLIN), revents: 0))
    }
    let milliseconds = Int32(max(0, min(timeout, 60)) * 1000)
    guard poll(&requests, nfds_t(requests.count), milliseconds) >= 0 else {
      if errno == EINTR { return }
      throw HubError(path: "a pipe")
    }
    for (index, program) in programs.enumerated() {
      if requests[2 * index].revents != 0 {
        let bytes = try buffer.read(program.output.readEnd)
        if let bytes, bytes.count == 0 { program.isOutputOpen = false }
        if let bytes, bytes.count > 0 { try receive(index, bytes) }
      }
      if requests[2 * index + 1].revents != 0, let bytes = try buffer.read(program.errors.readEnd) {
        if bytes.count == 0 { program.isErrorsOpen = false }
        program.errorOutput = Array((program.errorOutput + bytes).suffix(4096))
      }
    }
  }

  private static func open(_ input: Input) throws(HubError) -> Int32 {
    switch input {
    case .nothing:
      let descriptor = Platform.open("/dev/null", O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw HubError(path: "/dev/null") }
      return descriptor
    case .text(let text):
      let pipe = try Pipe()
      let bytes = Array(text.utf8)
      _ = fcntl(pipe.writeEnd, F_SETFL, O_NONBLOCK)  // there is no reader yet, so a full pipe would block forever
      guard write(pipe.writeEnd, bytes, bytes.count) == bytes.count else {
        throw HubError(.usage, "the URL or the token is too long")
      }
      return pipe.takeReadEnd()
    }
  }
}

/// A buffer for the output of programs.
final class OutputBuffer {
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)

  deinit { buffer.deallocate() }

  /// Reads what is available; no bytes at the end. Returns nil if a signal arrived first. The bytes are valid until the
  /// next call.
  func read(_ descriptor: Int32) throws(HubError) -> UnsafeRawBufferPointer? {
    let count = Platform.read(descriptor, buffer.baseAddress, buffer.count)
    guard count >= 0 else {
      if errno == EINTR { return nil }
      throw HubError(path: "a pipe")
    }
    return UnsafeRawBufferPointer(rebasing: buffer[..<count])
  }
}

/// A pipe that closes its ends when it is deinitialized. Subprocesses do not inherit the ends (`FD_CLOEXEC`).
private final class Pipe {
  private(set) var readEnd: Int32 = -1
  private(set) var writeEnd: Int32 = -1

  init() throws(HubError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw HubError(path: "a pipe") }
    // Descriptors 0 to 2 may be closed in this process; the pipe must not take their numbers.
    readEnd = fcntl(ends[0], F_DUPFD_CLOEXEC, 3)
    writeEnd = fcntl(ends[1], F_DUPFD_CLOEXEC, 3)
    for end in ends { close(end) }
    guard readEnd >= 0, writeEnd >= 0 else { throw HubError(path: "a pipe") }
    lmpipe_enlarge_pipe(writeEnd)
  }

  deinit {
    if readEnd >= 0 { close(readEnd) }
    closeWriteEnd()
  }

  func closeWriteEnd() {
    if writeEnd >= 0 { close(writeEnd) }
    writeEnd = -1
  }

  /// Returns the read end. The caller must close it.
  func takeReadEnd() -> Int32 {
    defer { readEnd = -1 }
    return readEnd
  }
}

import CPlatform
import Platform

/// Runs other programs: curl and pip.
///
/// They run in the folder `/` with only the absolute folders of PATH (``SearchPath``), so that they do not run or read
/// files in the current folder. On Linux they are killed when this process ends, even if this process is killed.
enum Subprocess {
  /// The standard input of a program.
  enum Input {
    case nothing
    /// A text that fits in the buffer of a pipe.
    case text(String)
    /// An open file, from its current offset.
    case file(Int32)
  }

  struct Result {
    /// The exit status, or 128 plus the number of the signal that ended the program.
    let status: Int32
    /// The last line of the program's standard error, without the user names and passwords in URLs.
    let standardError: String
  }

  /// Runs a program, which is searched for in PATH, and waits until it exits.
  ///
  /// - Parameters:
  ///   - words: the name of the program and its arguments.
  ///   - files: file names to append to the arguments.
  ///   - showsOutput: if true, the program's standard output goes to our standard error instead of `receive`.
  ///   - receive: called with the program's standard output in chunks. If it throws, the program is killed.
  static func run(
    _ words: [String], files: [Path] = [], input: Input = .nothing, showsOutput: Bool = false,
    receive: (UnsafeRawBufferPointer) throws(HubError) -> Void = { _ in }
  ) throws(HubError) -> Result {
    let output = try Pipe()
    let errors = try Pipe()
    let source = try open(input)
    defer { if case .file = input {} else { close(source) } }
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
          ? "\(words[0]) is required, but was not found in the absolute folders of PATH"
          : "\(words[0]): \(String(cString: strerror(code)))")
    }
    output.closeWriteEnd()
    errors.closeWriteEnd()
    var errorOutput: [UInt8] = []
    do {
      try read(output, receive, errors) { errorOutput = (errorOutput + $0).suffix(4096) }
    } catch {
      kill(process, SIGKILL)  // SIGTERM could be ignored, and the program has nothing to clean up
      _ = try wait(for: process, words[0])
      throw error
    }
    let last = errorOutput.split(separator: UInt8(ascii: "\n")).last ?? []
    return Result(
      status: try wait(for: process, words[0]),
      standardError: Secrets.withoutUserInfo(String(decoding: last, as: UTF8.self)))
  }

  private static func open(_ input: Input) throws(HubError) -> Int32 {
    switch input {
    case .file(let descriptor): return descriptor
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

  /// Reads two pipes until both are closed. It polls both at once, because a program that fills one pipe while we wait
  /// for the other would block.
  private static func read(
    _ first: Pipe, _ takeFirst: (UnsafeRawBufferPointer) throws(HubError) -> Void,
    _ second: Pipe, _ takeSecond: (UnsafeRawBufferPointer) -> Void
  ) throws(HubError) {
    defer { withExtendedLifetime((first, second)) {} }  // the loop uses only their descriptors
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
    defer { buffer.deallocate() }
    var requests = [first, second].map { pollfd(fd: $0.readEnd, events: Int16(POLLIN), revents: 0) }
    while requests.contains(where: { $0.fd >= 0 }) {
      guard poll(&requests, nfds_t(requests.count), -1) >= 0 else {
        if errno == EINTR { continue }
        throw HubError(path: "a pipe")
      }
      for index in requests.indices where requests[index].fd >= 0 && requests[index].revents != 0 {
        let count = Platform.read(requests[index].fd, buffer.baseAddress, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw HubError(path: "a pipe") }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        if count == 0 { requests[index].fd = -1 } else if index == 0 { try takeFirst(bytes) } else { takeSecond(bytes) }
      }
    }
  }

  private static func wait(for process: pid_t, _ program: String) throws(HubError) -> Int32 {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else {
        throw HubError(.unavailable, "cannot get the exit status of \(program): \(String(cString: strerror(errno)))")
      }
    }
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
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

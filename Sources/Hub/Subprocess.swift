import CPlatform
import Platform

/// Runs other programs: curl, sha256sum, pip.
///
/// They run in the folder `/`, with the absolute folders of PATH alone (``SearchPath``): nothing in the current folder is
/// run or read by them. On Linux they are killed when this process ends, however it ends.
enum Subprocess {
  /// What a program reads on its standard input.
  enum Input {
    case nothing
    /// So little that a pipe holds it.
    case text(String)
    /// An open file, from its current offset.
    case file(Int32)
  }

  struct End {
    /// The exit status, or 128 and the number of the signal.
    let status: Int32
    /// The last line that it wrote on standard error, without the user names and passwords of addresses.
    let complaint: String
  }

  /// Runs a program, looked for in PATH, to its end.
  ///
  /// - Parameters:
  ///   - files: words after the others that are file names.
  ///   - showsOutput: what the program writes goes to our standard error.
  ///   - receive: takes what it writes otherwise, as it comes. When it throws, the program is killed.
  static func run(
    _ words: [String], files: [Path] = [], input: Input = .nothing, showsOutput: Bool = false,
    receive: (UnsafeRawBufferPointer) throws(HubError) -> Void = { _ in }
  ) throws(HubError) -> End {
    let output = try Pipe()
    let errors = try Pipe()
    let source = try open(input)
    defer { if case .file = input {} else { close(source) } }
    var child: pid_t = 0
    var cWords = words.map { strdup($0) } + files.map { strdup($0.cString) } + [nil]
    SearchPath.secure()
    let code = lmpipe_spawn(&cWords, [source, showsOutput ? STDERR_FILENO : output.writeEnd, errors.writeEnd], &child)
    for word in cWords { free(word) }
    guard code == 0 else {
      let reason =
        code == ENOENT ? "is needed for this, and is in no absolute folder of PATH" : String(cString: strerror(code))
      throw HubError(.unavailable, "\(words[0]) \(reason)")
    }
    output.closeWriteEnd()
    errors.closeWriteEnd()
    var complaints: [UInt8] = []
    do {
      try read(output, receive, errors) { complaints = (complaints + $0).suffix(4096) }
    } catch {
      kill(child, SIGKILL)  // it has nothing to put in order, and others may be blocked
      _ = try wait(for: child, words[0])
      throw error
    }
    let last = complaints.split(separator: UInt8(ascii: "\n")).last ?? []
    return End(
      status: try wait(for: child, words[0]),
      complaint: Secrets.withoutUserInfo(String(decoding: last, as: UTF8.self)))
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
      _ = fcntl(pipe.writeEnd, F_SETFL, O_NONBLOCK)  // nobody reads yet: what does not fit must not make us wait
      guard write(pipe.writeEnd, bytes, bytes.count) == bytes.count else {
        throw HubError(.usage, "the address or the token is too long")
      }
      return pipe.takeReadEnd()
    }
  }

  /// Passes on what comes through two pipes until nobody writes to either any more. Both at once: a program that fills
  /// one while the other is waited for would wait as well.
  private static func read(
    _ first: Pipe, _ takeFirst: (UnsafeRawBufferPointer) throws(HubError) -> Void,
    _ second: Pipe, _ takeSecond: (UnsafeRawBufferPointer) -> Void
  ) throws(HubError) {
    defer { withExtendedLifetime((first, second)) {} }  // the loop uses their descriptors
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

  private static func wait(for child: pid_t, _ program: String) throws(HubError) -> Int32 {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else {
        throw HubError(.unavailable, "the exit status of \(program) is lost: \(String(cString: strerror(errno)))")
      }
    }
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
  }
}

/// A pipe whose ends are closed with it, and are not handed on to programs unless asked for.
private final class Pipe {
  private(set) var readEnd: Int32 = -1
  private(set) var writeEnd: Int32 = -1

  init() throws(HubError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw HubError(path: "a pipe") }
    // Out of the way of the standard descriptors, whichever of them are closed here
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

  /// Hands the read end to the caller, who closes it.
  func takeReadEnd() -> Int32 {
    defer { readEnd = -1 }
    return readEnd
  }
}

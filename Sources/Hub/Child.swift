import CPlatform
import Platform

/// Programs that do what is not this project's business: curl, sha256sum, pip.
enum Child {
  /// What a program reads on its standard input.
  enum Input {
    case nothing
    /// So little that a pipe holds it.
    case text(String)
    /// An open file, from where it stands.
    case file(Int32)
  }

  struct End {
    /// The exit status, or 128 and the number of the signal.
    let status: Int32
    /// The last line that it wrote on standard error.
    let complaint: String
  }

  /// Runs a program, looked for in PATH, to its end.
  ///
  /// - Parameters:
  ///   - files: words after the others that are file names.
  ///   - showsOutput: what the program writes goes to our standard error.
  ///   - receive: takes what it writes otherwise, as it comes. When it throws, the program is ended.
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
    let code = lmpipe_spawn(&cWords, [source, showsOutput ? STDERR_FILENO : output.writeEnd, errors.writeEnd], &child)
    for word in cWords { free(word) }
    guard code == 0 else {
      let reason = code == ENOENT ? "is needed for this, and not installed" : String(cString: strerror(code))
      throw HubError(.unavailable, "\(words[0]) \(reason)")
    }
    output.closeWriteEnd()
    errors.closeWriteEnd()
    do {
      try output.read(receive)
    } catch {
      kill(child, SIGKILL)  // it has nothing to put in order, and others may be blocked
      _ = wait(for: child)
      throw error
    }
    var complaints: [UInt8] = []
    try errors.read { bytes in complaints = (complaints + bytes).suffix(4096) }
    let last = complaints.split(separator: UInt8(ascii: "\n")).last ?? []
    return End(status: wait(for: child), complaint: String(decoding: last, as: UTF8.self))
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

  private static func wait(for child: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
  }
}

/// A pipe whose ends are closed with it, and are not handed on to programs unless asked for.
private final class Pipe {
  private var readEnd: Int32 = -1
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

  /// Passes on what comes until nobody writes any more.
  func read(_ receive: (UnsafeRawBufferPointer) throws(HubError) -> Void) throws(HubError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
    defer { buffer.deallocate() }
    while true {
      let count = Platform.read(readEnd, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw HubError(path: "a pipe") }
      guard count > 0 else { return }
      try receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}

import CPlatform

/// Returns the value of an environment variable; nil if it is unset or empty, which by convention have the same
/// meaning.
public func environmentVariable(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(cString: value)
}

/// Returns the file name in an environment variable; nil if it is unset or empty.
public func environmentPath(_ name: String) -> Path? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return Path(cString: value)
}

/// Returns the words of the command line, beginning with the program's name, as the bytes that the system passed.
public func commandLineWords() -> [[UInt8]] {
  #if canImport(Musl)
    // musl calls constructors without arguments. Swift's runtime reads the words from /proc.
    let words = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
  #else
    var count: Int32 = 0
    let start = lmpipe_words(&count)
    let words = UnsafeBufferPointer(start: start, count: Int(count))
  #endif
  return words.compactMap { $0.map { Path(cString: $0).bytes } }
}

/// Returns the absolute path of the running program with symbolic links resolved; nil if the system does not provide
/// it.
public func executablePath() -> Path? {
  #if canImport(Darwin)
    var size = UInt32(PATH_MAX)
    var buffer = [CChar](repeating: 0, count: Int(size))
    return _NSGetExecutablePath(&buffer, &size) == 0 ? resolved(Path(cString: buffer)) : nil
  #else
    // Without /proc, fall back to the path that the program was started by.
    return resolved("/proc/self/exe") ?? lmpipe_started_path().flatMap { resolved(Path(cString: $0)) }
  #endif
}

/// Returns the time of the monotonic clock in seconds. Only differences are meaningful.
public func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Ensures that the descriptors 0, 1 and 2 are open. If a program is started with one of them closed, the next file
/// that it opens would get that number, and standard output could be written into that file. A missing descriptor is
/// opened on /dev/null in the wrong mode, so that reading or writing fails as it would on the closed descriptor.
public func ensureStandardDescriptors() {
  for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)] {
    // open returns the lowest free descriptor, which in this order is the missing descriptor.
    if fcntl(descriptor, F_GETFD) == -1, errno == EBADF { _ = open("/dev/null", mode) }
  }
}

/// Waits until a non-blocking descriptor can be read (`POLLIN`) or written (`POLLOUT`).
public func waitUntilReady(_ descriptor: Int32, for event: Int32) {
  var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
  _ = poll(&request, 1, -1)
}

/// Calls `body` with SIGINT, SIGTERM and SIGHUP blocked in this thread, so that a write into a file is not interrupted
/// in the middle. Threads that `body` starts inherit the mask and never receive these signals.
public func withTerminationSignalsBlocked<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure)
  -> Result
{
  var (signals, before) = (sigset_t(), sigset_t())
  sigemptyset(&signals)
  for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
  pthread_sigmask(SIG_BLOCK, &signals, &before)
  defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
  return try body()
}

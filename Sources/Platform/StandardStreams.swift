/// Makes sure that the descriptors 0, 1 and 2 are taken. Where a program is started with one of them closed, the next file
/// that it opens would get the number, and what is meant for standard output would be written into it. What is put there
/// refuses to be read or written, as the closed one would have.
public func ensureStandardDescriptors() {
  for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)] {
    // In this order each gets the lowest number, which is its own.
    if fcntl(descriptor, F_GETFD) == -1, errno == EBADF { _ = open("/dev/null", mode) }
  }
}

/// Waits until a descriptor that somebody has made non-blocking can be read or written.
public func waitUntilReady(_ descriptor: Int32, for event: Int32) {
  var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
  _ = poll(&request, 1, -1)
}

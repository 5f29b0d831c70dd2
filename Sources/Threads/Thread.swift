import Platform

/// Starts a thread that runs `body`. The thread never receives SIGINT, SIGTERM or SIGHUP: these are delivered to the
/// thread that writes output, which blocks them during a write.
///
/// - Returns: false if the system cannot start another thread.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  let box = Unmanaged.passRetained(Box(body))
  #if canImport(Darwin)
    var thread: pthread_t?
  #else
    var thread = pthread_t()
  #endif
  let code = withTerminationSignalsBlocked {
    pthread_create(
      &thread, nil,
      { (argument: UnsafeMutableRawPointer?) in
        if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, box.toOpaque())
  }
  if code != 0 { box.release() }
  return code == 0
}

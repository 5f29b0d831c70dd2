import Platform

/// Starts a thread that runs `body`. It never gets SIGINT, SIGTERM or SIGHUP: whoever writes decides when the process
/// may end, and that is another thread.
///
/// - Returns: false where the system gives no more threads.
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

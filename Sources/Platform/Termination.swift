/// Calls `body` while the signals wait by which people and systems end programs, those of this thread: what it writes
/// into a file is not cut off in the middle. Threads that are started meanwhile never get these signals.
public func withTerminationSignalsBlocked<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
  var (signals, before) = (sigset_t(), sigset_t())
  sigemptyset(&signals)
  for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
  pthread_sigmask(SIG_BLOCK, &signals, &before)
  defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
  return try body()
}

import CPlatform

/// SIGINT and SIGTERM, by which users end a download.
public enum Interruption {
  /// Records these signals from now on instead of ending the process, unless they are ignored. ``check()`` then throws,
  /// so that partial downloads are kept with all their bytes.
  public static func begin() { lmpipe_record_interrupts() }

  /// Throws an error if a signal has arrived.
  static func check() throws(HubError) {
    guard lmpipe_recorded_interrupt() != 0 else { return }
    throw HubError(.interrupted, "interrupted")
  }

  /// Ends the process as if the signal had not been recorded.
  public static func end() -> Never { lmpipe_repeat_interrupt() }
}

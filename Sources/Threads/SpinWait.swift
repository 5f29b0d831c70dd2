import CPlatform
import Platform

/// Waiting for another thread: spinning for as long as the gaps inside a forward pass may last, and then otherwise.
struct SpinWait {
  private var spins = 0
  private static let limit = 2_000  // about 50 µs

  /// Waits a little, by `otherwise` where it has been long.
  mutating func again(_ otherwise: () -> Void = { sched_yield() }) {
    spins += 1
    if spins < Self.limit { lmpipe_spin_hint() } else { otherwise() }
  }
}

import CPlatform
import Platform

/// A wait for another thread: spins for as long as the gaps inside a forward pass may last, and then calls `otherwise`.
struct SpinWait {
  private var spins = 0
  private static let limit = 2_000  // about 50 µs

  /// Waits a moment: with a spin hint at first, with `otherwise` after the limit.
  mutating func again(_ otherwise: () -> Void = { sched_yield() }) {
    spins += 1
    if spins < Self.limit { lmpipe_spin_hint() } else { otherwise() }
  }
}

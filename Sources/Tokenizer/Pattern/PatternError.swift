/// The reason why a pattern is not accepted, or why a text cannot be split by it.
package struct PatternError: Error, Equatable, CustomStringConvertible {
  package enum Cause: Sendable {
    case invalid
    /// The construct is valid in the reference implementation, but not supported here.
    case unsupported
    /// The matcher would take more than linear time on the text.
    case tooSlow
  }

  package let cause: Cause
  /// The byte of the pattern, or of the text if the cause is `tooSlow`, from 0.
  package let offset: Int
  package let reason: String

  /// For example `byte 5 of the pattern: a backreference is not supported`.
  package var description: String {
    switch cause {
    case .invalid: "byte \(offset + 1) of the pattern: \(reason)"
    case .unsupported: "byte \(offset + 1) of the pattern: \(reason) is not supported"
    case .tooSlow: "byte \(offset + 1) of the text: \(reason)"
    }
  }
}

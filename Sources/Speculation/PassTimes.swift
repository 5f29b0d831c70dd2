/// Estimates how long a pass takes: a straight line of the number of rows, fitted to the latest passes by weighted
/// least squares.
///
/// Estimates serve only to choose the lengths of drafts. They cannot change a result.
public struct PassTimes {
  // Sums over passes, each with a weight that fades: of 1, x, y, x² and x·y.
  private var (weight, sumX, sumY, sumXX, sumXY) = (0.0, 0.0, 0.0, 0.0, 0.0)

  /// The weight of a pass after each further pass.
  private static let fading = 0.98
  /// The time of a further row relative to the first, before passes of several lengths have been measured. On Zen 5
  /// it is about 0.2 to 0.4 with quantized weights, and less than 0.1 with float32 weights.
  private static let initialSlope = 0.25
  /// The weight of the initial slope, as a variance of the number of rows.
  private static let initialVariance = 0.1
  /// A pass that was interrupted counts as at most this multiple of its estimate.
  private static let mostDelay = 2.0

  public init() {}

  /// True if a pass has been measured.
  public var isMeasured: Bool { weight > 0 }

  public mutating func observe(rows: Int, seconds: Double) {
    let (x, y) = (Double(rows), isMeasured ? min(seconds, Self.mostDelay * self.seconds(rows: rows)) : seconds)
    weight = weight * Self.fading + 1
    sumX = sumX * Self.fading + x
    sumY = sumY * Self.fading + y
    sumXX = sumXX * Self.fading + x * x
    sumXY = sumXY * Self.fading + x * y
  }

  /// Returns the estimated time of a pass.
  ///
  /// - Precondition: a pass has been measured.
  public func seconds(rows: Int) -> Double {
    let (meanX, meanY) = (sumX / weight, sumY / weight)
    let (variance, covariance) = (sumXX / weight - meanX * meanX, sumXY / weight - meanX * meanY)
    // The slope that makes the time of a further row `initialSlope` of the first, if the line passes through the mean.
    let initial = Self.initialSlope * meanY / (1 + Self.initialSlope * (meanX - 1))
    let slope = (covariance + Self.initialVariance * initial) / (variance + Self.initialVariance)
    return meanY + max(0, slope) * (Double(rows) - meanX)
  }
}

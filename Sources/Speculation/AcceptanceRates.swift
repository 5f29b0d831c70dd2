/// Estimates, for each kind of drafted token, the probability that the model chooses it.
///
/// An estimate is the share of accepted tokens among the latest observations of its kind, with a prior that counts as
/// `priorWeight` observations.
public struct AcceptanceRates {
  private struct Counts {
    var accepted = 0.0
    var observed = 0.0
  }

  private let priors: [Double]
  private var counts: [Counts]

  private static let priorWeight = 4.0
  /// Counts are halved at this number of observations, so that old ones fade.
  private static let mostObserved = 64.0

  /// - Parameter priors: the estimate of each kind before observations.
  public init(priors: [Double]) {
    self.priors = priors
    counts = Array(repeating: Counts(), count: priors.count)
  }

  /// Returns the estimated probability for a kind.
  public subscript(_ kind: Int) -> Double {
    (counts[kind].accepted + priors[kind] * Self.priorWeight) / (counts[kind].observed + Self.priorWeight)
  }

  /// Adds an observation: the model did or did not choose a token of this kind.
  public mutating func observe(_ kind: Int, isAccepted: Bool) {
    counts[kind].observed += 1
    if isAccepted { counts[kind].accepted += 1 }
    if counts[kind].observed >= Self.mostObserved {
      counts[kind].observed /= 2
      counts[kind].accepted /= 2
    }
  }
}

extension AcceptanceRates {
  /// The rates of tokens from the text, by the length of the match before them.
  ///
  /// The priors are low, so that a text without repetitions costs nothing: rates are also observed without drafts.
  public static var ofMatches: AcceptanceRates {
    AcceptanceRates(priors: [0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 0.8])
  }

  /// Returns the kind of a token after a match of a length.
  public static func kind(matchLength length: Int) -> Int {
    switch length {
    case ...3: max(0, length - 1)
    case ...5: 3
    case ...9: 4
    case ...17: 5
    default: 6
    }
  }

  /// The rates of tokens from a draft model, by the probability that it gives them.
  public static var ofProbabilities: AcceptanceRates {
    AcceptanceRates(priors: (0..<10).map { (Double($0) + 0.5) / 10 })
  }

  /// Returns the kind of a token with a probability.
  public static func kind(probability: Float) -> Int { min(9, max(0, Int(probability * 10))) }
}

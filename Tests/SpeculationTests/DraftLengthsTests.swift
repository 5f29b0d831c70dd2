import Speculation
import Testing

@Suite struct DraftLengthsTests {
  /// Times of passes whose further rows take `slope` of the time of the first.
  private func times(slope: Double, seconds: Double = 0.01) -> PassTimes {
    var times = PassTimes()
    for round in 0..<200 {
      let rows = round % 8 + 1
      times.observe(rows: rows, seconds: seconds * (1 + slope * Double(rows - 1)))
    }
    return times
  }

  @Test func fitsTheTimesOfPasses() {
    for slope in [0.02, 0.2, 0.9] {
      let times = times(slope: slope)
      for rows in [1, 4, 16] {
        let expected = 0.01 * (1 + slope * Double(rows - 1))
        #expect(abs(times.seconds(rows: rows) - expected) < 0.1 * expected, "slope \(slope), \(rows) rows")
      }
    }
  }

  @Test func toleratesInterruptedPasses() {
    var times = times(slope: 0.2)
    let before = times.seconds(rows: 1)
    times.observe(rows: 1, seconds: 100)
    #expect(times.seconds(rows: 1) < 1.1 * before)
  }

  @Test func draftsOnlyWhatPays() {
    let cheap = times(slope: 0.1)
    #expect(draftLengths([[0.9, 0.9, 0.9, 0.9]], cheap) == [4])
    #expect(draftLengths([[0.05, 0.9]], cheap) == [0])
    #expect(draftLengths([[0.9, 0.9, 0.05, 0.9]], cheap) == [2])
    #expect(draftLengths([[1, 1, 1]], times(slope: 1)) == [0])  // rows as expensive as steps
    #expect(draftLengths([[1, 1, 1]], PassTimes()) == [0])  // nothing measured
    #expect(draftLengths([], cheap) == [])
  }

  @Test func dividesRowsAmongSequences() {
    // Eight rows already: a further row must be worth an eighth of a pass.
    let lengths = draftLengths([[0.9, 0.9], [0.1], [], [0.95], [0.2], [], [], []], times(slope: 0.2))
    #expect(lengths[0] >= 1 && lengths[3] == 1 && lengths[1] == 0 && lengths[2] == 0)
  }

  @Test func ratesFollowObservations() {
    var rates = AcceptanceRates.ofMatches
    let kind = AcceptanceRates.kind(matchLength: 2)
    for _ in 0..<100 { rates.observe(kind, isAccepted: true) }
    #expect(rates[kind] > 0.9)
    for _ in 0..<100 { rates.observe(kind, isAccepted: false) }
    #expect(rates[kind] < 0.2)
    #expect(rates[AcceptanceRates.kind(matchLength: 1)] == 0.1)  // others are unchanged
  }

  @Test func kindsCoverAllLengthsAndProbabilities() {
    for length in 1...100 { _ = AcceptanceRates.ofMatches[AcceptanceRates.kind(matchLength: length)] }
    for percent in 0...100 {
      _ = AcceptanceRates.ofProbabilities[AcceptanceRates.kind(probability: Float(percent) / 100)]
    }
  }
}

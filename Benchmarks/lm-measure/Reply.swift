/// What a request is answered with.
struct Reply: CustomStringConvertible {
  /// How long each time took.
  var seconds: [Double] = []
  /// How much was done in one time: bytes, operations.
  var amount: Int?
  /// What came out, for comparison with the peers.
  var answer: [Int]?

  /// Does the work so many times and takes the time of each.
  init(times: Int, _ work: () throws -> Void) rethrows {
    for _ in 0..<times {
      let (seconds, attoseconds) = try ContinuousClock().measure(work).components
      self.seconds.append(Double(seconds) + Double(attoseconds) * 1e-18)
    }
  }

  var description: String {
    var members = [#""seconds":\#(seconds)"#]
    if let amount { members.append(#""amount":\#(amount)"#) }
    if let answer { members.append(#""answer":\#(answer)"#) }
    return "{" + members.joined(separator: ",") + "}"
  }
}

/// The reply to a request.
struct Reply: CustomStringConvertible {
  /// The time of each repetition.
  var seconds: [Double] = []
  /// The amount of work in one repetition: bytes, or operations.
  var amount: Int?
  /// The result, for comparison with the peers.
  var answer: [Int]?

  /// Repeats the work `times` times and measures each repetition.
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

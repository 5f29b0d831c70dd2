import Threads

/// Measures the peak rate of float32 operations: fused multiply-adds on registers, in enough independent chains to keep
/// the units busy. The amount is in operations, two per multiply-add.
func measureMultiplyAddPeak(_ pool: ThreadPool, times: Int) -> Reply {
  let six = peak(SixChains.self, pool, times: times)
  let twelve = peak(TwelveChains.self, pool, times: times)
  return rate(six) > rate(twelve) ? six : twelve
}

private func rate(_ reply: Reply) -> Double { Double(reply.amount ?? 0) / (reply.seconds.min() ?? 1) }

private typealias Lanes = SIMD16<Float>

private func peak<C: Chains>(_: C.Type, _ pool: ThreadPool, times: Int) -> Reply {
  let turns = 1 << 20
  let parts = 8 * pool.threads
  var results = [Float](repeating: 0, count: parts)
  var reply = Reply(times: times) {
    results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results  // each part writes its own element
      pool.run(parts, cost: .max) { part in results[part] = run(C.self, turns: turns, by: 0.5, plus: Float(part))
      }
    }
  }
  precondition(results.allSatisfy(\.isFinite))
  reply.amount = parts * turns * C.count * Lanes.scalarCount * 2
  return reply
}

/// Not inlined, so that the numbers are not constants.
@inline(never)
private func run<C: Chains>(_: C.Type, turns: Int, by factor: Float, plus term: Float) -> Float {
  let (factor, term) = (Lanes(repeating: factor), Lanes(repeating: term))
  var chains = C(term)
  for _ in 0..<turns { chains.multiplyAdd(factor, term) }
  return chains.sum
}

/// Independent sums.
private protocol Chains {
  static var count: Int { get }
  init(_ start: Lanes)
  mutating func multiplyAdd(_ factor: Lanes, _ term: Lanes)
  var sum: Float { get }
}

/// Takes 12 of the 16 registers of AVX2, or 24 of the 32 of NEON. Two units with a latency of four or five cycles need
/// eight to ten independent chains.
private struct SixChains: Chains {
  static let count = 6
  var (a, b, c): (Lanes, Lanes, Lanes)
  var (d, e, f): (Lanes, Lanes, Lanes)

  init(_ start: Lanes) {
    (a, b, c) = (start, start + 1, start + 2)
    (d, e, f) = (start + 3, start + 4, start + 5)
  }

  @inline(__always)
  mutating func multiplyAdd(_ factor: Lanes, _ term: Lanes) {
    a = term.addingProduct(a, factor)
    b = term.addingProduct(b, factor)
    c = term.addingProduct(c, factor)
    d = term.addingProduct(d, factor)
    e = term.addingProduct(e, factor)
    f = term.addingProduct(f, factor)
  }

  var sum: Float { (a + b + c + d + e + f).sum() }
}

/// Takes 12 of the 32 registers of AVX-512, on which six chains do not keep the units busy.
private struct TwelveChains: Chains {
  static let count = 12
  var first: SixChains
  var second: SixChains

  init(_ start: Lanes) {
    first = SixChains(start)
    second = SixChains(start + 6)
  }

  @inline(__always)
  mutating func multiplyAdd(_ factor: Lanes, _ term: Lanes) {
    first.multiplyAdd(factor, term)
    second.multiplyAdd(factor, term)
  }

  var sum: Float { first.sum + second.sum }
}

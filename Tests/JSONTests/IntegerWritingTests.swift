import JSON
import TestSupport
import Testing

@Suite struct IntegerWritingTests {
  private func expectWritten(_ numbers: [Int32]) {
    let text = numbers.withUnsafeBufferPointer { numbers in written { $0.append(json: numbers) } }
    #expect(text == "[" + numbers.map(String.init).joined(separator: ",") + "]")
  }

  @Test func writesArraysOfAnyLength() {
    for numbers: [Int32] in [[], [0], [7, 50256], [0, 0, 0]] { expectWritten(numbers) }
  }

  @Test func writesAnyNumberOfDigits() {
    var numbers: [Int32] = [.max]
    var power: Int32 = 1
    for _ in 0..<9 {
      numbers += [power - 1, power, power + 1, 9 * power, 2 * power + power / 2]
      power *= 10
    }
    expectWritten(numbers)
    expectWritten(Array(0..<100_001))
    var generator = SeededGenerator(3)
    expectWritten((0..<10_000).map { _ in .random(in: 0...(.max), using: &generator) })
  }
}

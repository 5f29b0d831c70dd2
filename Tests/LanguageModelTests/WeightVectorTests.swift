import Checkpoint
import Foundation
import Platform
import Testing

@testable import Checkpoint
@testable import LanguageModel

@Suite struct WeightVectorTests {
  /// A tensor in a file of its own, at an odd address.
  private func tensor(_ type: ElementType, _ bytes: [UInt8], count: Int) throws -> Tensor {
    let url = FileManager.default.temporaryDirectory.appending(path: "lmpipe-vector-\(UUID().uuidString)")
    try Data([0] + bytes).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    let file = try MappedFile(path: Path(url.path))
    return Tensor(
      name: "weight", type: type, shape: [count], bytes: UnsafeRawBufferPointer(rebasing: file.bytes[1...]), file: file)
  }

  private func bytes<Number>(_ numbers: [Number]) -> [UInt8] { numbers.withUnsafeBytes(Array.init) }

  /// Counts below, at and above whole vectors.
  @Test(arguments: [1, 15, 16, 17, 40])
  func fillsFromTensors(_ count: Int) throws {
    let numbers = (0..<count).map { Float($0) * 0.37 - 3 }
    let floats = try tensor(.float32, bytes(numbers), count: count)
    #expect(WeightVector(floats).array == numbers)
    let doubles = try tensor(.float64, bytes(numbers.map { Double($0) * (1 + 0x1p-26) }), count: count)
    #expect(WeightVector(doubles).array == numbers)
    let halves = numbers.map { UInt16($0.bitPattern >> 16) }
    let shortened = halves.map { Float(bitPattern: UInt32($0) << 16) }
    #expect(WeightVector(try tensor(.bfloat16, bytes(halves), count: count)).array == shortened)

    let vector = WeightVector(count: count)
    #expect(vector.array == [Float](repeating: 0, count: count))
    vector.fill(from: floats, adding: 1)
    #expect(vector.array == numbers.map { $0 + 1 })
    vector.fill(from: floats)  // replaces the numbers
    #expect(vector.array == numbers)
    for index in count..<paddedCount(count) + laneCount { #expect(vector.values[index] == 0) }
  }

  @Test func emptyVectorsHaveNoNumbers() throws {
    #expect(WeightVector(try tensor(.float32, [], count: 0)).array == [])
    #expect(WeightVector.ones(0).array == [] && WeightVector.zeros(0).part(0..<0).array == [])
  }

  @Test func onesAndZerosAreFilled() {
    #expect(WeightVector.ones(19).array == [Float](repeating: 1, count: 19))
    #expect(WeightVector.zeros(19).array == [Float](repeating: 0, count: 19))
  }

  /// The memory must live as long as a part of it: 4 MB, which the system takes back when they are freed.
  @Test func partsKeepTheMemory() {
    let count = 1 << 20
    func part() -> WeightVector {
      let vector = WeightVector.ones(count)
      vector.values[count - 1] = 5
      return vector.part(count - 3..<count)
    }
    let end = part()
    #expect(end.array == [1, 1, 5])
    #expect(end.part(1..<3).array == [1, 5] && end.part(2..<2).array == [])
  }
}

import Platform
import Threads

/// Measures how fast the mapped pages of a file are read, the limit for all paths that stream weights: threads add the
/// words of sections of the file in wide vectors. The amount is in bytes.
func measureReadBandwidth(of path: Path, _ pool: ThreadPool, times: Int) throws -> Reply {
  let file = try MappedFile(path: path)
  let sections = file.bytes.count / sectionSize  // the rest after the last is not read
  var sums = [UInt32](repeating: 0, count: sections)
  func readAll() {
    sums.withUnsafeMutableBufferPointer { sums in
      nonisolated(unsafe) let sums = sums  // each section writes its own element
      pool.run(sections, cost: .max) { section in
        let begin = section * sectionSize
        sums[section] = sum(of: UnsafeRawBufferPointer(rebasing: file.bytes[begin..<begin + sectionSize]))
      }
    }
  }
  readAll()  // pages are mapped on first access
  var reply = Reply(times: times, readAll)
  reply.amount = sections * sectionSize
  precondition(sums.contains { $0 != 0 }, "\(path) contains only zeros")
  return reply
}

private typealias Words = SIMD16<UInt32>

private let sectionSize = 4 << 20

/// Returns the sum of all words. Reads four streams, each a quarter of the bytes, which keep more cache lines in flight
/// than one stream.
private func sum(of bytes: UnsafeRawBufferPointer) -> UInt32 {
  guard let start = bytes.baseAddress else { return 0 }
  let quarter = bytes.count / 4
  var (s0, s1, s2, s3) = (Words(), Words(), Words(), Words())
  for offset in stride(from: 0, to: quarter, by: MemoryLayout<Words>.size) {
    let address = start + offset
    s0 &+= address.loadUnaligned(as: Words.self)
    s1 &+= (address + quarter).loadUnaligned(as: Words.self)
    s2 &+= (address + 2 * quarter).loadUnaligned(as: Words.self)
    s3 &+= (address + 3 * quarter).loadUnaligned(as: Words.self)
  }
  return (s0 &+ s1 &+ s2 &+ s3).wrappedSum()
}

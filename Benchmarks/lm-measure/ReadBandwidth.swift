import Platform
import Threads

/// How fast the mapped pages of a file can be read, the limit of everything that streams weights: each thread adds up
/// its share in wide vectors. The amount is in bytes.
func measureReadBandwidth(of path: String, _ pool: ThreadPool, times: Int) throws -> Reply {
  let file = try MappedFile(path: path)
  var sums = [UInt32](repeating: 0, count: pool.parts)
  let readAll = {
    sums.withUnsafeMutableBufferPointer { sums in
      nonisolated(unsafe) let sums = sums  // each part has its own element
      pool.run { part in
        let begin = file.bytes.count / blockSize * part / pool.parts * blockSize
        let end = file.bytes.count / blockSize * (part + 1) / pool.parts * blockSize
        sums[part] = sum(of: UnsafeRawBufferPointer(rebasing: file.bytes[begin..<end]))
      }
    }
  }
  readAll()  // the pages are mapped when they are touched
  var reply = Reply(times: times, readAll)
  reply.amount = file.bytes.count / blockSize * blockSize
  precondition(sums.contains { $0 != 0 }, "\(path) holds nothing but zeros")
  return reply
}

private typealias Words = SIMD16<UInt32>

/// What one turn of the loop reads: a vector from each of four places.
private let blockSize = 4 * MemoryLayout<Words>.size

/// Four streams, a quarter of the bytes each, which keep more lines under way than one does.
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

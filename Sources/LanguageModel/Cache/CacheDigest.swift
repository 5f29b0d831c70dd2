/// The digest of each position in a cache file, which verifies that the keys and values there belong to a sequence. It
/// depends on the model, the ids up to the position, and every bit of its keys and values. If the file is damaged, or
/// if it belongs to another model or another sequence, the digest differs (except with a probability of 2⁻⁶⁴). It does
/// not protect against a deliberately forged file.
struct CacheDigest {
  /// The digest of the model and the ids so far.
  private var prefix: UInt64

  init(model: UInt64) { prefix = model }

  /// Advances to the next position.
  mutating func append(_ id: Int) { mix(UInt64(id), into: &prefix) }

  /// Returns the digest of the position whose id was appended last, which is never 0.
  ///
  /// - Parameter sums: the sums over its keys and values.
  func ofPosition(_ sums: PositionSums) -> UInt64 {
    var digest = prefix
    mix(sums.keys, into: &digest)
    mix(sums.values, into: &digest)
    return max(1, digest)
  }
}

/// Checksums of the keys and values of one position.
struct PositionSums {
  let keys: UInt64
  let values: UInt64

  /// Returns the sums of the 16 positions of a block in a page.
  ///
  /// Each checksum consists of two running sums of all words modulo 2³² (Fletcher, "An Arithmetic Checksum for Serial
  /// Transmissions", 1982), of which the second depends on the order. The keys of a position are one lane; its values
  /// are summed in 16 lanes, which are mixed at the end.
  static func ofBlock(_ block: Int, _ page: UnsafeMutablePointer<Float>, _ shape: CacheShape) -> [PositionSums] {
    typealias Words = SIMD16<UInt32>
    func words(_ numbers: UnsafeMutablePointer<Float>) -> Words {
      UnsafeRawPointer(numbers).loadUnaligned(as: Words.self)
    }
    var (keySum, keySumOfSums) = (Words(), Words())
    var valueSums = [(sum: Words, ofSums: Words)](repeating: (Words(), Words()), count: laneCount)
    let width = shape.paddedHeadDim
    for head in 0..<shape.layers * shape.heads {
      let keys = page + head * shape.headSize + block * laneCount * shape.headDim
      for d in 0..<shape.headDim {
        keySum &+= words(keys + d * laneCount)
        keySumOfSums &+= keySum
      }
      let values = page + head * shape.headSize + shape.keySize + block * laneCount * width
      for position in 0..<laneCount {
        var (sum, ofSums) = valueSums[position]
        for d in stride(from: 0, to: width, by: laneCount) {
          sum &+= words(values + position * width + d)
          ofSums &+= sum
        }
        valueSums[position] = (sum, ofSums)
      }
    }
    return (0..<laneCount).map { position in
      var values: UInt64 = 0
      for lane in 0..<laneCount {
        mix(UInt64(valueSums[position].sum[lane]) << 32 | UInt64(valueSums[position].ofSums[lane]), into: &values)
      }
      return PositionSums(keys: UInt64(keySum[position]) << 32 | UInt64(keySumOfSums[position]), values: values)
    }
  }
}

/// Mixes `word` into every bit of `hash`. For a fixed word it is a bijection of `hash`, and vice versa.
private func mix(_ word: UInt64, into hash: inout UInt64) {
  // The finalizer of MurmurHash3 (Appleby, 2011).
  var x = hash &* 0x9E37_79B9_7F4A_7C15 ^ word
  x = (x ^ x >> 33) &* 0xFF51_AFD7_ED55_8CCD
  x = (x ^ x >> 33) &* 0xC4CE_B9FE_1A85_EC53
  hash = x ^ x >> 33
}

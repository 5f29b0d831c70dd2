/// What tells whether the keys and values in a cache file are those of a sequence: one number for each position, made of
/// the model, the ids up to the position, and every bit of its keys and values. Damage, another model, and another
/// sequence before the same token all give another number (or the same by a chance of 2⁻⁶⁴; there is no defence against
/// someone who makes a file on purpose).
struct CacheDigest {
  /// Of the model and the ids so far.
  private var prefix: UInt64

  init(model: UInt64) { prefix = model }

  /// Goes on to the next position.
  mutating func append(_ id: Int) { mix(UInt64(id), into: &prefix) }

  /// Of the position whose id was appended last. Never 0.
  func of(_ sums: PositionSums) -> UInt64 {
    var digest = prefix
    mix(sums.keys, into: &digest)
    mix(sums.values, into: &digest)
    return max(1, digest)
  }
}

/// Sums over one position's keys and values.
struct PositionSums {
  let keys: UInt64
  let values: UInt64

  /// Of the 16 positions of a block in a page.
  ///
  /// Two running sums of all words, modulo 2³² (Fletcher, "An Arithmetic Checksum for Serial Transmissions", 1982): the
  /// second sees the order. A position's keys are a lane, and its values are summed in 16 lanes that are mixed at the end.
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

/// Makes `hash` depend on `word` in every bit. For either of them alone it is one to one.
private func mix(_ word: UInt64, into hash: inout UInt64) {
  // The finalizer of MurmurHash3 (Appleby, 2011).
  var x = hash &* 0x9E37_79B9_7F4A_7C15 ^ word
  x = (x ^ x >> 33) &* 0xFF51_AFD7_ED55_8CCD
  x = (x ^ x >> 33) &* 0xC4CE_B9FE_1A85_EC53
  hash = x ^ x >> 33
}

import Platform

extension ElementType {
  /// Returns the type with a number in GGUF files (ggml, `enum ggml_type`); nil if it is not implemented.
  init?(ggml number: UInt32) {
    switch number {
    case 0: self = .float32
    case 1: self = .float16
    case 2: self = .q4_0
    case 3: self = .q4_1
    case 6: self = .q5_0
    case 7: self = .q5_1
    case 8: self = .q8_0
    case 12: self = .q4_k
    case 13: self = .q5_k
    case 14: self = .q6_k
    case 24: self = .int8
    case 25: self = .int16
    case 26: self = .int32
    case 27: self = .int64
    case 28: self = .float64
    case 30: self = .bfloat16
    default: return nil
    }
  }

  /// Returns the ggml name of a type that is not implemented, for messages.
  fileprivate static func name(ggml number: UInt32) -> String {
    let names: [UInt32: String] = [
      9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
      20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
      40: "NVFP4", 41: "Q1_0",
    ]
    return names[number] ?? "number \(number)"
  }
}

extension GGUF {
  /// The maximum number of tensors, more than a model with `layerLimit` layers has.
  private static let tensorLimit = 1 << 14

  /// Reads the tensor descriptions. As in llama.cpp, each tensor must start at the first multiple of the alignment
  /// after the previous tensor, so that tensors cannot overlap.
  ///
  /// - Parameter cursor: a cursor at the end of the metadata.
  static func tensors(_ count: UInt64, _ cursor: GGUFCursor, alignment: Int) throws(CheckpointError)
    -> [String: Tensor]
  {
    var cursor = cursor
    guard count <= tensorLimit else {
      throw cursor.damaged("the header claims \(count) tensors; the limit is \(tensorLimit)")
    }
    var entries: [GGUFTensorEntry] = []
    for _ in 0..<count { entries.append(try GGUFTensorEntry(&cursor)) }

    let (file, data) = (cursor.file, cursor.position.roundedUp(to: alignment))
    var tensors: [String: Tensor] = [:]
    var whole = cursor.position  // the end of the tensors so far, or of the header if there are no tensors
    for entry in entries {
      let start = whole.roundedUp(to: alignment)
      guard entry.offset == UInt64(start - data) else {
        throw cursor.damaged(
          "\"\(entry.name)\" has offset \(entry.offset), but should have \(start - data): overlap, gap or damage")
      }
      guard let size = entry.size, size <= sizeBound - start else {
        throw cursor.damaged("\"\(entry.name)\" has shape \(entry.shape), which is too large")
      }
      whole = start + size
      guard whole <= file.bytes.count else { continue }  // a truncated file is reported below, with its full size
      let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[start..<whole])
      let tensor = Tensor(name: entry.name, type: entry.type, shape: entry.shape, bytes: bytes, file: file)
      guard tensors.updateValue(tensor, forKey: entry.name) == nil else {
        throw cursor.damaged("duplicate tensor \"\(entry.name)\"")
      }
    }
    guard whole <= file.bytes.count else {
      throw cursor.damaged(
        "truncated: \(withThousandsSeparators(file.bytes.count)) of \(withThousandsSeparators(whole)) bytes; "
          + "download it again")
    }
    return tensors
  }

  /// The maximum end of a tensor, which keeps sums of sizes from overflowing.
  private static let sizeBound = 1 << 62
}

/// The header entry of one tensor.
private struct GGUFTensorEntry {
  let name: String
  let type: ElementType
  /// The row-major shape. (The file has the dimensions in reverse order.)
  let shape: [Int]
  /// The offset from the start of the data.
  let offset: UInt64

  // The limits of ggml (`GGML_MAX_NAME`, `GGML_MAX_DIMS`).
  private static let nameLimit = 63
  private static let dimensionLimit = 4

  init(_ cursor: inout GGUFCursor) throws(CheckpointError) {
    let range = try cursor.string("a tensor name")
    guard range.count <= Self.nameLimit else {
      throw cursor.damaged(
        "a tensor name has \(withThousandsSeparators(range.count)) bytes; ggml allows \(Self.nameLimit)")
    }
    let name = cursor.text(range)
    let dimensions = try cursor.number(UInt32.self)
    guard dimensions <= Self.dimensionLimit else {
      throw cursor.damaged("\"\(name)\" has \(dimensions) dimensions; ggml allows \(Self.dimensionLimit)")
    }
    var lengths: [Int] = []
    for _ in 0..<dimensions {
      let length = try cursor.number(UInt64.self)
      guard let length = Int(exactly: length) else {
        throw cursor.damaged("\"\(name)\" has a dimension of \(length); download it again")
      }
      lengths.append(length)
    }
    let number = try cursor.number(UInt32.self)
    guard let type = ElementType(ggml: number) else {
      throw cursor.damaged(
        "\"\(name)\" is of type \(ElementType.name(ggml: number)), which is not implemented; "
          + "\(ElementType.computableNames) are")
    }
    guard (lengths.first ?? 1) % type.blockLength == 0 else {
      throw cursor.damaged(
        "\"\(name)\" has rows of \(lengths.first ?? 1) elements, which is not a multiple of the \(type.rawValue) "
          + "block size, \(type.blockLength)")
    }
    (self.name, self.type, shape) = (name, type, lengths.reversed())
    offset = try cursor.number(UInt64.self)
  }

  /// The size in bytes, or nil if it overflows.
  var size: Int? {
    var size = type.blockSize
    for (index, length) in shape.reversed().enumerated() {
      let (product, overflow) = size.multipliedReportingOverflow(by: index == 0 ? length / type.blockLength : length)
      guard !overflow else { return nil }
      size = product
    }
    return size
  }
}

extension Int {
  /// Returns the number rounded up to a multiple of `alignment`, a power of two. The sum must not overflow.
  fileprivate func roundedUp(to alignment: Int) -> Int { (self + alignment - 1) & ~(alignment - 1) }
}

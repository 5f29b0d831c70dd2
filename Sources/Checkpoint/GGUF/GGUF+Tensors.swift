import Platform

/// A type of tensors in GGUF files.
private struct GGUFType {
  /// The name in ggml; `number N` if the type is unknown.
  let name: String
  /// The number of elements and of bytes in a block; nil if the type is unknown.
  let block: (length: Int, size: Int)?

  /// The type for the kernels; `other` if it is not implemented.
  var element: ElementType {
    let element = ElementType(rawValue: name) ?? .other
    return element == .other || block ?? (0, 0) != (element.blockLength, element.blockSize) ? .other : element
  }

  /// - Parameter number: the number of the type in files.
  init(_ number: UInt32) {
    let known = Self.types[number]
    name = known?.name ?? "number \(number)"
    block = known.map { ($0.length, $0.size) }
  }

  /// The types of ggml (`enum ggml_type`) and the lengths and sizes of their blocks (`GGML_QUANT_SIZES` in gguf-py).
  /// The missing numbers are those of types that ggml no longer has.
  private static let types: [UInt32: (name: String, length: Int, size: Int)] = [
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1),
    25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18), 42: ("Q2_0", 64, 18),
  ]
}

extension GGUF {
  /// The maximum number of tensors, more than a model with `layerLimit` layers has.
  private static let tensorLimit = 1 << 14

  /// Reads the tensor descriptions. As in llama.cpp, each tensor must start at the first multiple of the alignment
  /// after the previous tensor, so that tensors cannot overlap.
  ///
  /// - Parameter cursor: a cursor at the end of the metadata; moved to the end of the descriptions.
  static func tensors(_ count: UInt64, _ cursor: inout GGUFCursor, alignment: Int) throws(CheckpointError)
    -> [String: Tensor]
  {
    guard count <= tensorLimit else {
      throw cursor.damaged("the header claims \(count) tensors; the limit is \(tensorLimit)")
    }
    var entries: [GGUFTensorEntry] = []
    for _ in 0..<count { entries.append(try GGUFTensorEntry(&cursor)) }

    let (file, data) = (cursor.file, cursor.position.roundedUp(to: alignment))
    var tensors: [String: Tensor] = [:]
    var whole = cursor.position  // the end of the tensors so far, or of the header if there are no tensors
    for (index, entry) in entries.enumerated() {
      let start = whole.roundedUp(to: alignment)
      guard entry.offset == UInt64(start - data) else {
        throw cursor.damaged(
          "\"\(entry.name)\" has offset \(entry.offset), but should have \(start - data): overlap, gap or damage")
      }
      var size = entry.size
      if entry.type.block == nil {
        // A tensor of an unknown type ends at the start of the next one, or at the end of the file. An offset that is
        // not valid is reported for the next tensor.
        let end = index + 1 < entries.count ? Int(exactly: entries[index + 1].offset) : file.bytes.count - data
        size = max(0, min(end ?? 0, sizeBound - data) - (start - data))
      }
      guard let size, size <= sizeBound - start else {
        throw cursor.damaged("\"\(entry.name)\" has shape \(entry.shape), which is too large")
      }
      whole = start + size
      guard whole <= file.bytes.count else { continue }  // a truncated file is reported below, with its full size
      let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[start..<whole])
      let tensor = Tensor(
        name: entry.name, type: entry.type.element, typeName: entry.type.name, shape: entry.shape, bytes: bytes,
        file: file)
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
  let type: GGUFType
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
    let type = GGUFType(number)
    let blockLength = type.block?.length ?? 1
    guard (lengths.first ?? 1) % blockLength == 0 else {
      throw cursor.damaged(
        "\"\(name)\" has rows of \(lengths.first ?? 1) elements, which is not a multiple of the \(type.name) block "
          + "size, \(blockLength)")
    }
    (self.name, self.type, shape) = (name, type, lengths.reversed())
    offset = try cursor.number(UInt64.self)
  }

  /// The size in bytes, or nil if it overflows or if the type is unknown.
  var size: Int? {
    guard let block = type.block else { return nil }
    var size = block.size
    for (index, length) in shape.reversed().enumerated() {
      let (product, overflow) = size.multipliedReportingOverflow(by: index == 0 ? length / block.length : length)
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

import Platform

extension ElementType {
  /// The types of a GGUF file, by their numbers there (ggml, `enum ggml_type`).
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

  /// What ggml calls the types that are not known here.
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
  /// Far more than a model of `layerLimit` layers has.
  private static let tensorLimit = 1 << 14

  /// Reads where the tensors are. As in llama.cpp each lies behind the one before it, at the next multiple of the
  /// alignment: so none can overlap another.
  ///
  /// - Parameter cursor: stands behind the metadata.
  static func tensors(_ count: UInt64, _ cursor: GGUFCursor, alignment: Int) throws(CheckpointError)
    -> [String: Tensor]
  {
    var cursor = cursor
    guard count <= tensorLimit else { throw cursor.damaged("it claims \(count) tensors, which no model has") }
    var entries: [GGUFTensorEntry] = []
    for _ in 0..<count { entries.append(try GGUFTensorEntry(&cursor)) }

    let (file, data) = (cursor.file, cursor.position.roundedUp(to: alignment))
    var tensors: [String: Tensor] = [:]
    var whole = cursor.position  // where the tensors end that have been looked at, or the header where there are none
    for entry in entries {
      let start = whole.roundedUp(to: alignment)
      guard entry.offset == UInt64(start - data) else {
        throw cursor.damaged(
          "\"\(entry.name)\" lies at \(entry.offset), but byte \(start - data) is next: overlap, hole or damage")
      }
      guard let size = entry.size, size <= sizeBound - start else {
        throw cursor.damaged("\"\(entry.name)\" has a shape too large for any memory: \(entry.shape)")
      }
      whole = start + size
      guard whole <= file.bytes.count else { continue }  // a short file is reported below, with its full size
      let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[start..<whole])
      let tensor = Tensor(name: entry.name, type: entry.type, shape: entry.shape, bytes: bytes, file: file)
      guard tensors.updateValue(tensor, forKey: entry.name) == nil else {
        throw cursor.damaged("there is a second tensor \"\(entry.name)\"")
      }
    }
    guard whole <= file.bytes.count else {
      throw cursor.damaged(
        "\(withThousandsSeparators(file.bytes.count)) of \(withThousandsSeparators(whole)) bytes are there: download it again"
      )
    }
    return tensors
  }

  /// No sum of sizes below it overflows.
  private static let sizeBound = 1 << 62
}

/// What the header of a GGUF file says of one tensor.
private struct GGUFTensorEntry {
  let name: String
  let type: ElementType
  /// Row-major: the file names the length of a row first.
  let shape: [Int]
  /// From the beginning of the data.
  let offset: UInt64

  /// ggml's own limits.
  private static let nameLimit = 63
  private static let dimensionLimit = 4

  init(_ cursor: inout GGUFCursor) throws(CheckpointError) {
    let range = try cursor.string("a tensor's name")
    guard range.count <= Self.nameLimit else {
      throw cursor.damaged(
        "there is a tensor's name of \(withThousandsSeparators(range.count)) bytes; ggml allows \(Self.nameLimit)")
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
        throw cursor.damaged("\"\(name)\" has a dimension of \(length): download it again")
      }
      lengths.append(length)
    }
    let number = try cursor.number(UInt32.self)
    guard let type = ElementType(ggml: number) else {
      throw cursor.damaged(
        "\"\(name)\" is of type \(ElementType.name(ggml: number)), which is not implemented; "
          + "\(ElementType.computable) are")
    }
    guard (lengths.first ?? 1) % type.blockLength == 0 else {
      throw cursor.damaged(
        "\"\(name)\" has rows of \(lengths.first ?? 1) elements, but \(type.rawValue) has blocks of \(type.blockLength)"
      )
    }
    (self.name, self.type, shape) = (name, type, lengths.reversed())
    offset = try cursor.number(UInt64.self)
  }

  /// In bytes; nil beyond all numbers.
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
  /// The next multiple of a power of two. Both are far below the greatest number.
  fileprivate func roundedUp(to alignment: Int) -> Int { (self + alignment - 1) & ~(alignment - 1) }
}

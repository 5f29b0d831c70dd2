import JSON
import Platform

/// A safetensors file (https://github.com/huggingface/safetensors, "Format"): eight bytes of header length, a JSON
/// header with the type, shape and byte range of each tensor, then the data. The file is untrusted: every length and
/// offset is checked against the size of the file.
struct SafeTensors {
  /// The maximum header length in bytes that the format allows.
  static let headerLimit = 100_000_000

  private(set) var tensors: [String: Tensor] = [:]

  init(path: Path) throws(CheckpointError) {
    let file = try mapFile(path)
    func damaged(_ reason: String) -> CheckpointError { .unusable(file: path, reason: reason) }

    guard file.bytes.count >= 8 else {
      throw damaged("truncated: \(file.bytes.count) bytes, but the header length alone has 8; download it again")
    }
    let declared = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
    guard declared <= UInt64(Self.headerLimit) else {
      throw damaged(
        "not a safetensors file: the header length is \(declared), but the format allows at most "
          + withThousandsSeparators(Self.headerLimit)
      )
    }
    let headerEnd = 8 + Int(declared)
    guard headerEnd <= file.bytes.count else {
      throw damaged(
        "truncated: \(withThousandsSeparators(file.bytes.count)) bytes, but the header needs "
          + "\(withThousandsSeparators(headerEnd)); download it again")
    }
    let header = UnsafeBufferPointer(rebasing: file.characters[8..<headerEnd])
    var entries: [Entry]
    do { entries = try Self.entries(of: header) } catch { throw damaged("header, \(error)") }

    let data = UnsafeRawBufferPointer(rebasing: file.bytes[headerEnd...])
    var expected = 0  // tensors are contiguous, from the start to the end of the data
    entries.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }
    for entry in entries {
      let name = excerpt(entry.name)
      guard entry.begin == expected, entry.end >= entry.begin else {
        throw damaged(
          "\"\(name)\" has data_offsets [\(entry.begin), \(entry.end)], but should start at \(expected): "
            + "overlap, gap or damage")
      }
      var size = entry.type.blockSize
      for dimension in entry.shape {
        let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
        guard !overflow else { throw damaged("\"\(name)\" has shape \(entry.shape), which is too large") }
        size = product
      }
      // The tensors of types that are unknown are kept, because a model can have them beside its own, such as those of
      // a vision tower. The size of their elements is unknown.
      guard size == entry.end - entry.begin || entry.type == .other else {
        throw damaged(
          "\"\(name)\" has shape \(entry.shape), which needs \(size) bytes, "
            + "but has data_offsets [\(entry.begin), \(entry.end)]")
      }
      expected = entry.end
      guard expected <= data.count else { continue }  // a truncated file is reported below, with its full size
      let bytes = UnsafeRawBufferPointer(rebasing: data[entry.begin..<entry.end])
      let tensor = Tensor(
        name: entry.name, type: entry.type, typeName: entry.typeName, shape: entry.shape, bytes: bytes, file: file)
      guard tensors.updateValue(tensor, forKey: entry.name) == nil else {
        throw damaged("duplicate tensor \"\(name)\"")
      }
    }
    let (whole, overflow) = headerEnd.addingReportingOverflow(expected)
    guard !overflow, whole == file.bytes.count else {
      let found = withThousandsSeparators(file.bytes.count)
      throw whole > file.bytes.count || overflow
        ? damaged(
          "truncated: \(found) of \(overflow ? "far more" : withThousandsSeparators(whole)) bytes; download it again")
        : damaged(
          "damaged: \(found) bytes, but the tensors end at byte \(withThousandsSeparators(whole)); download it again")
    }
  }

  /// The header entry of one tensor.
  private struct Entry {
    let name: String
    let type: ElementType
    /// The name of the type in the file.
    let typeName: String
    let shape: [Int]
    let begin: Int
    let end: Int

    /// Reads one member of the header. Unknown members of its value are skipped, as in the safetensors library.
    init(_ name: JSONScanner.Text, _ scanner: inout JSONScanner) throws(JSONError) {
      var characters: [UInt8] = []
      guard scanner.decode(name, into: &characters) else {
        throw scanner.failure("the tensor name is not valid Unicode", at: name.range.lowerBound)
      }
      self.name = String(decoding: characters, as: UTF8.self)
      var type: String?
      var shape: [Int]?
      var offsets: [Int]?
      try scanner.object { (name, scanner) throws(JSONError) in
        func requireFirst(_ isFirst: Bool) throws(JSONError) {
          guard !isFirst else { return }
          throw scanner.failure("duplicate \"\(scanner.source(name.range))\"", at: name.range.lowerBound)
        }
        if scanner.matches(name, "dtype") {
          try requireFirst(type == nil)
          type = try scanner.swiftString()
        } else if scanner.matches(name, "shape") {
          try requireFirst(shape == nil)
          shape = try scanner.naturals(atMost: dimensionLimit)
        } else if scanner.matches(name, "data_offsets") {
          try requireFirst(offsets == nil)
          offsets = try scanner.naturals(atMost: 2)
          guard offsets?.count == 2 else { throw scanner.failure("data_offsets must be two numbers") }
        } else {
          _ = try scanner.skipValue()
        }
      }
      guard let type, let shape, let offsets else {
        throw scanner.failure("\"\(excerpt(self.name))\" has no dtype, shape or data_offsets")
      }
      let element = ElementType(rawValue: type) ?? .other
      self.type = element.blockLength == 1 ? element : .other  // block formats are those of GGUF
      (typeName, self.shape, begin, end) = (type, shape, offsets[0], offsets[1])
    }
  }

  private static func entries(of header: UnsafeBufferPointer<UInt8>) throws(JSONError) -> [Entry] {
    var scanner = JSONScanner(header)
    var entries: [Entry] = []
    var hasMetadata = false
    try scanner.object { (name, scanner) throws(JSONError) in
      if scanner.matches(name, "__metadata__") {
        guard !hasMetadata else { throw scanner.failure("duplicate \"__metadata__\"") }
        hasMetadata = true
        return try skipMetadata(&scanner)
      }
      guard entries.count < tensorLimit else { throw scanner.failure("more than \(tensorLimit) tensors") }
      entries.append(try Entry(name, &scanner))
    }
    try scanner.end()
    return entries
  }

  /// Skips the metadata: an object with string values, or null.
  private static func skipMetadata(_ scanner: inout JSONScanner) throws(JSONError) {
    guard try scanner.kind() != .null else { return try scanner.null() }
    try scanner.object { (_, scanner) throws(JSONError) in _ = try scanner.string() }
  }
}

/// The maximum number of tensors, ten times the number in the largest published models. It bounds the memory for a
/// header.
private let tensorLimit = 1 << 18
/// The maximum number of dimensions, as in NumPy and PyTorch.
private let dimensionLimit = 64

extension JSONScanner {
  /// Reads an array of non-negative integers.
  fileprivate mutating func naturals(atMost limit: Int) throws(JSONError) -> [Int] {
    var numbers: [Int] = []
    try array { (scanner) throws(JSONError) in
      let number = try scanner.integer()
      guard number >= 0 else { throw scanner.failure("\(number) is negative") }
      guard numbers.count < limit else { throw scanner.failure("more than \(limit) numbers in this array") }
      numbers.append(number)
    }
    return numbers
  }
}

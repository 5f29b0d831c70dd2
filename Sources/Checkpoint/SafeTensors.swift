import JSON
import Platform

/// A safetensors file (https://github.com/huggingface/safetensors, "Format"): eight bytes of header length, a JSON
/// header that says for each tensor its type, shape and place, then the data. Nothing in it is believed unchecked.
struct SafeTensors {
  /// The format's own bound on the header.
  static let headerLimit = 100_000_000

  private(set) var tensors: [String: Tensor] = [:]

  init(path: Path) throws(CheckpointError) {
    let file = try mapFile(path)
    func damaged(_ reason: String) -> CheckpointError { .unusable(file: path, reason: reason) }

    guard file.bytes.count >= 8 else {
      throw damaged("\(file.bytes.count) bytes are too few for a safetensors file: download it again")
    }
    let declared = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
    guard declared <= UInt64(Self.headerLimit) else {
      throw damaged(
        "the header claims \(declared) bytes, and the format allows \(grouped(Self.headerLimit)): not a safetensors file"
      )
    }
    let headerEnd = 8 + Int(declared)
    guard headerEnd <= file.bytes.count else {
      throw damaged(
        "\(grouped(file.bytes.count)) bytes are there, and the header alone takes \(grouped(headerEnd)): download it again"
      )
    }
    let header = UnsafeBufferPointer(rebasing: file.characters[8..<headerEnd])
    var entries: [Entry]
    do { entries = try Self.entries(of: header) } catch { throw damaged("header, \(error)") }

    let data = UnsafeRawBufferPointer(rebasing: file.bytes[headerEnd...])
    var expected = 0  // the tensors follow each other without a gap, from the beginning to the end of the data
    entries.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }
    for entry in entries {
      let name = excerpt(entry.name)
      guard entry.begin == expected, entry.end >= entry.begin else {
        throw damaged(
          "\"\(name)\" lies at \(entry.begin)…\(entry.end), but byte \(expected) is next: overlap, hole or damage"
        )
      }
      var size = entry.type.blockSize
      for dimension in entry.shape {
        let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
        guard !overflow else { throw damaged("\"\(name)\" has a shape too large for any memory: \(entry.shape)") }
        size = product
      }
      guard size == entry.end - entry.begin else {
        throw damaged(
          "\"\(name)\" of shape \(entry.shape) takes \(size) bytes, but lies at \(entry.begin)…\(entry.end)")
      }
      expected = entry.end
      guard expected <= data.count else { continue }  // a short file is reported below, with its full size
      let bytes = UnsafeRawBufferPointer(rebasing: data[entry.begin..<entry.end])
      let tensor = Tensor(name: entry.name, type: entry.type, shape: entry.shape, bytes: bytes, file: file)
      guard tensors.updateValue(tensor, forKey: entry.name) == nil else {
        throw damaged("there is a second tensor \"\(name)\"")
      }
    }
    let (whole, overflow) = headerEnd.addingReportingOverflow(expected)
    guard !overflow, whole == file.bytes.count else {
      let there = grouped(file.bytes.count)
      throw whole > file.bytes.count || overflow
        ? damaged("\(there) of \(overflow ? "far more" : grouped(whole)) bytes are there: download it again")
        : damaged("\(there) bytes are there, and the tensors take only \(grouped(whole)): download it again")
    }
  }

  /// What the header says of one tensor.
  private struct Entry {
    let name: String
    let type: ElementType
    let shape: [Int]
    let begin: Int
    let end: Int

    /// Reads the name and the value of a member. A member of the value that the format does not have is passed over, as
    /// the safetensors library does.
    init(_ name: JSONScanner.Text, _ scanner: inout JSONScanner) throws(JSONError) {
      var characters: [UInt8] = []
      guard scanner.decode(name, into: &characters) else {
        throw scanner.failure("the name is not a string of characters", at: name.range.lowerBound)
      }
      self.name = String(decoding: characters, as: UTF8.self)
      var type: String?
      var shape: [Int]?
      var offsets: [Int]?
      try scanner.object { (name, scanner) throws(JSONError) in
        func requireFirst(_ isFirst: Bool) throws(JSONError) {
          guard !isFirst else { return }
          throw scanner.failure("there is a second \"\(scanner.source(name.range))\"", at: name.range.lowerBound)
        }
        if scanner.matches(name, "dtype") {
          try requireFirst(type == nil)
          type = try scanner.swiftString()
        } else if scanner.matches(name, "shape") {
          try requireFirst(shape == nil)
          shape = try scanner.naturals(atMost: mostDimensions)
        } else if scanner.matches(name, "data_offsets") {
          try requireFirst(offsets == nil)
          offsets = try scanner.naturals(atMost: 2)
          guard offsets?.count == 2 else { throw scanner.failure("data_offsets must be two numbers") }
        } else {
          _ = try scanner.skipValue()
        }
      }
      guard let type, let shape, let offsets else {
        throw scanner.failure("\"\(excerpt(self.name))\" lacks dtype, shape or data_offsets")
      }
      guard let element = ElementType(rawValue: type), element.blockLength == 1 else {
        throw scanner.failure(
          "\"\(excerpt(self.name))\" has elements of type \(excerpt(type)), which is not known here")
      }
      (self.type, self.shape, begin, end) = (element, shape, offsets[0], offsets[1])
    }
  }

  private static func entries(of header: UnsafeBufferPointer<UInt8>) throws(JSONError) -> [Entry] {
    var scanner = JSONScanner(header)
    var entries: [Entry] = []
    var hasMetadata = false
    try scanner.object { (name, scanner) throws(JSONError) in
      if scanner.matches(name, "__metadata__") {
        guard !hasMetadata else { throw scanner.failure("there is a second \"__metadata__\"") }
        hasMetadata = true
        return try skipMetadata(&scanner)
      }
      guard entries.count < tensorLimit else { throw scanner.failure("there are more tensors than any model has") }
      entries.append(try Entry(name, &scanner))
    }
    try scanner.end()
    return entries
  }

  /// Strings by names, or null.
  private static func skipMetadata(_ scanner: inout JSONScanner) throws(JSONError) {
    guard try scanner.kind() != .null else { return try scanner.null() }
    try scanner.object { (_, scanner) throws(JSONError) in _ = try scanner.string() }
  }
}

/// Ten times what the largest published models have in all of their files. It bounds the memory that a header costs.
private let tensorLimit = 1 << 18
/// As many as NumPy and PyTorch allow.
private let mostDimensions = 64

extension JSONScanner {
  /// An array of numbers that are not negative.
  fileprivate mutating func naturals(atMost limit: Int) throws(JSONError) -> [Int] {
    var numbers: [Int] = []
    try array { (scanner) throws(JSONError) in
      let number = try scanner.integer()
      guard number >= 0 else { throw scanner.failure("\(number) is negative") }
      guard numbers.count < limit else { throw scanner.failure("there are more than \(limit) numbers here") }
      numbers.append(number)
    }
    return numbers
  }
}

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
    let entries: [Entry]
    do { entries = try Self.entries(of: header) } catch { throw damaged("header, \(error)") }

    let data = UnsafeRawBufferPointer(rebasing: file.bytes[headerEnd...])
    var expected = 0  // the tensors follow each other without a gap, from the beginning to the end of the data
    for entry in entries.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      let shape = entry.shape ?? []
      guard let type = ElementType(rawValue: entry.type), type.blockLength == 1 else {
        throw damaged("\"\(entry.name)\" has elements of type \(entry.type), which is not known here")
      }
      guard entry.begin == expected, entry.end >= entry.begin else {
        throw damaged(
          "\"\(entry.name)\" lies at \(entry.begin)…\(entry.end), but byte \(expected) is next: overlap, hole or damage"
        )
      }
      var size = type.blockSize
      for dimension in shape {
        let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
        guard !overflow else { throw damaged("\"\(entry.name)\" has a shape too large for any memory: \(shape)") }
        size = product
      }
      guard size == entry.end - entry.begin else {
        throw damaged(
          "\"\(entry.name)\" of shape \(shape) takes \(size) bytes, but lies at \(entry.begin)…\(entry.end)")
      }
      expected = entry.end
      guard expected <= data.count else { continue }  // a short file is reported below, with its full size
      let bytes = UnsafeRawBufferPointer(rebasing: data[entry.begin..<entry.end])
      let tensor = Tensor(name: entry.name, type: type, shape: shape, bytes: bytes, file: file)
      guard tensors.updateValue(tensor, forKey: entry.name) == nil else {
        throw damaged("there is a second tensor \"\(entry.name)\"")
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
    var name: String
    var type = ""
    var shape: [Int]?
    var begin = -1
    var end = -1
  }

  private static func entries(of header: UnsafeBufferPointer<UInt8>) throws(JSONError) -> [Entry] {
    var scanner = JSONScanner(header)
    var entries: [Entry] = []
    try scanner.object { (name, scanner) throws(JSONError) in
      guard !scanner.matches(name, "__metadata__") else {
        try scanner.object { (_, scanner) throws(JSONError) in _ = try scanner.string() }
        return
      }
      var entry = Entry(name: scanner.source(name.range))
      if name.hasEscapes {
        var characters: [UInt8] = []
        guard scanner.decode(name, into: &characters) else {
          throw scanner.failure("the name is not a string of characters")
        }
        entry.name = String(decoding: characters, as: UTF8.self)
      }
      try scanner.object { (name, scanner) throws(JSONError) in
        if scanner.matches(name, "dtype") {
          entry.type = try scanner.swiftString()
        } else if scanner.matches(name, "shape") {
          entry.shape = try scanner.naturals()
        } else if scanner.matches(name, "data_offsets") {
          let offsets = try scanner.naturals()
          guard offsets.count == 2 else { throw scanner.failure("data_offsets wants two numbers") }
          (entry.begin, entry.end) = (offsets[0], offsets[1])
        } else {
          throw scanner.failure("a tensor has no \"\(scanner.source(name.range))\"")
        }
      }
      guard entry.begin >= 0, entry.shape != nil, !entry.type.isEmpty else {
        throw scanner.failure("\"\(entry.name)\" lacks dtype, shape or data_offsets")
      }
      entries.append(entry)
    }
    try scanner.end()
    return entries
  }
}

extension JSONScanner {
  /// An array of numbers that are not negative.
  fileprivate mutating func naturals() throws(JSONError) -> [Int] {
    var numbers: [Int] = []
    try array { (scanner) throws(JSONError) in
      let number = try scanner.integer()
      guard number >= 0 else { throw scanner.failure("\(number) is negative") }
      numbers.append(number)
    }
    return numbers
  }
}

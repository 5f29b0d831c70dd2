import JSON
import Platform

/// A GGUF file (ggml, "docs/gguf.md"), version 2 or 3: magic, version, counts, typed values by key, the descriptions
/// of the tensors, then the tensors' data. Opening a file parses its header once and stores positions; strings and
/// arrays are not copied.
///
/// A model can be split into several such files (`GGUF+Parts.swift`). The values are then those of the first part, and
/// the tensors those of all parts.
///
/// The file is untrusted: every length is compared with the number of bytes that remain.
package struct GGUF: Sendable {
  let file: MappedFile
  /// The files of all parts. `file` is the first of them, and the only one if `tensors` is an error.
  var parts: [MappedFile]
  private let values: [String: GGUFValue]
  /// The tensors by their names in the files, or the reason why they cannot be used. The error is deferred, because the
  /// tokenizer can be used without them.
  package internal(set) var tensors: Result<[String: Tensor], CheckpointError>
  /// The size of the header in bytes, up to the descriptions of the tensors if they are valid.
  private(set) var headerSize = 0

  /// The first bytes of a GGUF file.
  private static let magic = "GGUF"
  // Limits far above those of real models, to bound time and memory for untrusted files.
  private static let keyLimit = 1 << 12
  private static let keyLengthLimit = 1 << 10

  /// Opens a single file, which can be a part of a model.
  init(part path: Path) throws(CheckpointError) { try self.init(mapFile(path)) }

  /// - Parameter file: a single file, or its beginning followed by zeros, if only the header is used.
  init(_ file: MappedFile) throws(CheckpointError) {
    self.file = file
    let path = file.path
    parts = [file]
    var cursor = GGUFCursor(file: file)
    guard file.bytes.prefix(Self.magic.utf8.count).elementsEqual(Self.magic.utf8) else {
      throw cursor.damaged(
        path.hasSuffix(".safetensors")
          ? "not a GGUF file; for a model in safetensors, name the folder, \(path.parent)"
          : "not a GGUF file; a model is a .gguf file, or a folder with config.json, safetensors and tokenizer files")
    }
    cursor.position = Self.magic.utf8.count
    try Self.check(version: try cursor.number(UInt32.self), cursor)
    let tensorCount = try cursor.number(UInt64.self)
    let keyCount = try cursor.number(UInt64.self)
    guard keyCount <= Self.keyLimit else {
      throw cursor.damaged("the header claims \(keyCount) keys; the limit is \(Self.keyLimit)")
    }
    var values: [String: GGUFValue] = [:]
    for _ in 0..<keyCount {
      let name = try cursor.string("a key")
      guard 1...Self.keyLengthLimit ~= name.count else {
        throw cursor.damaged(
          "a key has \(withThousandsSeparators(name.count)) bytes; must be from 1 to \(Self.keyLengthLimit)")
      }
      let key = cursor.text(name)
      guard values.updateValue(try cursor.value(of: excerpt(key)), forKey: key) == nil else {
        throw cursor.damaged("duplicate key \(excerpt(key))")
      }
    }
    self.values = values
    tensors = .success([:])  // a placeholder: `tensors(_:after:)` reads values, so all properties must be set
    tensors = try tensors(tensorCount, after: &cursor)
    headerSize = cursor.position
  }

  /// Reads the tensor descriptions that start at the cursor, and moves it to their end. An invalid alignment is always
  /// an error; errors in the tensors are returned, to be thrown when the tensors are used.
  private func tensors(_ count: UInt64, after cursor: inout GGUFCursor) throws(CheckpointError)
    -> Result<[String: Tensor], CheckpointError>
  {
    let alignment = try integer("general.alignment") ?? 32
    guard 1...Self.alignmentLimit ~= alignment, alignment & (alignment - 1) == 0 else {
      throw refuse("general.alignment is \(alignment); must be a power of two up to \(Self.alignmentLimit)")
    }
    do throws(CheckpointError) {
      return .success(try Self.tensors(count, &cursor, alignment: alignment))
    } catch { return .failure(error) }
  }

  /// Returns the value of `general.architecture`; nil if the file ends before it.
  static func architecture(_ file: MappedFile) -> String? {
    var cursor = GGUFCursor(file: file)
    guard file.bytes.starts(with: magic.utf8) else { return nil }
    cursor.position = magic.utf8.count
    do throws(CheckpointError) {
      try check(version: try cursor.number(UInt32.self), cursor)
      _ = try cursor.number(UInt64.self)
      for _ in 0..<min(try cursor.number(UInt64.self), UInt64(keyLimit)) {
        let key = cursor.text(try cursor.string("a key"))
        let value = try cursor.value(of: excerpt(key))
        guard key == "general.architecture" else { continue }
        return value.kind == .string && value.count == nil && value.range.count <= stringLimit
          ? cursor.text(value.range) : nil
      }
    } catch { return nil }
    return nil
  }

  private static let alignmentLimit = 1 << 30

  private static func check(version: UInt32, _ cursor: GGUFCursor) throws(CheckpointError) {
    guard version & 0xFFFF != 0 || version == 0 else {
      throw cursor.damaged(
        "this GGUF file is for big-endian machines; convert it again for little-endian ones (convert_hf_to_gguf.py)")
    }
    guard 2...3 ~= version else {
      throw cursor.damaged("GGUF version \(version) is not supported, only 2 and 3; convert the model again")
    }
  }
}

// MARK: values

extension GGUF: ConfigurationSource {
  package var path: Path { file.path }

  package func has(_ key: String) -> Bool { values[key] != nil }

  private func wrongType(_ key: String, _ expected: String) -> CheckpointError { refuse("\(key) is not \(expected)") }

  package func integer(_ key: String) throws(CheckpointError) -> Int? {
    guard let value = values[key] else { return nil }
    guard value.count == nil, let number = integer(value.kind, at: value.range.lowerBound) else {
      throw wrongType(key, "an integer")
    }
    return number
  }

  /// Returns the integer of a kind at a byte of the file, or nil if the kind is not an integer or the value overflows.
  private func integer(_ kind: GGUFValue.Kind, at start: Int) -> Int? {
    func load<Number: FixedWidthInteger>(_: Number.Type) -> Int? {
      Int(exactly: Number(littleEndian: file.bytes.loadUnaligned(fromByteOffset: start, as: Number.self)))
    }
    return switch kind {
    case .uint8: load(UInt8.self)
    case .int8: load(Int8.self)
    case .uint16: load(UInt16.self)
    case .int16: load(Int16.self)
    case .uint32: load(UInt32.self)
    case .int32: load(Int32.self)
    case .uint64: load(UInt64.self)
    case .int64: load(Int64.self)
    case .float32, .float64, .boolean, .string, .array: nil
    }
  }

  package func number(_ key: String) throws(CheckpointError) -> Double? {
    guard let value = values[key] else { return nil }
    let start = value.range.lowerBound
    let number: Double? =
      switch (value.kind, value.count) {
      case (.float32, nil):
        Double(
          Float(bitPattern: UInt32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))))
      case (.float64, nil):
        Double(bitPattern: UInt64(littleEndian: file.bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)))
      default: nil
      }
    guard let number, number.isFinite else { throw wrongType(key, "a number") }
    return number
  }

  package func boolean(_ key: String) throws(CheckpointError) -> Bool? {
    guard let value = values[key] else { return nil }
    guard value.kind == .boolean, value.count == nil else { throw wrongType(key, "true or false") }
    return file.bytes[value.range.lowerBound] != 0
  }

  package func string(_ key: String) throws(CheckpointError) -> String? {
    guard let value = values[key] else { return nil }
    guard value.kind == .string, value.count == nil, value.range.count <= Self.stringLimit else {
      throw wrongType(key, "a string of at most \(Self.stringLimit) bytes")
    }
    return String(decoding: UnsafeRawBufferPointer(rebasing: file.bytes[value.range]), as: UTF8.self)
  }

  /// Returns what `body` makes of the bytes of a string of any length; nil if the file has no such key.
  func string<Result>(
    _ key: String, _ body: (UnsafeBufferPointer<UInt8>) throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result? {
    guard let value = values[key] else { return nil }
    guard value.kind == .string, value.count == nil else { throw wrongType(key, "a string") }
    return try body(UnsafeBufferPointer(rebasing: file.characters[value.range]))
  }

  /// Returns the keys that begin with `prefix`, sorted.
  func keys(withPrefix prefix: String) -> [String] { values.keys.filter { $0.hasPrefix(prefix) }.sorted() }

  /// The maximum length of strings that are copied out of the file, which are names.
  private static let stringLimit = 1 << 10

  /// Returns an integer that the file gives either once, or as an array with one element for each layer; all elements
  /// must be equal.
  package func uniformInteger(_ key: String) throws(CheckpointError) -> Int? {
    guard let value = values[key], let count = value.count, let size = value.kind.size else { return try integer(key) }
    guard 1...layerLimit ~= count, let first = integer(value.kind, at: value.range.lowerBound) else {
      throw wrongType(key, "an integer")
    }
    for start in stride(from: value.range.lowerBound, to: value.range.upperBound, by: size) {
      guard integer(value.kind, at: start) == first else {
        throw refuse("\(key) differs from layer to layer, which is not implemented")
      }
    }
    return first
  }

  /// Returns whether the value of a key is an array.
  package func isArray(_ key: String) -> Bool { values[key]?.count != nil }

  /// Returns an array of truth values with at most `layerLimit` elements.
  package func booleans(_ key: String) throws(CheckpointError) -> [Bool]? {
    guard let value = values[key] else { return nil }
    guard value.kind == .boolean, let count = value.count, count <= layerLimit else {
      throw wrongType(key, "an array of at most \(layerLimit) truth values")
    }
    return file.bytes[value.range].map { $0 != 0 }
  }

  func strings(_ key: String) throws(CheckpointError) -> MappedStrings? {
    guard let value = values[key] else { return nil }
    guard value.kind == .string, let count = value.count else { throw wrongType(key, "an array of strings") }
    return MappedStrings(file, value.range, count: count)
  }

  func int32s(_ key: String) throws(CheckpointError) -> MappedInt32s? {
    guard let value = values[key] else { return nil }
    guard value.kind == .int32 || value.kind == .uint32, let count = value.count else {
      throw wrongType(key, "an array of 32-bit integers")
    }
    return MappedInt32s(file, at: value.range.lowerBound, count: count)
  }

  func float32s(_ key: String) throws(CheckpointError) -> [Float]? {
    guard let value = values[key] else { return nil }
    guard value.kind == .float32, value.count != nil else { throw wrongType(key, "an array of 32-bit numbers") }
    return stride(from: value.range.lowerBound, to: value.range.upperBound, by: 4).map { start in
      Float(bitPattern: UInt32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
    }
  }

  /// Returns an array of 8-bit integers, signed or unsigned, as bytes.
  func bytes(_ key: String) throws(CheckpointError) -> [UInt8]? {
    guard let value = values[key] else { return nil }
    guard value.kind == .int8 || value.kind == .uint8, value.count != nil else {
      throw wrongType(key, "an array of 8-bit integers")
    }
    return Array(file.bytes[value.range])
  }
}

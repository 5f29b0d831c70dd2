import JSON
import Platform

/// The position of a file in a split model (llama.cpp, `tools/gguf-split`).
private struct SplitPosition {
  /// `split.no`, from 0.
  let index: Int
  /// `split.count`
  let count: Int
  /// `split.tensors.count`: the number of tensors in all parts.
  let tensorCount: Int?

  /// The maximum number of parts, to bound the number of files that are opened. llama.cpp writes at most 2^16 - 1.
  private static let partLimit = 1 << 12

  /// Returns nil if the file is not a part of a split model: if `split.count` is missing, or 0, which
  /// `llama-gguf-split --merge` writes.
  init?(_ gguf: GGUF) throws(CheckpointError) {
    guard let count = try gguf.integer("split.count"), count != 0 else { return nil }
    guard 1...Self.partLimit ~= count else {
      throw gguf.refuse("split.count is \(count); must be from 0 to \(Self.partLimit)")
    }
    guard let index = try gguf.integer("split.no") ?? (count == 1 ? 0 : nil) else {
      throw gguf.refuse("split.no is missing, but split.count is \(count)")
    }
    guard 0..<count ~= index else { throw gguf.refuse("split.no is \(index); must be from 0 to \(count - 1)") }
    (self.index, self.count, tensorCount) = (index, count, try gguf.integer("split.tensors.count"))
  }
}

extension GGUF {
  /// Opens a model: a GGUF file, or all parts of a split model. The values are those of the first part.
  ///
  /// - Parameter path: the file, or any of the parts.
  /// - Throws: ``CheckpointError`` if the file or the first part cannot be read. Errors in other parts are deferred, as
  ///   errors in tensors are: `tensors` has them.
  init(path: Path) throws(CheckpointError) {
    var gguf = try GGUF(part: path)
    if let named = try SplitPosition(gguf) {
      if named.index > 0 {
        let first = try gguf.partName(named).part(1)
        guard lexists(first.path) else { throw Self.missing([1], of: first) }
        gguf = try GGUF(part: first.path)
        try gguf.check(0, of: named, in: path)
      }
      do throws(CheckpointError) { try gguf.openOtherParts() } catch { gguf.tensors = .failure(error) }
    }
    self = gguf
  }

  /// Opens the other parts of the model, of which this file is the first, and adds their tensors.
  private mutating func openOtherParts() throws(CheckpointError) {
    guard let position = try SplitPosition(self) else { return }
    var others: [GGUF] = []
    if position.count > 1 {
      let name = try partName(position)
      let missing = (2...position.count).filter { !lexists(name.part($0).path) }
      guard missing.isEmpty else { throw Self.missing(missing, of: name) }
      for number in 2...position.count {
        let part = try GGUF(part: name.part(number).path)
        try part.check(number - 1, of: position, in: path)
        others.append(part)
      }
    }
    var all = try tensors.get()
    for part in others {
      let added = try part.tensors.get()
      if let name = added.keys.filter({ all[$0] != nil }).min(), let other = all[name] {
        throw part.refuse("duplicate tensor \"\(excerpt(name))\", which is also in \(other.file.path.lastComponent)")
      }
      all.merge(added) { first, _ in first }
    }
    // llama.cpp also requires the number only if there are several parts.
    guard let count = position.tensorCount ?? (others.isEmpty ? all.count : nil) else {
      throw refuse("split.tensors.count is missing")
    }
    guard all.count == count else {
      throw refuse(
        "split.tensors.count is \(count), but the number of tensors in \(position.count) parts is \(all.count)")
    }
    (tensors, parts) = (.success(all), parts + others.map(\.file))
  }

  /// Returns the name of this part, which must have the number of the part and the number of parts.
  private func partName(_ position: SplitPosition) throws(CheckpointError) -> GGUFPartName {
    let number = position.index + 1
    guard let name = GGUFPartName(path), name.number == number, name.count == position.count else {
      throw refuse(
        "this is part \(number) of \(position.count) of a model, so its name must end with "
          + "\(GGUFPartName.suffix(number, position.count)): rename it")
    }
    return name
  }

  /// Throws an error if this file is not the part of a model that its name says.
  ///
  /// - Parameters:
  ///   - index: the expected `split.no`
  ///   - position: the position of another part.
  ///   - other: the path of that part.
  private func check(_ index: Int, of position: SplitPosition, in other: Path) throws(CheckpointError) {
    func refuse(_ key: String, _ expected: Int) throws(CheckpointError) -> CheckpointError {
      let found = try integer(key).map(String.init) ?? "missing"
      return self.refuse("\(key) is \(found); must be \(expected), as in \(other.lastComponent)")
    }
    guard let found = try SplitPosition(self), found.count == position.count else {
      throw try refuse("split.count", position.count)
    }
    guard found.index == index else {
      throw self.refuse(
        "split.no is \(found.index); must be \(index), because the file is part \(index + 1) of \(found.count)")
    }
    if let count = position.tensorCount, found.tensorCount ?? count != count {
      throw try refuse("split.tensors.count", count)
    }
  }

  /// Returns the error for missing parts.
  private static func missing(_ numbers: [Int], of name: GGUFPartName) -> CheckpointError {
    let others = numbers.dropFirst()
    let list = others.prefix(10).map(String.init).joined(separator: ", ") + (others.count > 10 ? ", ..." : "")
    return .notFound(
      "\(name.part(numbers.first ?? 1).path): no such file, but the model has \(name.count) parts: download it"
        + (others.isEmpty ? "" : " and the other missing parts (\(list))") + " into the same folder")
  }
}

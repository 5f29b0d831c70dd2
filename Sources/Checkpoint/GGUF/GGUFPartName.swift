import Platform

/// The name of a part of a split GGUF model (llama.cpp, `llama_split_path`): `PREFIX-00002-of-00003.gguf`.
public struct GGUFPartName: Hashable, Sendable {
  /// The path before the number, without the hyphen.
  public let prefix: Path
  /// The number of the part, from 1 to `count`.
  public let number: Int
  /// The number of parts.
  public let count: Int

  private static let digits = 5

  /// Returns nil if the path has another form, or if the number is not from 1 to the number of parts.
  public init?(_ path: Path) {
    var rest = path.bytes[...]
    func removeSuffix(_ suffix: String) -> Bool {
      guard rest.reversed().starts(with: suffix.utf8.reversed()) else { return false }
      rest.removeLast(suffix.utf8.count)
      return true
    }
    func removeNumber() -> Int? {
      let digits = rest.suffix(Self.digits)
      guard digits.count == Self.digits, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
      rest.removeLast(Self.digits)
      return digits.reduce(0) { 10 * $0 + Int($1 - 0x30) }
    }
    guard removeSuffix(".gguf"), let count = removeNumber(), removeSuffix("-of-"), let number = removeNumber(),
      removeSuffix("-"), number > 0, number <= count
    else { return nil }
    (prefix, self.number, self.count) = (Path(rest), number, count)
  }

  private init(prefix: Path, number: Int, count: Int) {
    (self.prefix, self.number, self.count) = (prefix, number, count)
  }

  /// Returns the name of another part of the model.
  public func part(_ number: Int) -> GGUFPartName { GGUFPartName(prefix: prefix, number: number, count: count) }

  public var path: Path { prefix.appending(suffix: Self.suffix(number, count)) }

  /// Returns the end of a part's name: `-00002-of-00003.gguf`.
  static func suffix(_ number: Int, _ count: Int) -> String {
    func padded(_ number: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
    return "-\(padded(number))-of-\(padded(count)).gguf"
  }

  /// Returns the paths without those of further parts of the same model.
  public static func firstOfEachModel(_ paths: [Path]) -> [Path] {
    var models: Set<GGUFPartName> = []
    return paths.filter { path in GGUFPartName(path).map { models.insert($0.part(1)).inserted } ?? true }
  }
}

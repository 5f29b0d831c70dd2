import Platform

/// The environment variables of Hugging Face's libraries, read as huggingface_hub 2 reads them (`constants.py`). A
/// variable that is set to the empty string is treated as unset.
public enum HubEnvironment {
  /// The folder of Hugging Face's libraries: `$HF_HOME`, or else `${XDG_CACHE_HOME:-~/.cache}/huggingface`; nil if none
  /// of these variables and `HOME` is set.
  public static var home: Path? {
    if let home = path("HF_HOME") { return home }
    let cache = path("XDG_CACHE_HOME") ?? environmentPath("HOME")?.appending(".cache")
    return cache?.appending("huggingface")
  }

  /// The hub cache: `$HF_HUB_CACHE`, or else the older `$HUGGINGFACE_HUB_CACHE`, or else the folder `hub` in `home`.
  public static var cache: Path? {
    path("HF_HUB_CACHE") ?? path("HUGGINGFACE_HUB_CACHE") ?? home?.appending("hub")
  }

  /// The variable that forbids the use of the network; nil if none is set.
  public static var offlineSwitch: String? {
    // As in huggingface_hub, the second variable counts only if the first is not set at all.
    let name = environmentVariable("HF_HUB_OFFLINE") == nil ? "TRANSFORMERS_OFFLINE" : "HF_HUB_OFFLINE"
    return isTrue(name) ? name : nil
  }

  /// Returns whether a variable is set to 1, ON, YES or TRUE.
  public static func isTrue(_ name: String) -> Bool {
    environmentVariable(name).map { ["1", "ON", "YES", "TRUE"].contains($0.uppercased()) } ?? false
  }

  /// Returns the file name in a variable, with `~` and variables expanded.
  public static func path(_ name: String) -> Path? { environmentPath(name).map(expanded) }

  /// Returns a path with a leading `~` replaced by `$HOME` and with `$NAME` and `${NAME}` replaced by their values, as
  /// Python's `expanduser` and `expandvars` do. Unset variables and `~USER` remain as they are. `.env` files, systemd
  /// units and Dockerfiles contain such values, which no shell has expanded.
  static func expanded(_ path: Path) -> Path {
    let slash = UInt8(ascii: "/")
    var rest = path.bytes[...]
    var result: [UInt8] = []
    if rest.first == UInt8(ascii: "~"), rest.dropFirst().first ?? slash == slash, let home = environmentPath("HOME") {
      result = home.bytes
      if result.last == slash { result.removeLast() }
      rest = rest.dropFirst()
    }
    while let byte = rest.first {
      if byte == UInt8(ascii: "$"), let (value, length) = variable(rest.dropFirst()) {
        result += value
        rest = rest.dropFirst(1 + length)
      } else {
        result.append(byte)
        rest = rest.dropFirst()
      }
    }
    return Path(result.isEmpty && !path.bytes.isEmpty ? [slash] : result)
  }

  /// Returns the value of the variable whose name follows a `$`, and the length of the name with its braces; nil if no
  /// name follows or if the variable is unset.
  private static func variable(_ text: ArraySlice<UInt8>) -> (value: [UInt8], length: Int)? {
    func isWord(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    let isBraced = text.first == UInt8(ascii: "{")
    let name = isBraced ? text.dropFirst().prefix { $0 != UInt8(ascii: "}") } : text.prefix(while: isWord)
    guard !name.isEmpty, !isBraced || text.dropFirst(name.count + 1).first == UInt8(ascii: "}"),
      let value = getenv(String(decoding: name, as: UTF8.self))
    else { return nil }
    return (Path(cString: value).bytes, name.count + (isBraced ? 2 : 0))
  }
}

import CPlatform

/// The words of the command line, the name of the program first, in the bytes that the system passed.
public func commandLineWords() -> [[UInt8]] {
  #if canImport(Musl)
    // musl calls constructors without arguments. Swift's runtime finds the words in /proc.
    let words = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
  #else
    var count: Int32 = 0
    let start = lmpipe_words(&count)
    let words = UnsafeBufferPointer(start: start, count: Int(count))
  #endif
  return words.compactMap { $0.map { Path(cString: $0).bytes } }
}

import FuzzTargets
import Platform

// fuzz TARGET [OPTION]... [FOLDER]...: runs libFuzzer, with its options and corpus folders, on a target. Without
// arguments it lists the targets.

/// libFuzzer's main loop, for programs with a `main` of their own (compiler-rt, "FuzzerDriver.cpp").
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The target of this run. A global, because a C function pointer cannot capture it.
nonisolated(unsafe) private var target: FuzzTarget?

guard CommandLine.arguments.count > 1 else {
  for target in FuzzTarget.all { print(target.name, target.longestInput) }
  exit(0)
}
target = FuzzTarget.all.first { $0.name == CommandLine.arguments[1] }
guard target != nil else { fatalError("unknown target '\(CommandLine.arguments[1])'") }

var words = CommandLine.unsafeArgv + 1  // libFuzzer takes the target's name for the program's
var count = CommandLine.argc - 1
exit(
  runDriver(&count, &words) { bytes, count in
    do {
      try target?.run(UnsafeBufferPointer(start: bytes, count: count))
      return 0
    } catch {
      fatalError("\(error)")
    }
  })

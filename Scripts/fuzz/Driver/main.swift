import FuzzTargets
import Platform

// fuzz TARGET [libFuzzer's options and folders]: has libFuzzer look for input that one of the targets does not stand.
// Without a target it lists them.

/// libFuzzer's loop, for programs that have a `main` of their own (compiler-rt, "FuzzerDriver.cpp").
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The target that the command line names.
nonisolated(unsafe) private var target: FuzzTarget?

guard CommandLine.arguments.count > 1 else {
  for target in FuzzTarget.all { print(target.name, target.longestInput) }
  exit(0)
}
target = FuzzTarget.all.first { $0.name == CommandLine.arguments[1] }
guard target != nil else { fatalError("there is no target \(CommandLine.arguments[1])") }

var words = CommandLine.unsafeArgv + 1  // the target's name stands where libFuzzer expects the program's
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

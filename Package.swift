// swift-tools-version: 6.0
import PackageDescription

// Release builds use every instruction of the processor they are made on. For a build that runs on others too, set
// LMPIPE_CPU to a processor name that clang knows, such as x86-64-v3; the results are the same to the bit.
#if arch(x86_64)
  let processor = ["-Xcc", "-march=" + (Context.environment["LMPIPE_CPU"] ?? "native")]
#else
  let processor = Context.environment["LMPIPE_CPU"].map { ["-Xcc", "-mcpu=" + $0] } ?? []
#endif

/// `make fuzz`: everything is built with libFuzzer's counters and the address sanitizer, and its driver joins in.
let isFuzzing = Context.environment["LMPIPE_FUZZ"] != nil
let fuzzing = isFuzzing ? ["-sanitize=fuzzer,address"] : []

/// Tests run with checks of exclusive access at run time; release builds have them at compile time only.
let common: [SwiftSetting] = [
  .unsafeFlags(processor + fuzzing), .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]
/// Arithmetic that is unbearable unoptimized, in debug builds (and so in `swift test`) as well: whole modules, because
/// generic kernels are specialized only where their bodies are in sight, and on threads, or the index has no file names.
let wholeModule = ["-O", "-disable-batch-mode", "-whole-module-optimization", "-num-threads", "2"]
let numeric: [SwiftSetting] = common + [.unsafeFlags(wholeModule, .when(configuration: .debug))]
/// The Swift runtime inside each tool: nothing to load at its start, nothing to install beside it. Sanitizers (`make
/// sanitize`) want the system's libraries.
#if os(Linux)
  // Allocations go by LastWords.c, which says so where there is no memory: the runtime would trap.
  // CommandLineWords.c replaces a function by which the runtime ends a process that has no /proc.
  let wrapping = [
    "malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "swift_copyAuxiliaryExecutablePath",
  ].flatMap { ["-Xlinker", "--wrap=\($0)"] }
  let isSanitized = Context.environment["LMPIPE_SANITIZE"] != nil
  let linking: [LinkerSetting] = isSanitized ? [] : [.unsafeFlags(["-static-executable", "-use-ld=lld"] + wrapping)]
#else
  let linking: [LinkerSetting] = []
#endif

func room(_ name: String, _ dependencies: [Target.Dependency], _ settings: [SwiftSetting] = common) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func door(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: ["CommandLineTool"] + dependencies, swiftSettings: common, linkerSettings: linking)
}

/// Fixtures are read from where they lie in the checkout.
func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies + ["TestSupport"], exclude: fixtures, swiftSettings: common)
}

let package = Package(
  name: "lmpipe",
  platforms: [.macOS(.v15)],
  targets: [
    // The ground floor
    .target(name: "CPlatform"),
    room("Platform", ["CPlatform"]),
    room("Threads", ["CPlatform", "Platform"], numeric),
    room("JSON", ["CPlatform"], numeric),
    room("Numerics", [], numeric),
    // The rooms
    room("JSONLines", ["CPlatform", "JSON", "Platform"]),
    room("Tokenizer", ["CPlatform", "JSON", "Platform"], numeric),
    room("Checkpoint", ["JSON", "Platform"]),
    room("LanguageModel", ["Checkpoint", "CPlatform", "Numerics", "Platform", "Threads"], numeric),
    room("Sampling", ["Numerics"], numeric),
    room("Hub", ["Checkpoint", "CPlatform", "JSON", "Platform"]),
    room(
      "CommandLineTool",
      ["CPlatform", "JSON", "JSONLines", "Platform", "Threads", "Tokenizer", "Checkpoint", "Sampling"]),
    // The doors
    door("bpe-encode", ["JSON", "JSONLines", "Tokenizer"]),
    door("bpe-decode", ["JSON", "JSONLines", "Tokenizer"]),
    door("lm-info", ["Checkpoint", "JSON", "JSONLines", "Platform", "Tokenizer"]),
    door("lm-logits", ["Checkpoint", "JSON", "JSONLines", "LanguageModel", "Sampling", "Tokenizer"]),
    door("lm-topk", ["JSON", "JSONLines", "Sampling", "Tokenizer"]),
    door("lm-step", ["Checkpoint", "JSON", "JSONLines", "LanguageModel", "Sampling", "Threads", "Tokenizer"]),
    door("lm-pull", ["Checkpoint", "Hub", "JSON", "Platform"]),
    .executableTarget(name: "generate-pages", dependencies: ["CommandLineTool", "Platform"], swiftSettings: common),
    .executableTarget(name: "json-check", dependencies: ["JSON", "JSONLines", "Platform"], swiftSettings: common),
    // Not installed: `make bench` asks it what a whole process would blur
    .executableTarget(
      name: "lm-measure",
      dependencies: ["Checkpoint", "CommandLineTool", "JSON", "JSONLines", "LanguageModel", "Platform", "Threads"],
      path: "Benchmarks/lm-measure", swiftSettings: numeric, linkerSettings: linking),
    // Their tests
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: common),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Checkpoint", "JSON", "JSONLines", "LanguageModel", "Numerics", "Platform", "Sampling", "Tokenizer",
      ],
      path: "Scripts/fuzz/Targets", swiftSettings: common),
    tests("JSONTests", ["JSON"]),
    tests("PlatformTests", ["Platform"]),
    tests("ThreadsTests", ["Threads"]),
    tests("NumericsTests", ["Numerics"]),
    tests("JSONLinesTests", ["JSON", "JSONLines"]),
    tests("TokenizerTests", ["FuzzTargets", "Platform", "Tokenizer"], fixtures: ["Fixtures"]),
    tests("CheckpointTests", ["Checkpoint", "Platform"], fixtures: ["Fixtures"]),
    tests("LanguageModelTests", ["Checkpoint", "LanguageModel", "Platform", "Threads"], fixtures: ["Fixtures"]),
    tests("HubTests", ["Checkpoint", "Hub", "Platform"]),
    tests("SamplingTests", ["Sampling"], fixtures: ["Fixtures"]),
    tests("CommandLineToolTests", ["CommandLineTool", "JSON", "JSONLines", "Platform"]),
    // Drives the built programs through pipes
    tests(
      "PipelineTests", ["CommandLineTool", "JSON", "JSONLines", "Platform"], fixtures: ["Fixtures", "Hub", "Sessions"]),
    // Replays what fuzzing found
    tests("FuzzTests", ["FuzzTargets"]),
  ]
    + (isFuzzing
      ? [
        .executableTarget(
          name: "fuzz", dependencies: ["FuzzTargets", "Platform"], path: "Scripts/fuzz/Driver", swiftSettings: common,
          linkerSettings: [.unsafeFlags(fuzzing + ["-use-ld=lld"])])
      ] : [])
)

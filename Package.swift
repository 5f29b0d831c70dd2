// swift-tools-version: 6.0
import PackageDescription

// Release builds use all instructions of the processor that builds them. LMPIPE_CPU selects another processor by its
// name in clang, such as x86-64-v3. The results are bit-identical.
#if arch(x86_64)
  let processor = ["-march=" + (Context.environment["LMPIPE_CPU"] ?? "native")]
#else
  let processor = Context.environment["LMPIPE_CPU"].map { ["-mcpu=" + $0] } ?? []
#endif

/// True for `make fuzz`: all targets get libFuzzer's counters and the address sanitizer, and the driver is built.
let isFuzzing = Context.environment["LMPIPE_FUZZ"] != nil
let fuzzing = isFuzzing ? ["-sanitize=fuzzer,address"] : []

/// Debug builds check exclusive access at run time; release builds only at compile time.
let common: [SwiftSetting] = [
  .unsafeFlags(processor.flatMap { ["-Xcc", $0] } + fuzzing),
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]
/// Numeric modules are optimized in debug builds (and so in `swift test`) too: -Onone is too slow. Whole-module because
/// generic kernels are specialized only if their bodies are visible; with threads because otherwise the index has no
/// file names.
let wholeModule = ["-O", "-disable-batch-mode", "-whole-module-optimization", "-num-threads", "2"]
let numeric: [SwiftSetting] = common + [.unsafeFlags(wholeModule, .when(configuration: .debug))]
let numericC: [CSetting] = [
  .unsafeFlags(processor + ["-O3", "-Wno-psabi"] + (isFuzzing ? ["-fsanitize=fuzzer-no-link,address"] : []))
]
/// The tools contain the Swift runtime: they load nothing at start and need no other files. Sanitizers
/// (Scripts/sanitize.sh) require the shared libraries of the system.
#if os(Linux)
  // malloc and its relatives are wrapped to print an out-of-memory error (FatalErrors.c); the Swift runtime would trap.
  // CommandLineWords.c replaces a function with which the runtime ends a process that has no /proc.
  let wrapping = [
    "malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "swift_copyAuxiliaryExecutablePath",
  ].flatMap { ["-Xlinker", "--wrap=\($0)"] }
  let isSanitized = Context.environment["LMPIPE_SANITIZE"] != nil
  let linking: [LinkerSetting] = isSanitized ? [] : [.unsafeFlags(["-static-executable", "-use-ld=lld"] + wrapping)]
#else
  let linking: [LinkerSetting] = []
#endif

func library(_ name: String, _ dependencies: [Target.Dependency], _ settings: [SwiftSetting] = common) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: ["CommandLineTool"] + dependencies, swiftSettings: common, linkerSettings: linking)
}

/// `fixtures` are folders that the tests read from the checkout; they are not resources of the bundle.
func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies + ["TestSupport"], exclude: fixtures, swiftSettings: common)
}

let package = Package(
  name: "lmpipe",
  platforms: [.macOS(.v15)],
  targets: [
    // Base modules
    .target(name: "CPlatform"),
    .target(name: "CKernels", cSettings: numericC),
    library("Platform", ["CPlatform"]),
    library("Threads", ["CPlatform", "Platform"], numeric),
    library("JSON", ["CPlatform", "Platform"], numeric),
    library("Numerics", [], numeric),
    // Libraries
    library("JSONLines", ["CPlatform", "JSON", "Platform"]),
    library("Tokenizer", ["CPlatform", "JSON", "Platform"], numeric),
    library("ChatTemplate", ["JSON", "Platform"], numeric),
    library("Checkpoint", ["JSON", "Platform"]),
    library(
      "LanguageModel", ["CKernels", "Checkpoint", "CPlatform", "JSON", "Numerics", "Platform", "Threads"], numeric),
    library("Sampling", ["Numerics"], numeric),
    library("Scoring", ["Numerics"], numeric),
    library("Hub", ["Checkpoint", "CPlatform", "JSON", "Platform"]),
    library(
      "CommandLineTool",
      ["CPlatform", "JSON", "JSONLines", "Platform", "Threads", "Tokenizer", "Checkpoint", "Sampling"]),
    // Tools
    executable("bpe-encode", ["ChatTemplate", "Checkpoint", "JSON", "JSONLines", "Platform", "Tokenizer"]),
    executable("bpe-decode", ["JSON", "JSONLines", "Tokenizer"]),
    executable("lm-info", ["Checkpoint", "JSON", "JSONLines", "LanguageModel", "Platform", "Tokenizer"]),
    executable("lm-logits", ["Checkpoint", "JSON", "JSONLines", "LanguageModel", "Sampling", "Tokenizer"]),
    executable("lm-topk", ["Checkpoint", "JSON", "JSONLines", "LanguageModel", "Sampling", "Threads", "Tokenizer"]),
    executable(
      "lm-score",
      ["Checkpoint", "JSON", "JSONLines", "LanguageModel", "Platform", "Sampling", "Scoring", "Threads", "Tokenizer"]),
    executable("lm-step", ["Checkpoint", "JSON", "JSONLines", "LanguageModel", "Sampling", "Threads", "Tokenizer"]),
    executable("lm-pull", ["Checkpoint", "Hub", "JSON", "LanguageModel", "Platform"]),
    // Developer tools, not installed. generate-pages writes man/man1 and completions; json-check runs the JSON Test
    // Suite; pattern-check finds the matches of a pattern; template-check
    // renders chat templates; lm-measure measures parts of a process for `make bench`.
    .executableTarget(name: "generate-pages", dependencies: ["CommandLineTool", "Platform"], swiftSettings: common),
    .executableTarget(name: "json-check", dependencies: ["JSON", "JSONLines", "Platform"], swiftSettings: common),
    .executableTarget(
      name: "pattern-check", dependencies: ["JSONLines", "Platform", "Tokenizer"], swiftSettings: common),
    .executableTarget(
      name: "template-check", dependencies: ["ChatTemplate", "JSON", "JSONLines", "Platform"],
      swiftSettings: common),
    .executableTarget(
      name: "lm-measure",
      dependencies: ["Checkpoint", "CommandLineTool", "JSON", "JSONLines", "LanguageModel", "Platform", "Threads"],
      path: "Benchmarks/lm-measure", swiftSettings: numeric, linkerSettings: linking),
    // Tests
    .target(
      name: "TestSupport", dependencies: ["Checkpoint", "Platform"], path: "Tests/TestSupport", swiftSettings: common),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "ChatTemplate", "Checkpoint", "CommandLineTool", "JSON", "JSONLines", "LanguageModel", "Numerics", "Platform",
        "Sampling", "Scoring", "Tokenizer",
      ],
      path: "Scripts/fuzz/Targets", swiftSettings: common),
    tests("JSONTests", ["JSON"]),
    tests("PlatformTests", ["Platform"]),
    tests("ThreadsTests", ["Threads"]),
    tests("NumericsTests", ["Numerics"]),
    tests("JSONLinesTests", ["JSON", "JSONLines"]),
    tests("ChatTemplateTests", ["ChatTemplate", "JSON"], fixtures: ["Fixtures"]),
    tests("TokenizerTests", ["FuzzTargets", "Platform", "Tokenizer"], fixtures: ["Fixtures"]),
    tests("CheckpointTests", ["Checkpoint", "Platform"], fixtures: ["Fixtures"]),
    tests(
      "LanguageModelTests", ["CKernels", "Checkpoint", "LanguageModel", "Numerics", "Platform", "Threads"],
      fixtures: ["Fixtures"]),
    tests("HubTests", ["Checkpoint", "Hub", "Platform"]),
    tests("SamplingTests", ["Sampling"], fixtures: ["Fixtures"]),
    tests("ScoringTests", ["Scoring"]),
    tests("CommandLineToolTests", ["CommandLineTool", "JSON", "JSONLines", "Platform"]),
    // Runs the built tools in pipelines
    tests(
      "PipelineTests", ["CommandLineTool", "JSON", "JSONLines", "Platform"],
      fixtures: ["Browser", "Fixtures", "Hub", "Sessions"]),
    // Replays the findings of the fuzzer
    tests("FuzzTests", ["FuzzTargets"]),
  ]
    + (isFuzzing
      ? [
        .executableTarget(
          name: "fuzz", dependencies: ["FuzzTargets", "Platform"], path: "Scripts/fuzz/Driver", swiftSettings: common,
          linkerSettings: [.unsafeFlags(fuzzing + ["-use-ld=lld"])])
      ] : [])
)

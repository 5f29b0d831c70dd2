import Testing

@testable import Checkpoint

@Suite struct GGUFFileNameTests {
  @Test(arguments: [
    ("Model-1B-Q4_K_M.gguf", "Q4_K_M"), ("model-q8_0.gguf", "q8_0"), ("many.Q8_0.GGUF", "Q8_0"),
    ("Fake-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"), ("m-BF16.gguf", "BF16"), ("m-f16.gguf", "f16"),
    ("m-IQ3_XXS.gguf", "IQ3_XXS"),
    ("gemma-2b-it.gguf", nil), ("model.gguf", nil), ("Q4_K_M/model.gguf", "Q4_K_M"),
    ("Q4_K_M/m-Q4_K_M-00001-of-00003.gguf", "Q4_K_M"), ("m-Qwen.gguf", nil), ("Q8_0.gguf", "Q8_0"),
    ("m-MXFP4.gguf", "MXFP4"), ("m-TQ1_0.gguf", "TQ1_0"),
  ])
  func findsTheQuantization(_ path: String, _ quantization: String?) {
    #expect(GGUFFileName(path)?.quantization == quantization)
  }

  @Test(arguments: [
    ("Q4_K_M", ElementType.q4_k), ("Q4_K_S", .q4_k), ("UD-Q4_K_XL", .q4_k), ("q8_0", .q8_0), ("Q6_K_L", .q6_k),
    ("fp16", .float16), ("BF16", .bfloat16), ("Q4_1", .q4_1),
  ])
  func knowsTheMainType(_ quantization: String, _ type: ElementType) throws {
    let name = try #require(GGUFFileName("m-\(quantization).gguf"))
    #expect(name.mainType == type && !name.isUnsupported)
  }

  /// The types of these names are not implemented. A type that becomes implemented is removed from this list.
  @Test(arguments: ["NVFP4", "Q1_0", "Q2_0", "Q8_1", "Q4_0_4_4", "Q9_0"])
  func marksUnsupportedTypes(_ quantization: String) {
    #expect(GGUFFileName("m-\(quantization).gguf")?.isUnsupported == true)
  }

  @Test func leavesOutProjectorsAndImportanceMatrices() {
    for path in ["mmproj-BF16.gguf", "m-mmproj-f16.gguf", "Fake-imatrix.gguf", "imatrix.gguf", "a/mmproj.gguf"] {
      #expect(GGUFFileName(path)?.isModel == false)
    }
    #expect(GGUFFileName("model.safetensors") == nil)
  }

  private let models = GGUFModelFiles.all([
    "m-Q4_K_M.gguf", "m-UD-Q4_K_M.gguf", "m-UD-Q5_K_XL.gguf", "deep/m-Q6_K.gguf", "mmproj-BF16.gguf", "m-BF16.gguf",
    "big-q8_0-00002-of-00002.gguf", "big-q8_0-00001-of-00002.gguf", "half-Q5_0-00001-of-00003.gguf", "README.md",
  ])

  @Test(arguments: [
    ("Q4_K_M", ["m-Q4_K_M.gguf"]), ("q4_k_m", ["m-Q4_K_M.gguf"]), ("UD-Q4_K_M", ["m-UD-Q4_K_M.gguf"]),
    ("Q5_K_XL", ["m-UD-Q5_K_XL.gguf"]), ("BF16", ["m-BF16.gguf"]), ("mmproj-BF16.gguf", ["mmproj-BF16.gguf"]),
    ("mmproj-bf16", ["mmproj-BF16.gguf"]), ("m-Q6_K", ["deep/m-Q6_K.gguf"]), ("deep/m-Q6_K.gguf", ["deep/m-Q6_K.gguf"]),
    ("Q8_0", ["big-q8_0-00001-of-00002.gguf", "big-q8_0-00002-of-00002.gguf"]),
    ("big-q8_0-00002-of-00002.gguf", ["big-q8_0-00001-of-00002.gguf", "big-q8_0-00002-of-00002.gguf"]),
    ("big-q8_0", ["big-q8_0-00001-of-00002.gguf", "big-q8_0-00002-of-00002.gguf"]), ("Q9", []), ("", []),
  ])
  func choiceNamesAModel(_ choice: String, _ paths: [String]) {
    let matches = GGUFModelFiles.matching(choice, among: models)
    #expect(matches.count <= 1)
    #expect(matches.flatMap { $0.parts.map(\.path) } == paths)
    #expect(matches.allSatisfy { $0.firstMissingPart == nil })
  }

  @Test func noticesMissingParts() {
    let matches = GGUFModelFiles.matching("Q5_0", among: models)
    #expect(matches.map { $0.firstMissingPart?.path } == ["half-Q5_0-00002-of-00003.gguf"])
  }

  @Test(arguments: [
    (["m-Q2_K", "m-Q4_K_M", "m-Q8_0"], "m-Q4_K_M"), (["m-Q2_K", "m-Q8_0", "m-F16"], "m-Q8_0"),
    (["m-Q3_K_M", "m-Q5_K_M", "m-Q4_0", "m-F16"], "m-Q5_K_M"), (["m-F32", "m-BF16", "m-NVFP4"], "m-BF16"),
    (["m-Q3_K_M"], "m-Q3_K_M"), (["m-NVFP4", "m-Q1_0"], nil), (["x", "y"], nil),
    (["m-Q4_0", "mmproj-Q8_0"], "m-Q4_0"),
  ])
  func prefersTheUsualQuantizations(_ names: [String], _ expected: String?) {
    let models = GGUFModelFiles.all(names.map { $0 + ".gguf" })
    let preferred = GGUFModelFiles.preferred(models) { _ in 1 }
    #expect(preferred?.first.path == expected.map { $0 + ".gguf" })
  }
}

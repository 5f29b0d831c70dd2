import Checkpoint
import Foundation
import LanguageModel
import Platform
import Testing

@Suite struct TransformerTests {
  static func ids(_ count: Int, _ vocabulary: Int) -> [Int] {
    (0..<count).map { (5 * $0 * $0 + 3 * $0 + 1) % vocabulary }
  }

  /// Returns the logits of some positions (default: the last) as bit patterns, so that == compares every bit.
  static func bits(
    _ model: Transformer, _ ids: [Int], _ cache: KeyValueCache? = nil, logitsAt positions: Range<Int>? = nil
  ) throws -> [[UInt32]] {
    let cache = cache ?? model.makeSinglePassCache()
    let end = cache.count + ids.count
    var result: [[UInt32]] = []
    try model.forward(ids, cache, logitsAt: positions ?? end - 1..<end) { _, logits in
      result.append(logits.map(\.bitPattern))
    }
    return result
  }

  /// Widths less than a vector, whole vectors, and more than one block of inputs.
  static let shapes: [RandomCheckpoint.Shape] = [
    .init(),
    .init(type: .float16, prefix: "transformer."),
    .init(type: .bfloat16),
    .init(isTied: false),
    .init(vocabulary: 7, width: 4, layers: 1, heads: 1, inner: 3),
    .init(width: 32, heads: 2, inner: nil),
    .init(vocabulary: 64, width: 48, layers: 3, heads: 3, inner: 300, type: .bfloat16),
    .init(width: 150, layers: 1, heads: 1, inner: 17),
  ]

  @Test(arguments: shapes)
  func logitsMatchFloat64(_ shape: RandomCheckpoint.Shape) throws {
    let checkpoint = try RandomCheckpoint(shape)
    let model = try Transformer(checkpoint.open(), threads: 2)
    let plain = PlainGPT2(checkpoint: checkpoint)
    for length in [1, 2, 6, 7, 16, 17, 40] {
      let ids = Self.ids(length, shape.vocabulary)
      let expected = plain.logits(ids)
      let scale = expected.map(abs).max() ?? 1
      let logits = try Self.bits(model, ids)[0].map { Double(Float(bitPattern: $0)) }
      #expect(zip(logits, expected).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, scale) }, "\(length) positions")
    }
  }

  /// Random GPT-2 models, and the fixtures.
  static let models = shapes.map { TestModel.random($0) } + TestModel.fixtures

  @Test(arguments: models)
  func threadsAndCacheDoNotChangeResults(_ model: TestModel) throws {
    let checkpoint = try model.open()
    let ids = Self.ids(40, checkpoint.configuration.vocabularySize)
    let one = try Transformer(checkpoint, threads: 1)
    let all = try Self.bits(one, ids, logitsAt: 0..<40)
    for threads in [1, 2, 3, 7] {
      let model = try Transformer(checkpoint, threads: threads)
      #expect(try Self.bits(model, ids, logitsAt: 0..<40) == all)
      for chunk in [1, 5, 6, 16, 39] {  // token by token and in chunks, with a cache
        let cache = model.makeCache()
        for start in stride(from: 0, to: 40, by: chunk) {
          let end = min(start + chunk, 40)
          #expect(try Self.bits(model, Array(ids[start..<end]), cache) == [all[end - 1]])
        }
      }
    }
    for length in [1, 2, 17] { #expect(try Self.bits(one, Array(ids[..<length])) == [all[length - 1]]) }
  }

  /// One batch of sequences of many lengths, with more rows than a micro-batch, some with a prefix in the cache.
  @Test(arguments: models)
  func batchingDoesNotChangeResults(_ model: TestModel) throws {
    let checkpoint = try model.open()
    let vocabulary = checkpoint.configuration.vocabularySize
    let model = try Transformer(checkpoint, threads: 2)
    let sequences = (0..<24).map { index in
      Array(Self.ids(40, vocabulary)[(index % 7)..<min(40, index % 7 + 1 + 5 * index % 37)])
    }
    var entries: [Transformer.BatchEntry] = []
    var expected: [[[UInt32]]] = []
    for (index, ids) in sequences.enumerated() {
      let cached = index % 3 == 0 ? ids.count / 2 : 0
      let cache = index % 3 == 2 ? model.makeSinglePassCache() : model.makeCache()
      if cached > 0 { _ = try Self.bits(model, Array(ids[..<cached]), cache) }
      let positions = (index % 4 == 0 ? cached : ids.count - 1)..<(index % 5 == 4 ? ids.count - 1 : ids.count)
      entries.append(Transformer.BatchEntry(Array(ids[cached...]), cache, logitsAt: positions))
      expected.append(try Self.bits(model, ids, logitsAt: positions))
    }
    var found = [[[UInt32]]](repeating: [], count: sequences.count)
    try model.forward(entries) { index, _, logits in found[index].append(logits.map(\.bitPattern)) }
    #expect(found == expected)
  }

  /// Models of every architecture, from folders and from GGUF files.
  @Test(arguments: TestModel.fixtures)
  func logitsMatchTransformers(_ model: TestModel) throws {
    let transformer = try Transformer(model.open(), threads: 2)
    let cases = try TestModel.references(of: model)
    #expect(cases.count == 4)
    for reference in cases {
      let scale = reference.logits.map(abs).max() ?? 1
      let logits = try Self.bits(transformer, reference.ids)[0].map { Double(Float(bitPattern: $0)) }
      #expect(logits.count == reference.logits.count)
      #expect(
        zip(logits, reference.logits).allSatisfy { abs($0 - $1) <= 2e-5 * max(1, scale) },
        "\(reference.ids.count) positions")
    }
  }

  /// A cache file continues where another process ended, with any number of heads of keys and values.
  @Test(arguments: TestModel.fixtures)
  func cacheFileDoesNotChangeResults(_ model: TestModel) throws {
    let checkpoint = try model.open()
    let ids = Self.ids(40, checkpoint.configuration.vocabularySize)
    let expected = try Self.bits(Transformer(checkpoint, threads: 1), ids)
    let path = FileManager.default.temporaryDirectory.appending(path: "lmpipe-cache-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    for (length, common) in [(23, 0), (40, 23), (40, 39)] {
      let transformer = try Transformer(checkpoint, threads: 2)
      let cache = transformer.makeCache(inFile: Path(path)) { Issue.record("\($0)") }
      cache.reusePrefix(of: Array(ids[..<length]))
      #expect(cache.count == common)
      let logits = try Self.bits(transformer, Array(ids[cache.count..<length]), cache)
      if length == 40 { #expect(logits == expected) }
    }
  }

  /// If the embedding, keys or values of a position are not finite, the positions before it do not change, however they
  /// are computed.
  @Test(arguments: [
    (Float.nan, 1, 9), (.infinity, 2, 9), (.nan, 2, 0), (.nan, 3, 16), (-.infinity, 3, 39),
  ])
  func nonFinitePositionDoesNotChangeEarlierOnes(_ number: Float, _ layers: Int, _ damaged: Int) throws {
    let random = try RandomCheckpoint(.init(layers: layers))
    let wpe = try random.open().tensor("wpe.weight")
    let start = try #require(wpe.bytes.baseAddress) - #require(wpe.file.bytes.baseAddress) + damaged * 20 * 4
    var file = Data(wpe.file.bytes)
    withUnsafeBytes(of: number) { file.replaceSubrange(start..<start + 4, with: $0) }
    let path = random.folder.appending(path: "model.safetensors")
    try FileManager.default.removeItem(at: path)  // the old file is mapped
    try file.write(to: path)
    let model = try Transformer(random.open(), threads: 2)
    let ids = Self.ids(40, 53)
    let alone = model.makeCache()
    let steps = try ids.map { try Self.bits(model, [$0], alone)[0] }
    func isFinite(_ logits: [UInt32]) -> Bool { logits.allSatisfy { Float(bitPattern: $0).isFinite } }
    #expect(steps.firstIndex { !isFinite($0) } == damaged)
    let together = try Self.bits(model, ids, logitsAt: 0..<40)
    #expect(together[..<damaged] == steps[..<damaged])
    #expect(together[damaged...].allSatisfy { !isFinite($0) })
    // A cache with the position is reused for another sequence.
    for end in [damaged, damaged + 1, min(damaged + 4, 39)] {
      let cache = model.makeCache()
      _ = try Self.bits(model, ids, cache)
      let other = Array(ids[..<end]) + [7]
      cache.reusePrefix(of: other)
      let expected = try Self.bits(model, other)
      let found = try Self.bits(model, Array(other[cache.count...]), cache)
      #expect(found == expected || end > damaged && !isFinite(found[0]) && !isFinite(expected[0]))
    }
    // A batch of several sequences, one of which is finite
    let sequences = [Array(ids[..<max(damaged, 1)]), ids, Array(ids[..<min(damaged + 3, 40)])]
    var found = [[[UInt32]]](repeating: [], count: 3)
    let entries = sequences.map {
      Transformer.BatchEntry($0, model.makeSinglePassCache(), logitsAt: 0..<$0.count)
    }
    try model.forward(entries) { index, _, logits in found[index].append(logits.map(\.bitPattern)) }
    for logits in found { #expect(logits.prefix(damaged) == steps[..<min(damaged, logits.count)]) }
  }

  @Test func scalesAttentionByLayerIndex() throws {
    let checkpoint = try RandomCheckpoint(.init(more: ",\"scale_attn_by_inverse_layer_idx\":true"))
    let model = try Transformer(checkpoint.open(), threads: 1)
    let ids = Self.ids(9, 53)
    let expected = PlainGPT2(checkpoint: checkpoint, scalesByLayer: true).logits(ids)
    let logits = try Self.bits(model, ids)[0].map { Double(Float(bitPattern: $0)) }
    #expect(zip(logits, expected).allSatisfy { abs($0 - $1) <= 1e-4 })
  }

  @Test func rejectsConfigurationThatContradictsTensors() throws {
    let checkpoint = try RandomCheckpoint()
    let file = checkpoint.folder.appending(path: "config.json")
    let text = try String(contentsOf: file, encoding: .utf8).replacing("\"n_inner\":37", with: "\"n_inner\":36")
    try text.write(to: file, atomically: true, encoding: .utf8)
    #expect {
      _ = try Transformer(checkpoint.open(), threads: 1)
    } throws: { error in
      "\(error)".hasSuffix("\"h.0.mlp.c_fc.weight\" has shape [20, 37], but config.json requires [20, 36]")
    }
  }

  @Test func namesMissingTensor() throws {
    let checkpoint = try RandomCheckpoint(.init(layers: 1))
    let file = checkpoint.folder.appending(path: "config.json")
    let text = try String(contentsOf: file, encoding: .utf8).replacing("\"n_layer\":1", with: "\"n_layer\":2")
    try text.write(to: file, atomically: true, encoding: .utf8)
    #expect {
      _ = try Transformer(checkpoint.open(), threads: 1)
    } throws: { error in "\(error)".contains("missing tensor \"h.1.ln_1.weight\"") }
  }
}

/// Validation of the frequency factors of RoPE.
@Suite struct FrequencyFactorTests {
  /// Opens a copy of a GGUF file whose last frequency factor is replaced.
  private func open(factor: Float) throws -> Checkpoint {
    let checkpoint = try TestModel.fixture("llama-3.Q4_1.gguf").open()
    let tensor = try checkpoint.tensor("rope_freqs.weight")
    #expect(tensor.type == .float32)
    let start = try #require(tensor.bytes.baseAddress) - #require(tensor.file.bytes.baseAddress)
    var file = Data(tensor.file.bytes)
    withUnsafeBytes(of: factor) {
      file.replaceSubrange(start + tensor.bytes.count - 4..<start + tensor.bytes.count, with: $0)
    }
    let path = FileManager.default.temporaryDirectory.appending(path: "lmpipe-\(UUID().uuidString).gguf")
    try file.write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    return try Checkpoint(ModelLocation(file: Path(path.path)))
  }

  @Test(arguments: [0, -0.0, .nan, -1, .infinity, -.infinity, 1e-38, .leastNonzeroMagnitude, 0.0999] as [Float])
  func rejectsInvalidFactor(_ factor: Float) throws {
    let checkpoint = try open(factor: factor)
    let last = try checkpoint.tensor("rope_freqs.weight").count - 1
    #expect {
      _ = try Transformer(checkpoint, threads: 1)
    } throws: { error in
      "\(error)".hasSuffix(".gguf: \"rope_freqs.weight\"[\(last)] is \(factor); it must be finite and at least 0.1")
    }
  }

  @Test(arguments: [0.1, 1, 1e30, .greatestFiniteMagnitude] as [Float])
  func acceptsValidFactor(_ factor: Float) throws {
    let model = try Transformer(open(factor: factor), threads: 1)
    let logits = try TransformerTests.bits(model, [1, 2, 3], logitsAt: 0..<3)
    #expect(logits.joined().allSatisfy { Float(bitPattern: $0).isFinite })
  }
}

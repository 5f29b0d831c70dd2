import Checkpoint
import Foundation
import LanguageModel
import Platform
import TestSupport
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
    .init(type: .float64),
    .init(isTied: false),
    .init(vocabulary: 7, width: 4, layers: 1, heads: 1, inner: 3),
    .init(width: 32, heads: 2, inner: nil),
    .init(vocabulary: 64, width: 48, layers: 3, heads: 3, inner: 300, type: .bfloat16),
    .init(width: 150, layers: 1, heads: 1, inner: 17),
  ]

  @Test(arguments: shapes)
  func logitsMatchFloat64(_ shape: RandomCheckpoint.Shape) throws {
    let checkpoint = try RandomCheckpoint(shape)
    let model = try checkpoint.open().transformer(threads: 2)
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
  static let models = shapes.map { TestModel.random($0) } + TestModel.fixtures + TestModel.lengthDependent

  @Test(arguments: models)
  func threadsAndCacheDoNotChangeResults(_ model: TestModel) throws {
    let mapped = try model.open()
    let one = try mapped.transformer(threads: 1)
    let ids = Self.ids(40, one.shape.vocabularySize)
    let all = try Self.bits(one, ids, logitsAt: 0..<40)
    for threads in [1, 2, 3, 7] {
      let model = try mapped.transformer(threads: threads)
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
    let model = try model.open().transformer(threads: 2)
    let vocabulary = model.shape.vocabularySize
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

  /// The weights of a row do not depend on the rows after it, unless the frequencies do, nor on the number of threads
  /// and of layers that are computed; each row is a distribution.
  @Test(arguments: models)
  func attentionWeightsDependOnTheirPrefixOnly(_ model: TestModel) throws {
    let mapped = try model.open()
    let transformer = try mapped.transformer(threads: 3)
    let shape = transformer.shape
    let heads = (0..<shape.layers).flatMap { layer in
      (0..<shape.heads).map { AttentionHead(layer: layer, head: $0) }
    }
    let ids = Self.ids(40, shape.vocabularySize)
    let all = transformer.attentionWeights(of: ids, heads: heads)
    #expect(all.count == heads.count && all.allSatisfy { $0.count == 40 * 41 / 2 })
    for (head, weights) in zip(heads, all) {
      let alone = try mapped.transformer(threads: 1).attentionWeights(of: ids, heads: [head])[0]
      #expect(alone.map(\.bitPattern) == weights.map(\.bitPattern), "\(head)")
      for row in 0..<40 {
        let numbers = weights[row * (row + 1) / 2..<(row + 1) * (row + 2) / 2]
        #expect(numbers.allSatisfy { 0...1 ~= $0 } && abs(numbers.reduce(0, +) - 1) < 1e-5, "\(head), row \(row)")
      }
    }
    guard !shape.ropes.contains(where: \.isLengthDependent) else { return }
    for length in [1, 2, 17, 39] {
      let part = transformer.attentionWeights(of: Array(ids[..<length]), heads: heads)
      #expect(
        zip(part, all).allSatisfy { $0.elementsEqual($1.prefix($0.count)) && $0.count == length * (length + 1) / 2 })
    }
  }

  /// Models of every architecture, from folders and from GGUF files.
  @Test(arguments: TestModel.fixtures)
  func logitsMatchTransformers(_ model: TestModel) throws {
    let transformer = try model.open().transformer(threads: 2)
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

  /// The frequencies change after 20 positions, and with them the logits.
  @Test(arguments: TestModel.lengthDependent)
  func frequenciesDependOnTheLength(_ model: TestModel) throws {
    let ids = Self.ids(40, 40)
    let plain = try TestModel.fixture("llama-small").open().transformer(threads: 1)
    let scaled = try model.open().transformer(threads: 1)
    func logits(_ model: Transformer, _ count: Int) throws -> [[UInt32]] { try Self.bits(model, Array(ids[..<count])) }
    // Dynamic scaling has the usual frequencies up to 20 positions.
    if scaled.shape.ropes[0].scalingName == "dynamic" { #expect(try logits(scaled, 20) == logits(plain, 20)) }
    #expect(try logits(scaled, 21) != logits(plain, 21))
    #expect(scaled.shape.contextLength >= 60)
  }

  /// A cache file continues where another process ended, with any number of heads of keys and values.
  @Test(arguments: TestModel.fixtures)
  func cacheFileDoesNotChangeResults(_ model: TestModel) throws {
    let mapped = try model.open()
    let ids = Self.ids(40, mapped.shape.vocabularySize)
    let expected = try Self.bits(mapped.transformer(threads: 1), ids)
    let path = FileManager.default.temporaryDirectory.appending(path: "lmpipe-cache-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    for (length, common) in [(23, 0), (40, 23), (40, 39)] {
      let transformer = try mapped.transformer(threads: 2)
      let cache = transformer.makeCache(inFile: Path(path)) { Issue.record("\($0)") }
      cache.reusePrefix(of: Array(ids[..<length]))
      #expect(cache.count == common)
      let logits = try Self.bits(transformer, Array(ids[cache.count..<length]), cache)
      if length == 40 { #expect(logits == expected) }
    }
  }

  /// A cache file continues for a model whose frequencies change after 20 positions, and keeps the positions before
  /// the change.
  @Test(arguments: TestModel.lengthDependent)
  func cacheFileKeepsKeysOfShortSequences(_ model: TestModel) throws {
    let mapped = try model.open()
    let ids = Self.ids(40, mapped.shape.vocabularySize)
    let folder = try Folder()
    for (length, common) in [(12, 0), (19, 12), (30, 19), (19, 18)] {
      let transformer = try mapped.transformer(threads: 2)
      let cache = transformer.makeCache(inFile: Path(folder.path + "/cache")) { Issue.record("\($0)") }
      cache.reusePrefix(of: Array(ids[..<length]))
      #expect(cache.count == common)
      let logits = try Self.bits(transformer, Array(ids[cache.count..<length]), cache)
      #expect(try logits == Self.bits(transformer, Array(ids[..<length])))
    }
  }

  // MARK: scratch memory

  /// A batch: the lengths of its sequences, of which some positions are in a cache, and the number of last positions
  /// whose logits are computed; 0 for a batch that only fills the caches.
  private struct Batch {
    let lengths: [Int]
    var cached = 0
    var logits = 1
  }

  /// One row and many, several micro-batches, no logits, and more rows of logits than are computed together, after each
  /// other, so that the scratch memory of a batch is larger or smaller than that of the batch before it.
  private static let batches = [
    Batch(lengths: [40]), Batch(lengths: [1]), Batch(lengths: [17, 3, 1, 40], logits: 1),
    Batch(lengths: Array(repeating: 40, count: 23), logits: 5), Batch(lengths: [2], logits: 2),
    Batch(lengths: [30, 9], cached: 8, logits: 0), Batch(lengths: [5]), Batch(lengths: [40, 40], logits: 40),
    Batch(lengths: [16], cached: 15), Batch(lengths: Array(repeating: 7, count: 100), cached: 6, logits: 1),
    Batch(lengths: [1, 1], logits: 1), Batch(lengths: [48]),
  ]

  /// Returns the logits of a batch, and of the next id of each of its sequences, whose cache the batch has filled.
  private func logits(_ model: Transformer, _ batch: Batch) throws -> [[[UInt32]]] {
    var found = [[[UInt32]]](repeating: [], count: batch.lengths.count)
    var entries: [Transformer.BatchEntry] = []
    var caches: [KeyValueCache] = []
    let limit = model.shape.contextLength
    for (index, length) in batch.lengths.enumerated() {
      let ids = Self.ids(length, model.shape.vocabularySize - index % 3)
      let cache = index % 2 == 0 || batch.cached > 0 ? model.makeCache() : model.makeSinglePassCache()
      if batch.cached > 0 { _ = try Self.bits(model, Array(ids[..<batch.cached]), cache) }
      caches.append(cache)
      entries.append(
        Transformer.BatchEntry(
          Array(ids[batch.cached...]), cache, logitsAt: max(batch.cached, length - batch.logits)..<length))
    }
    try model.forward(entries) { index, _, logits in found[index].append(logits.map(\.bitPattern)) }
    for (index, length) in batch.lengths.enumerated() where length < limit && (index % 2 == 0 || batch.cached > 0) {
      found[index] += try Self.bits(model, [index % 3], caches[index])
    }
    return found
  }

  @Test(arguments: [shapes[0], shapes[6]].map { TestModel.random($0) } + TestModel.fixtures)
  func earlierBatchesDoNotChangeResults(_ model: TestModel) throws {
    let mapped = try model.open()
    let reused = try mapped.transformer(threads: 2)
    for (index, batch) in Self.batches.enumerated() where batch.lengths.allSatisfy({ $0 <= reused.shape.contextLength })
    {
      let expected = try logits(mapped.transformer(threads: 2), batch)
      #expect(expected.joined().allSatisfy { $0.count == reused.shape.vocabularySize })
      #expect(try logits(reused, batch) == expected, "batch \(index)")
    }
  }

  // MARK: numbers that are not finite

  /// If the embedding, keys or values of a position are not finite, the positions before it do not change, however they
  /// are computed.
  @Test(arguments: [
    (Float.nan, 1, 9), (.infinity, 2, 9), (.nan, 2, 0), (.nan, 3, 16), (-.infinity, 3, 39),
  ])
  func nonFinitePositionDoesNotChangeEarlierOnes(_ number: Float, _ layers: Int, _ damaged: Int) throws {
    let random = try RandomCheckpoint(.init(layers: layers))
    let wpe = try #require(try random.open().checkpoint.tensors["wpe.weight"])
    let start = try #require(wpe.bytes.baseAddress) - #require(wpe.file.bytes.baseAddress) + damaged * 20 * 4
    var file = Data(wpe.file.bytes)
    withUnsafeBytes(of: number) { file.replaceSubrange(start..<start + 4, with: $0) }
    let path = random.folder.appending(path: "model.safetensors")
    try FileManager.default.removeItem(at: path)  // the old file is mapped
    try file.write(to: path)
    let model = try random.open().transformer(threads: 2)
    let ids = Self.ids(40, 53)
    let alone = model.makeCache()
    let steps = try ids.map { try Self.bits(model, [$0], alone)[0] }
    func isFinite(_ logits: [UInt32]) -> Bool { logits.allSatisfy { Float(bitPattern: $0).isFinite } }
    #expect(steps.firstIndex { !isFinite($0) } == damaged)
    let together = try Self.bits(model, ids, logitsAt: 0..<40)
    #expect(together[..<damaged] == steps[..<damaged])
    #expect(together[damaged...].allSatisfy { !isFinite($0) })
    // A cache with the position is reused for another sequence.
    for end in [max(damaged - 1, 0), damaged, damaged + 1, min(damaged + 4, 39)] {
      for positions in [39..<40, 0..<1, 40..<40] {
        let cache = model.makeCache()
        _ = try Self.bits(model, ids, cache, logitsAt: positions)
        let other = Array(ids[..<end]) + [7]
        cache.reusePrefix(of: other)
        let expected = try Self.bits(model, other)
        let found = try Self.bits(model, Array(other[cache.count...]), cache)
        #expect(found == expected || end > damaged && !isFinite(found[0]) && !isFinite(expected[0]))
      }
    }
    // A batch of several sequences, one of which is finite
    let sequences = [Array(ids[..<max(damaged, 1)]), ids, Array(ids[..<min(damaged + 3, 40)])]
    var found = [[[UInt32]]](repeating: [], count: 3)
    let entries = sequences.map {
      Transformer.BatchEntry($0, model.makeSinglePassCache(), logitsAt: 0..<$0.count)
    }
    try model.forward(entries) { index, _, logits in found[index].append(logits.map(\.bitPattern)) }
    for logits in found { #expect(logits.prefix(damaged) == steps[..<min(damaged, logits.count)]) }
    // The batches with numbers that are not finite do not change the batch after them.
    guard damaged > 0 else { return }
    let finite = Array(ids[..<damaged])
    #expect(try Self.bits(model, finite, logitsAt: 0..<damaged) == Array(steps[..<damaged]))
  }

  /// A position that is not finite changes only the positions whose windows contain it, in whatever parts the sequence
  /// is computed. In this model, of two layers with windows of 7 positions, these are the 12 positions after it.
  @Test(arguments: [8, 12, 13, 14, 16, 21])
  func nonFinitePositionChangesNothingOutsideItsWindows(_ cached: Int) throws {
    let damaged = 3
    let source = TestModel.folder(of: "gpt_neo-small")
    let wpe = try #require(try Checkpoint(TestModel.files("gpt_neo-small")).tensors["transformer.wpe.weight"])
    #expect(wpe.type == .bfloat16)
    let start = try #require(wpe.bytes.baseAddress) - #require(wpe.file.bytes.baseAddress) + damaged * 16 * 2
    var file = Data(wpe.file.bytes)
    file.replaceSubrange(start..<start + 2, with: [0xC0, 0x7F])  // NaN
    let configuration = try String(contentsOf: source.appending(path: "config.json"), encoding: .utf8)
    let folder = try Folder()
    try folder.write("config.json", configuration.replacing("\"global\"", with: "\"local\""))
    let model = try file.write(to: folder).model().transformer(threads: 2)
    let ids = Self.ids(40, 40)
    let alone = model.makeCache()
    let steps = try ids.map { try Self.bits(model, [$0], alone)[0] }
    func isFinite(_ logits: [UInt32]) -> Bool { logits.allSatisfy { Float(bitPattern: $0).isFinite } }
    #expect(steps.indices.filter { !isFinite(steps[$0]) } == Array(damaged...damaged + 12))
    let cache = model.makeCache()
    _ = try Self.bits(model, Array(ids[..<cached]), cache)
    let together = try Self.bits(model, Array(ids[cached...]), cache, logitsAt: cached..<40)
    for (found, expected) in zip(together, steps[cached...]) {
      #expect(found == expected || !isFinite(found) && !isFinite(expected))
    }
  }

  @Test func scalesAttentionByLayerIndex() throws {
    let checkpoint = try RandomCheckpoint(.init(more: ",\"scale_attn_by_inverse_layer_idx\":true"))
    let model = try checkpoint.open().transformer(threads: 1)
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
      _ = try checkpoint.open().transformer(threads: 1)
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
      _ = try checkpoint.open().transformer(threads: 1)
    } throws: { error in "\(error)".contains("missing tensor \"h.1.ln_1.weight\"") }
  }
}

/// Validation of the frequency factors of RoPE.
@Suite struct FrequencyFactorTests {
  /// Opens a copy of a GGUF file whose last frequency factor is replaced.
  private func open(factor: Float) throws -> ModelFiles {
    let checkpoint = try Checkpoint(TestModel.files("llama-3.Q4_1.gguf"))
    let tensor = try #require(checkpoint.tensors["rope_freqs.weight"])
    #expect(tensor.type == .float32)
    let start = try #require(tensor.bytes.baseAddress) - #require(tensor.file.bytes.baseAddress)
    var file = Data(tensor.file.bytes)
    withUnsafeBytes(of: factor) {
      file.replaceSubrange(start + tensor.bytes.count - 4..<start + tensor.bytes.count, with: $0)
    }
    let path = FileManager.default.temporaryDirectory.appending(path: "lmpipe-\(UUID().uuidString).gguf")
    try file.write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    return try ModelFiles(ModelLocation(file: Path(path.path)))
  }

  @Test(arguments: [0, -0.0, .nan, -1, .infinity, -.infinity, 1e-38, .leastNonzeroMagnitude, 0.0999] as [Float])
  func rejectsInvalidFactor(_ factor: Float) throws {
    let files = try open(factor: factor)
    let last = try #require(try Checkpoint(files).tensors["rope_freqs.weight"]).count - 1
    #expect {
      _ = try Transformer(files, threads: 1)
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

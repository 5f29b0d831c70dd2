import CommandLineTool
import JSON
import JSONLines
import LanguageModel

/// The heads whose attention weights `--attention` requests, in the order of layers and heads.
struct AttentionOption {
  private let heads: [AttentionHead]

  /// Returns nil if the option is not given.
  ///
  /// - Throws: `ToolError` if a value is not LAYER or LAYER.HEAD, both counted from 1, or the model has no such head.
  init?(_ arguments: Arguments, _ shape: ModelShape) throws {
    let values = arguments.allBytes(.attention).map { String(decoding: $0, as: UTF8.self) }
    guard !values.isEmpty else { return nil }
    var heads: Set<AttentionHead> = []
    for value in values {
      let numbers = value.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
      guard let layer = numbers[0], 1...shape.layers ~= layer, numbers.count <= 2 else {
        throw Self.error(value, shape)
      }
      guard numbers.count == 2 else {
        heads.formUnion((0..<shape.heads).map { AttentionHead(layer: layer - 1, head: $0) })
        continue
      }
      guard let head = numbers[1], 1...shape.heads ~= head else { throw Self.error(value, shape) }
      heads.insert(AttentionHead(layer: layer - 1, head: head - 1))
    }
    self.heads = heads.sorted { ($0.layer, $0.head) < ($1.layer, $1.head) }
  }

  private static func error(_ value: String, _ shape: ModelShape) -> ToolError {
    ToolError(
      .usage,
      "--attention must be LAYER or LAYER.HEAD with a layer from 1 to \(shape.layers) and a head from 1 to "
        + "\(shape.heads) (found \"\(excerpt(value))\")")
  }

  /// The greatest number of weights in a record, which is then less than 1 GB long.
  private static let maximumWeights = 1 << 26

  /// Computes the weights, and returns the change that adds them to the record of the ids.
  ///
  /// - Throws: `RecordError` if there are too many weights, or if one is not finite.
  func change(for ids: [Int], _ model: Transformer) throws -> Record.Change {
    let count = heads.count * (ids.count * (ids.count + 1) / 2)
    guard count <= Self.maximumWeights else {
      throw RecordError(
        "\(heads.count) heads have \(count) attention weights for \(ids.count) tokens; at most \(Self.maximumWeights) are "
          + "possible: request fewer heads")
    }
    let weights = model.attentionWeights(of: ids, heads: heads)
    for (head, weights) in zip(heads, weights) where !weights.allSatisfy(\.isFinite) {
      throw RecordError(
        "an attention weight of layer \(head.layer + 1), head \(head.head + 1) is not finite: the model's weights are "
          + "damaged")
    }
    return .set("attentions") { buffer in
      var separator = "["
      for (head, weights) in zip(heads, weights) {
        buffer.append("\(separator){\"layer\":\(head.layer + 1),\"head\":\(head.head + 1),\"weights\":")
        buffer.append(jsonRows: weights)
        buffer.append("}")
        separator = ","
      }
      buffer.append("]")
    }
  }
}

extension ByteBuffer {
  /// Appends rows of 1, 2, 3, … numbers as an array of arrays.
  fileprivate func append(jsonRows numbers: [Float]) {
    var (index, length) = (0, 1)
    while index < numbers.count {
      append(index == 0 ? "[[" : "],[")
      for column in 0..<length {
        if column > 0 { append(",") }
        append(json: numbers[index + column])
      }
      (index, length) = (index + length, length + 1)
    }
    append("]]")
  }
}

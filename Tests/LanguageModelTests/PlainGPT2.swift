/// GPT-2 in float64, written to be obviously correct: the reference for the forward pass.
struct PlainGPT2 {
  let checkpoint: RandomCheckpoint
  var scalesByLayer = false

  typealias Vector = [Double]

  /// The logits of the last position.
  func logits(_ ids: [Int]) -> Vector {
    let shape = checkpoint.shape
    var x = ids.enumerated().map { position, id in
      PlainOperations.add(row("wte.weight", id), row("wpe.weight", position))
    }
    for layer in 0..<shape.layers {
      let h = "h.\(layer)"
      let qkv = x.map { affine("\(h).attn.c_attn", layerNorm("\(h).ln_1", $0)) }
      for position in x.indices {
        x[position] = PlainOperations.add(x[position], affine("\(h).attn.c_proj", attention(qkv, position, layer)))
      }
      for position in x.indices {
        let hidden = affine("\(h).mlp.c_fc", layerNorm("\(h).ln_2", x[position])).map(PlainOperations.geluTanh)
        x[position] = PlainOperations.add(x[position], affine("\(h).mlp.c_proj", hidden))
      }
    }
    let last = layerNorm("ln_f", x[x.count - 1])
    return (0..<shape.vocabulary).map {
      PlainOperations.dot(row(shape.isTied ? "wte.weight" : "lm_head.weight", $0), last)
    }
  }

  private func attention(_ qkv: [Vector], _ position: Int, _ layer: Int) -> Vector {
    let shape = checkpoint.shape
    let width = shape.width / shape.heads
    func part(_ index: Int, _ kind: Int, _ head: Int) -> Vector {
      let start = kind * shape.width + head * width
      return Vector(qkv[index][start..<start + width])
    }
    return (0..<shape.heads).flatMap { head in
      PlainOperations.attention(
        query: part(position, 0, head), keys: (0...position).map { part($0, 1, head) },
        values: (0...position).map { part($0, 2, head) },
        scale: 1 / Double(width).squareRoot() / (scalesByLayer ? Double(layer + 1) : 1))
    }
  }

  private func layerNorm(_ name: String, _ x: Vector) -> Vector {
    PlainOperations.layerNorm(x, weight: vector("\(name).weight"), bias: vector("\(name).bias"), epsilon: 1e-5)
  }

  private func affine(_ name: String, _ x: Vector) -> Vector {
    let (weight, bias) = (vector("\(name).weight"), vector("\(name).bias"))
    return bias.indices.map { column in
      bias[column] + x.indices.map { x[$0] * weight[$0 * bias.count + column] }.reduce(0, +)
    }
  }

  private func vector(_ name: String) -> Vector { checkpoint.weights[name] ?? [] }
  private func row(_ name: String, _ index: Int) -> Vector {
    Vector(vector(name)[index * checkpoint.shape.width..<(index + 1) * checkpoint.shape.width])
  }
}

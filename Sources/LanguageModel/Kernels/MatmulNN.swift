import CPlatform
import Threads

// output = input · weights, for weights that lie [in, out] (GPT-2's Conv1D).
//
// The order of summation, on which the rule "Same bits" of lm-records(5) depends:
// k runs through the inputs in blocks of 128. Within a block, each
// output element is one chain of fused multiply-adds in the order of k, beginning with zero; the sums of the blocks are
// then added to each other in their order. (A single chain would do as well; blocks keep the rounding error of long
// sums small, can be computed by different threads, and a block of a panel fits the first-level cache.) Lanes are output
// columns, so no lane is ever added to another. Both kernels below keep to this order, so one position alone and many
// positions together give the same bits.
//
//  - Few rows: the weights are streamed once, straight from the file's pages, as fast as memory can be read. A part is a
//    block, whose weights lie together. The processor fetches ahead within each of a few streams, so for one row eight
//    weight rows are read side by side (two of each of four blocks where they are short); for more, four, which stay in
//    registers while they are used for all rows. The weights that come next are asked for into the second-level cache:
//    that takes a sixth of the time away for one row with weights of half precision, and a quarter for several rows.
//  - Many rows: a block of 128 × 128 weights is widened to float32 into panels of 16 columns (8 KiB each, together in
//    the second-level cache) and multiplied with six input rows at a time, whose 6 × 16 sums stay in registers, as fast
//    as the processor can multiply. The inputs are packed beforehand, six rows interleaved, so that they are read in
//    sequence. Processors with 32 registers of 512 bits have panels of 64 columns.

private let blockLength = 128
/// Up to so many rows, reading the weights takes longer than multiplying them.
private let fewRows = 16
/// Columns that are widened together: long enough for the processor to fetch ahead in each weight row.
private let groupColumns = 128

/// output (n, out) = completion(input (n, in) · weights + bias), for weights (in, out).
func matmulNN(
  _ input: Matrix, _ map: Linear, into output: Matrix, _ completion: Completion, _ pool: ThreadPool,
  registers: VectorRegisters = .here
) {
  let (weights, bias) = (map.weight, map.bias)
  precondition(input.columns == weights.rows && output.columns == weights.columns && input.rows == output.rows)
  precondition(bias?.count ?? weights.columns == weights.columns)
  func run<Element: WeightElement>(_: Element.Type) {
    let product = MatmulNN<Element>(
      input: input, weights: weights, bias: bias, output: output, completion: completion, pool: pool,
      registers: registers)
    if input.rows <= fewRows { product.ofFewRows() } else { product.ofManyRows() }
  }
  withElementType(weights.type) { run($0) }
}

private struct MatmulNN<Element: WeightElement> {
  let input: Matrix
  let weights: WeightMatrix
  let bias: WeightVector?
  let output: Matrix
  let completion: Completion
  let pool: ThreadPool
  let registers: VectorRegisters

  private var operations: Int { input.rows * weights.rows * weights.columns }
  private var blocks: Int { (weights.rows + blockLength - 1) / blockLength }

  @inline(__always)
  private func address(_ row: Int, _ column: Int) -> UnsafeRawPointer {
    weights.start + (row * weights.columns + column) * Element.size
  }

  // MARK: Few rows

  /// Whether a weight row is so short that eight of them are hardly more than one stream.
  private var hasShortRows: Bool { weights.columns * Element.size <= 4096 }
  private let blocksTogether = 4

  func ofFewRows() {
    let whole = weights.columns / laneCount * laneCount
    let (n, blocks) = (input.rows, blocks)
    let stride = whole + laneCount  // sums that lay 4,096 bytes apart would compete for the same places of the cache
    withAlignedFloats(blocks * n * stride + weights.rows / 4 * n * 4) { sums in  // (blocks, n, stride)
      let fours = sums + blocks * n * stride  // (in / 4, n, 4)
      if n > 1 { packFours(into: fours) }
      let together = n == 1 && hasShortRows ? blocksTogether : 1
      // Where there are more threads than blocks, parts of their columns are shared out as well.
      let sections = max(1, 2 * pool.threads * together / blocks)
      let section = (whole / laneCount + sections - 1) / sections * laneCount
      pool.run((blocks + together - 1) / together * sections, cost: operations) { part in
        let block = part / sections * together
        let columns = min(part % sections * section, whole)..<min((part % sections + 1) * section, whole)
        sumBlocks(block..<min(block + together, blocks), columns, sums, stride: stride, fours)
      }
      for row in 0..<n {
        for column in Swift.stride(from: 0, to: whole, by: laneCount) {
          var total = Lanes()
          for block in 0..<blocks { total += Float.load(sums + (block * n + row) * stride + column) }
          complete(total, row: row, column: column)
        }
      }
    }
    if whole < weights.columns { ofManyRows(from: whole) }  // the last columns, fewer than a vector
  }

  /// sums (blocks, n, stride): the chains of some blocks, of a range of columns.
  @inline(__always)
  private func sumBlocks(
    _ blocks: Range<Int>, _ columns: Range<Int>, _ sums: UnsafeMutablePointer<Float>, stride: Int,
    _ fours: UnsafeMutablePointer<Float>
  ) {
    let n = input.rows
    for row in blocks.lowerBound * n..<blocks.upperBound * n {
      for column in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: laneCount) {
        store(Lanes(), sums + row * stride + column)
      }
    }
    if blocks.count == blocksTogether, blocks.upperBound * blockLength <= weights.rows {
      for k in Swift.stride(from: blocks.lowerBound * blockLength, to: (blocks.lowerBound + 1) * blockLength, by: 2) {
        addTwoRowsOfFourBlocks(k, columns, sums + blocks.lowerBound * stride, stride)
      }
      return
    }
    for block in blocks {
      let sums = sums + block * n * stride
      var k = block * blockLength
      let end = min(k + blockLength, weights.rows)
      while n == 1, k + 8 <= end {
        addEightRows(k, columns, sums)
        k += 8
      }
      while n > 1, k + 4 <= end {
        addFourRows(k, columns, sums, stride, fours + k * n)
        k += 4
      }
      while k < end {
        for row in 0..<n { addRow(k, columns, sums + row * stride, input.row(row)[k]) }
        k += 1
      }
    }
  }

  @inline(__always)
  private func addEightRows(_ k: Int, _ columns: Range<Int>, _ sums: UnsafeMutablePointer<Float>) {
    let x = input.start + k
    let (x0, x1, x2, x3, x4, x5, x6, x7) = (x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7])
    let next = weights.columns * Element.size
    var source = address(k, columns.lowerBound)
    for column in stride(from: columns.lowerBound, to: columns.upperBound, by: laneCount) {
      fetch(source + 8 * next, rows: 8, column)
      var sum = Float.load(sums + column)
      sum = sum.addingProduct(Element.load(source), x0)
      sum = sum.addingProduct(Element.load(source + next), x1)
      sum = sum.addingProduct(Element.load(source + 2 * next), x2)
      sum = sum.addingProduct(Element.load(source + 3 * next), x3)
      sum = sum.addingProduct(Element.load(source + 4 * next), x4)
      sum = sum.addingProduct(Element.load(source + 5 * next), x5)
      sum = sum.addingProduct(Element.load(source + 6 * next), x6)
      sum = sum.addingProduct(Element.load(source + 7 * next), x7)
      store(sum, sums + column)
      source += laneCount * Element.size
    }
  }

  /// Asks for the lines of some rows that begin at a column, once for each line.
  @inline(__always)
  private func fetch(_ address: UnsafeRawPointer, rows: Int, _ column: Int) {
    guard column * Element.size % 64 == 0 else { return }
    for row in 0..<rows { lmpipe_prefetch_far(address + row * weights.columns * Element.size) }
  }

  /// `k` is a row of the first of the blocks, `sums` are its sums.
  @inline(__always)
  private func addTwoRowsOfFourBlocks(
    _ k: Int, _ columns: Range<Int>, _ sums: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    let x = input.start + k
    let (x00, x01, x10, x11) = (x[0], x[1], x[blockLength], x[blockLength + 1])
    let (x20, x21, x30, x31) = (x[2 * blockLength], x[2 * blockLength + 1], x[3 * blockLength], x[3 * blockLength + 1])
    let next = weights.columns * Element.size
    let nextBlock = blockLength * next
    var source = address(k, columns.lowerBound)
    @inline(__always)
    func add(_ block: Int, _ first: Float, _ second: Float, _ column: Int) {
      let target = sums + block * stride + column
      let weights = source + block * nextBlock
      let sum = Float.load(target).addingProduct(Element.load(weights), first)
      store(sum.addingProduct(Element.load(weights + next), second), target)
    }
    for column in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: laneCount) {
      for block in 0..<blocksTogether { fetch(source + block * nextBlock + 2 * next, rows: 2, column) }
      add(0, x00, x01, column)
      add(1, x10, x11, column)
      add(2, x20, x21, column)
      add(3, x30, x31, column)
      source += laneCount * Element.size
    }
  }

  /// The inputs in the order in which `addFourRows` reads them.
  private func packFours(into fours: UnsafeMutablePointer<Float>) {
    for k in 0..<weights.rows / 4 * 4 {
      for row in 0..<input.rows { fours[(k / 4 * input.rows + row) * 4 + k % 4] = input.row(row)[k] }
    }
  }

  /// Four weight rows, each used for all input rows; sums (n, stride), inputs (n, 4).
  @inline(__always)
  private func addFourRows(
    _ k: Int, _ columns: Range<Int>, _ sums: UnsafeMutablePointer<Float>, _ stride: Int,
    _ inputs: UnsafeMutablePointer<Float>
  ) {
    let next = weights.columns * Element.size
    var source = address(k, columns.lowerBound)
    for column in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: laneCount) {
      fetch(source + 4 * next, rows: 4, column)
      let (w0, w1) = (Element.load(source), Element.load(source + next))
      let (w2, w3) = (Element.load(source + 2 * next), Element.load(source + 3 * next))
      var x = inputs
      var target = sums + column
      for _ in 0..<input.rows {
        var sum = Float.load(target)
        sum = sum.addingProduct(w0, x[0])
        sum = sum.addingProduct(w1, x[1])
        sum = sum.addingProduct(w2, x[2])
        sum = sum.addingProduct(w3, x[3])
        store(sum, target)
        x += 4
        target += stride
      }
      source += laneCount * Element.size
    }
  }

  @inline(__always)
  private func addRow(_ k: Int, _ columns: Range<Int>, _ sums: UnsafeMutablePointer<Float>, _ x: Float) {
    for column in stride(from: columns.lowerBound, to: columns.upperBound, by: laneCount) {
      store(Float.load(sums + column).addingProduct(Element.load(address(k, column)), x), sums + column)
    }
  }

  // MARK: Many rows

  private var paddedRows: Int { (input.rows + tileRows - 1) / tileRows * tileRows }

  /// The columns from `first` on.
  func ofManyRows(from first: Int = 0) {
    switch registers {
    case .narrow: ofManyRows(Lanes.self, from: first)
    case .wide: ofManyRows(FourLanes.self, from: first)
    }
  }

  private func ofManyRows<Row: PanelRow>(_: Row.Type, from first: Int) {
    withAlignedFloats(paddedRows * weights.rows) { packed in
      let tiles = paddedRows / tileRows
      pool.run(tiles, cost: input.rows * weights.rows) { packTile($0, into: packed) }
      pool.run(weights.columns - first, unit: groupColumns, cost: operations) { columns in
        multiplyGroup(Row.self, packed, first + columns.lowerBound..<first + columns.upperBound)
      }
    }
  }

  /// Packs six input rows, zeros for those that do not exist: packed (blocks, tiles, 128, 6).
  private func packTile(_ tile: Int, into packed: UnsafeMutablePointer<Float>) {
    for blockStart in stride(from: 0, to: weights.rows, by: blockLength) {
      let length = min(blockLength, weights.rows - blockStart)
      let target = packed + blockStart * paddedRows + tile * tileRows * length
      for index in 0..<tileRows {
        let row = tile * tileRows + index
        if row < input.rows {
          let source = input.row(row) + blockStart
          for k in 0..<length { target[k * tileRows + index] = source[k] }
        } else {
          for k in 0..<length { target[k * tileRows + index] = 0 }
        }
      }
    }
  }

  /// The outputs of all rows in a group of columns.
  private func multiplyGroup<Row: PanelRow>(
    _: Row.Type, _ packed: UnsafeMutablePointer<Float>, _ columns: Range<Int>
  ) {
    let width = Row.width
    let panels = (columns.count + width - 1) / width
    withAlignedFloats(panels * width * (blockLength + paddedRows)) { buffer in
      let widened = buffer  // (panels, 128, width)
      let sums = buffer + panels * width * blockLength  // (panels, paddedRows, width)
      for blockStart in stride(from: 0, to: weights.rows, by: blockLength) {
        let length = min(blockLength, weights.rows - blockStart)
        widen(blockStart..<blockStart + length, columns, panelWidth: width, into: widened)
        var nextBlock = UpcomingLines(
          address(blockStart + length, columns.lowerBound), bytes: columns.count * Element.size,
          stride: weights.columns * Element.size, rows: min(blockLength, weights.rows - blockStart - length))
        let linesPerTile = nextBlock.count / (panels * paddedRows / tileRows) + 1
        for panel in 0..<panels {
          for row in stride(from: 0, to: paddedRows, by: tileRows) {
            nextBlock.fetch(linesPerTile)
            let target = sums + (panel * paddedRows + row) * width
            tileProduct(
              Row.self, packed + blockStart * paddedRows + row * length, rowStride: 1, step: tileRows,
              widened + panel * width * blockLength, width, length
            ).store(target, stride: width, addingTo: blockStart > 0)
          }
        }
      }
      for row in 0..<input.rows {
        for column in stride(from: 0, to: columns.count, by: laneCount) {
          let (panel, lane) = (column / width, column % width)
          let sum = Float.load(sums + (panel * paddedRows + row) * width + lane)
          complete(sum, row: row, column: columns.lowerBound + column)
        }
      }
    }
  }

  /// Copies weights into panels (panels, 128, width) as float32. Of the last vector, columns that do not exist become
  /// zeros; what is behind it in a wide panel is never looked at, nor are the sums that come of it. Eight rows are
  /// read side by side, as above.
  @inline(__always)
  private func widen(
    _ rows: Range<Int>, _ columns: Range<Int>, panelWidth width: Int, into panels: UnsafeMutablePointer<Float>
  ) {
    let rowSize = weights.columns * Element.size
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: 8) {
      let together = min(8, rows.upperBound - row)
      for column in stride(from: 0, to: columns.count, by: laneCount) {
        let source = address(row, columns.lowerBound + column)
        let target =
          panels + column / width * width * blockLength + (row - rows.lowerBound) * width + column % width
        let count = min(laneCount, columns.count - column)
        if count == laneCount {
          for k in 0..<together { store(Element.load(source + k * rowSize), target + k * width) }
        } else {
          for k in 0..<together { store(Element.load(source + k * rowSize, first: count), target + k * width) }
        }
      }
    }
  }

  // MARK: Completion

  @inline(__always)
  private func complete(_ sum: Lanes, row: Int, column: Int) {
    completion.complete(
      sum, bias: bias.map { $0.values + column }, output.row(row) + column, count: output.columns - column)
  }
}

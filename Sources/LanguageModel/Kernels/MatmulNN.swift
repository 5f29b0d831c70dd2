import CPlatform
import Threads

// output = input · weights, for weights [in, out] (GEMM "NN"; GPT-2's Conv1D).
//
// Order of summation (lm-records(5), SAME BITS): k runs through the inputs in blocks of KC. Within a block, each
// output element is one chain of fused multiply-adds that starts at zero, in the order of k; then the sums of the
// blocks are added in order. Lanes are output columns and are never added to each other. All paths keep this order, so
// one position and many positions together give the same bits. (Blocks keep the rounding error of long sums small and
// can be computed by different threads; a block of a panel fits in the first-level cache.)
//
//   path         rows    condition                 kernel                  why
//   gemv         1       rows ≤ 4 KiB, 4 blocks    addTwoRowsOfFourBlocks  eight short rows in sequence are one stream
//   gemv         1       otherwise                 addEightRows            eight rows are eight streams
//   skinny gemm  2 … 16                            addFourRows             four weight vectors serve all input rows
//   gemm         > 16    or the last < 16 columns  microKernel             arithmetic takes longer than reading
//
// gemv and skinny gemm stream the weights once, directly from the pages of the file, at the speed of memory. One task
// is one block (for short rows: four), whose weights are contiguous. The hardware prefetcher reads ahead within a
// stream and follows a few streams, so several rows are read in parallel. Prefetching the next rows into the
// second-level cache saves a sixth of the time for one row with half-precision weights, and a quarter for several rows.
//
// gemm has the loops of Goto and van de Geijn ("Anatomy of High-Performance Matrix Multiplication", 2008) and BLIS (Van
// Zee and van de Geijn, 2015), without the loop over blocks of input rows (MC): the packed inputs of all rows are
// shared by all tasks.
//
//   pack all inputs: (in / KC, n / MR, KC, MR)
//   for columns in steps of NC                            tasks of the thread pool
//     for k in steps of KC
//       dequantize weights (KC, NC) into packed panels (NC / NR, KC, NR)
//       for panel in NC / NR
//         for rows in steps of MR                         prefetches a part of the next block of weights
//           micro-kernel: sums (MR, NR) += inputs (MR, KC) · panel (KC, NR)
//     epilogue of the sums (n, NC)

/// KC. A panel takes 128 × 16 × 4 bytes = 8 KiB of the first-level cache, or 32 KiB with NR = 64. KC is part of the
/// order of summation, so a different value changes results.
private let kc = 128
/// NC. The panels of one block are 128 × 128 × 4 bytes = 64 KiB and stay in the second-level cache; 128 columns are
/// enough for the processor to prefetch within each weight row.
private let nc = 128
/// With up to this number of rows, reading the weights takes longer than multiplying them.
private let skinnyRows = 16

/// Computes output (n, out) = epilogue(input (n, in) · weights (in, out) + bias).
///
/// - Parameter registers: the shape of the micro-kernel; it does not change the result.
func matmulNN(
  _ input: Matrix, _ projection: Linear, into output: Matrix, _ epilogue: Epilogue, _ pool: ThreadPool,
  registers: VectorRegisters = .here
) {
  let (weights, bias) = (projection.weight, projection.bias)
  precondition(input.columns == weights.rows && output.columns == weights.columns && input.rows == output.rows)
  precondition(bias?.count ?? weights.columns == weights.columns)
  func run<Element: WeightElement>(_: Element.Type) {
    let product = MatmulNN<Element>(
      input: input, weights: weights, bias: bias, output: output, epilogue: epilogue, pool: pool,
      registers: registers)
    if input.rows <= skinnyRows { product.gemvOrSkinnyGEMM() } else { product.gemm() }
  }
  withElementType(weights.type) { run($0) }
}

private struct MatmulNN<Element: WeightElement> {
  let input: Matrix
  let weights: WeightMatrix
  let bias: WeightVector?
  let output: Matrix
  let epilogue: Epilogue
  let pool: ThreadPool
  let registers: VectorRegisters

  /// The cost in multiply-adds.
  private var cost: Int { input.rows * weights.rows * weights.columns }
  private var blocks: Int { (weights.rows + kc - 1) / kc }

  @inline(__always)
  private func address(_ row: Int, _ column: Int) -> UnsafeRawPointer {
    weights.start + (row * weights.columns + column) * Element.size
  }

  // MARK: gemv and skinny gemm

  /// True if weight rows are so short that eight of them in sequence are hardly more than one stream.
  private var hasShortRows: Bool { weights.columns * Element.size <= 4096 }
  private let blocksTogether = 4

  /// Computes the sums of all blocks, (blocks, n, out), and then adds the blocks. A task is a block, or four blocks if
  /// weight rows are short, or a part of the columns of these.
  func gemvOrSkinnyGEMM() {
    let whole = weights.columns / laneCount * laneCount
    let (n, blocks) = (input.rows, blocks)
    let stride = whole + laneCount  // padding, because rows 4,096 bytes apart map to the same cache set
    withAlignedFloats(blocks * n * stride + weights.rows / 4 * n * 4) { sums in  // (blocks, n, stride)
      let fours = sums + blocks * n * stride  // (in / 4, n, 4)
      if n > 1 { packFours(into: fours) }
      let blocksPerTask = n == 1 && hasShortRows ? blocksTogether : 1
      // If there are more threads than blocks, each block is also divided by columns.
      let columnTasks = max(1, 2 * pool.threads * blocksPerTask / blocks)
      let taskColumns = (whole / laneCount + columnTasks - 1) / columnTasks * laneCount
      pool.run((blocks + blocksPerTask - 1) / blocksPerTask * columnTasks, cost: cost) { task in
        let (block, column) = (task / columnTasks * blocksPerTask, task % columnTasks * taskColumns)
        let columns = min(column, whole)..<min(column + taskColumns, whole)
        sumBlocks(block..<min(block + blocksPerTask, blocks), columns, sums, stride: stride, fours)
      }
      for row in 0..<n {
        for column in Swift.stride(from: 0, to: whole, by: laneCount) {
          var total = Lanes()
          for block in 0..<blocks { total += Float.load(sums + (block * n + row) * stride + column) }
          applyEpilogue(total, row: row, column: column)
        }
      }
    }
    if whole < weights.columns { gemm(from: whole) }  // the last columns, fewer than a vector
  }

  /// Computes the chains of some blocks for a range of columns: sums (blocks, n, stride). The table above shows how the
  /// kernel is chosen; `addRow` takes the weight rows that remain at the end of a block.
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
    if blocks.count == blocksTogether, blocks.upperBound * kc <= weights.rows {
      for k in Swift.stride(from: blocks.lowerBound * kc, to: (blocks.lowerBound + 1) * kc, by: 2) {
        addTwoRowsOfFourBlocks(k, columns, sums + blocks.lowerBound * stride, stride)
      }
      return
    }
    for block in blocks {
      let sums = sums + block * n * stride
      var k = block * kc
      let end = min(k + kc, weights.rows)
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

  /// Adds eight weight rows for one input row: sums (columns).
  @inline(__always)
  private func addEightRows(_ k: Int, _ columns: Range<Int>, _ sums: UnsafeMutablePointer<Float>) {
    let x = input.start + k
    let (x0, x1, x2, x3, x4, x5, x6, x7) = (x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7])
    let next = weights.columns * Element.size
    var source = address(k, columns.lowerBound)
    for column in stride(from: columns.lowerBound, to: columns.upperBound, by: laneCount) {
      prefetch(source + 8 * next, rows: 8, column)
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

  /// Prefetches one cache line of each of some rows, if `column` is the first of its line.
  @inline(__always)
  private func prefetch(_ address: UnsafeRawPointer, rows: Int, _ column: Int) {
    guard column * Element.size % 64 == 0 else { return }
    for row in 0..<rows { lmpipe_prefetch_far(address + row * weights.columns * Element.size) }
  }

  /// Adds two weight rows of each of four blocks, for one input row.
  ///
  /// - Parameters:
  ///   - k: the first weight row in the first block.
  ///   - sums: the sums of the first block.
  @inline(__always)
  private func addTwoRowsOfFourBlocks(
    _ k: Int, _ columns: Range<Int>, _ sums: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    let x = input.start + k
    let (x00, x01, x10, x11) = (x[0], x[1], x[kc], x[kc + 1])
    let (x20, x21, x30, x31) = (x[2 * kc], x[2 * kc + 1], x[3 * kc], x[3 * kc + 1])
    let next = weights.columns * Element.size
    let nextBlock = kc * next
    var source = address(k, columns.lowerBound)
    @inline(__always)
    func add(_ block: Int, _ first: Float, _ second: Float, _ column: Int) {
      let target = sums + block * stride + column
      let weights = source + block * nextBlock
      let sum = Float.load(target).addingProduct(Element.load(weights), first)
      store(sum.addingProduct(Element.load(weights + next), second), target)
    }
    for column in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: laneCount) {
      for block in 0..<blocksTogether { prefetch(source + block * nextBlock + 2 * next, rows: 2, column) }
      add(0, x00, x01, column)
      add(1, x10, x11, column)
      add(2, x20, x21, column)
      add(3, x30, x31, column)
      source += laneCount * Element.size
    }
  }

  /// Packs the inputs in the order in which `addFourRows` reads them: (in / 4, n, 4).
  private func packFours(into fours: UnsafeMutablePointer<Float>) {
    for k in 0..<weights.rows / 4 * 4 {
      for row in 0..<input.rows { fours[(k / 4 * input.rows + row) * 4 + k % 4] = input.row(row)[k] }
    }
  }

  /// Adds four weight rows for all input rows: sums (n, stride), inputs (n, 4).
  @inline(__always)
  private func addFourRows(
    _ k: Int, _ columns: Range<Int>, _ sums: UnsafeMutablePointer<Float>, _ stride: Int,
    _ inputs: UnsafeMutablePointer<Float>
  ) {
    let next = weights.columns * Element.size
    var source = address(k, columns.lowerBound)
    for column in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: laneCount) {
      prefetch(source + 4 * next, rows: 4, column)
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

  /// Adds one weight row for one input: sums (columns).
  @inline(__always)
  private func addRow(_ k: Int, _ columns: Range<Int>, _ sums: UnsafeMutablePointer<Float>, _ x: Float) {
    for column in stride(from: columns.lowerBound, to: columns.upperBound, by: laneCount) {
      store(Float.load(sums + column).addingProduct(Element.load(address(k, column)), x), sums + column)
    }
  }

  // MARK: gemm

  private var paddedRows: Int { (input.rows + microKernelRows - 1) / microKernelRows * microKernelRows }

  /// Computes the columns from `first` on.
  func gemm(from first: Int = 0) {
    switch registers {
    case .narrow: gemm(Lanes.self, from: first)
    case .wide: gemm(WidePanelRow.self, from: first)
    }
  }

  private func gemm<Row: PanelRow>(_: Row.Type, from first: Int) {
    withAlignedFloats(paddedRows * weights.rows) { packed in
      let tiles = paddedRows / microKernelRows
      pool.run(tiles, cost: input.rows * weights.rows) { packInputs($0, into: packed) }
      pool.run(weights.columns - first, unit: nc, cost: cost) { columns in
        multiplyColumns(Row.self, packed, first + columns.lowerBound..<first + columns.upperBound)
      }
    }
  }

  /// Packs MR input rows, with zeros for missing rows: packed (in / KC, n / MR, KC, MR).
  private func packInputs(_ tile: Int, into packed: UnsafeMutablePointer<Float>) {
    for blockStart in stride(from: 0, to: weights.rows, by: kc) {
      let length = min(kc, weights.rows - blockStart)
      let target = packed + blockStart * paddedRows + tile * microKernelRows * length
      for index in 0..<microKernelRows {
        let row = tile * microKernelRows + index
        if row < input.rows {
          let source = input.row(row) + blockStart
          for k in 0..<length { target[k * microKernelRows + index] = source[k] }
        } else {
          for k in 0..<length { target[k * microKernelRows + index] = 0 }
        }
      }
    }
  }

  /// Computes the outputs of all rows in up to NC columns.
  private func multiplyColumns<Row: PanelRow>(
    _: Row.Type, _ packed: UnsafeMutablePointer<Float>, _ columns: Range<Int>
  ) {
    let nr = Row.nr
    let panels = (columns.count + nr - 1) / nr
    withAlignedFloats(panels * nr * (kc + paddedRows)) { buffer in
      let packedPanels = buffer  // (panels, KC, NR)
      let sums = buffer + panels * nr * kc  // (panels, paddedRows, NR)
      for blockStart in stride(from: 0, to: weights.rows, by: kc) {
        let length = min(kc, weights.rows - blockStart)
        packPanels(blockStart..<blockStart + length, columns, nr: nr, into: packedPanels)
        var nextBlock = Prefetcher(
          address(blockStart + length, columns.lowerBound), bytes: columns.count * Element.size,
          stride: weights.columns * Element.size, rows: min(kc, weights.rows - blockStart - length))
        let linesPerCall = nextBlock.count / (panels * paddedRows / microKernelRows) + 1
        for panel in 0..<panels {
          for row in stride(from: 0, to: paddedRows, by: microKernelRows) {
            nextBlock.prefetch(linesPerCall)
            let target = sums + (panel * paddedRows + row) * nr
            microKernel(
              Row.self, packed + blockStart * paddedRows + row * length, rowStride: 1, step: microKernelRows,
              packedPanels + panel * nr * kc, nr, length
            ).store(target, stride: nr, addingTo: blockStart > 0)
          }
        }
      }
      for row in 0..<input.rows {
        for column in stride(from: 0, to: columns.count, by: laneCount) {
          let (panel, lane) = (column / nr, column % nr)
          let sum = Float.load(sums + (panel * paddedRows + row) * nr + lane)
          applyEpilogue(sum, row: row, column: columns.lowerBound + column)
        }
      }
    }
  }

  /// Dequantizes weights into packed panels (NC / NR, KC, NR). In the last vector, columns that do not exist become
  /// zeros. The vectors after it in a wide panel stay uninitialized, and their sums are not used. Eight rows are read
  /// in parallel, as in gemv.
  @inline(__always)
  private func packPanels(
    _ rows: Range<Int>, _ columns: Range<Int>, nr: Int, into panels: UnsafeMutablePointer<Float>
  ) {
    let rowSize = weights.columns * Element.size
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: 8) {
      let together = min(8, rows.upperBound - row)
      for column in stride(from: 0, to: columns.count, by: laneCount) {
        let source = address(row, columns.lowerBound + column)
        let target =
          panels + column / nr * nr * kc + (row - rows.lowerBound) * nr + column % nr
        let count = min(laneCount, columns.count - column)
        if count == laneCount {
          for k in 0..<together { store(Element.load(source + k * rowSize), target + k * nr) }
        } else {
          for k in 0..<together { store(Element.load(source + k * rowSize, first: count), target + k * nr) }
        }
      }
    }
  }

  // MARK: Epilogue

  @inline(__always)
  private func applyEpilogue(_ sum: Lanes, row: Int, column: Int) {
    epilogue.apply(
      sum, bias: bias.map { $0.values + column }, output.row(row) + column, count: output.columns - column)
  }
}

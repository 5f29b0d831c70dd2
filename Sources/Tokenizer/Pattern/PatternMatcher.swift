/// Finds the matches of a pattern in a text from left to right, like `find_iter` of the reference implementations: an
/// empty match directly after another match is left out.
///
///     matcher.reset(text)
///     while let range = try matcher.next() { … }
///
/// The matcher backtracks. What fails is noted for long runs and for loops in look-arounds, so that the published
/// patterns take linear time; a pattern that takes more than a multiple of the text's length is an error. The memory is
/// reused for the next text. A matcher is used by one thread at a time.
package final class PatternMatcher {
  private typealias Program = PatternProgram

  private enum FrameKind: UInt8 {
    /// Continue at `pc` with the alternatives in `value`.
    case alternatives
    /// Give back the last scalar of a run, down to `value`.
    case run
    /// Extend a lazy run by one scalar, at most `value` more times.
    case lazyRun
    /// An atomic group or a look-around; `value` is the index of the enclosing one.
    case atomic, look, negativeLook
    /// Note in `lookResults[value]` that the loop fails.
    case lookLoop
  }

  private struct Frame {
    var kind: FrameKind
    var pc: Int32
    var position: Int
    var value: UInt64
  }

  /// What is known of the last long run of an instruction. Without it, `\s+$` takes quadratic time on spaces.
  private struct Run {
    /// A run of scalars of the set extends from every place of the range up to its end.
    var start = 0
    var end = 0
    /// A run that begins at a place of the range fails with all continuations. What follows a run depends only on the
    /// place, and a run that begins later has fewer places for it.
    var failedStart = 0
    var failedEnd = 0
  }

  /// Whether a look-around succeeds from a loop at some place. Without it, `(?=(?:\d{3})*\b)` takes quadratic time on
  /// digits.
  private enum LookResult {
    static let unknown: UInt8 = 0
    static let fails: UInt8 = 1
    static let succeeds: UInt8 = 2
  }

  /// Shorter runs, in bytes, are not noted.
  private static let longRun = 32

  private let program: PatternProgram
  private var text = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  private var position = 0
  private var lastEnd = -1
  private var stack: UnsafeMutablePointer<Frame>
  private var capacity = 64
  /// For each instruction.
  private let runs: UnsafeMutablePointer<Run>
  /// The instructions whose `Run` is not empty.
  private let notedRuns: UnsafeMutablePointer<Int32>
  private var notedRunCount = 0
  /// For each loop in a look-around and each place; undefined before the first use in a text.
  private var lookResults: UnsafeMutablePointer<UInt8>?
  private var lookResultCapacity = 0
  private var hasLookResults = false
  private var searchStart = 0
  private var work = 0
  private var maxWork = 0

  package init(_ pattern: Pattern) {
    program = pattern.program
    stack = .allocate(capacity: capacity)
    runs = .allocate(capacity: program.instructionCount)
    runs.initialize(repeating: Run(), count: program.instructionCount)
    notedRuns = .allocate(capacity: program.instructionCount)
  }

  deinit {
    stack.deallocate()
    runs.deallocate()
    notedRuns.deallocate()
    lookResults?.deallocate()
  }

  /// Starts a search in constant time, without an allocation. The text must stay valid and unchanged until the last
  /// call of `next()`. The end of the buffer is the end of the text; lookbehind reads what is before `start`.
  package func reset(_ text: UnsafeBufferPointer<UInt8>, from start: Int = 0) {
    self.text = text
    position = start
    lastEnd = -1
    work = 0
    hasLookResults = false
    for index in 0..<notedRunCount { runs[Int(notedRuns[index])] = Run() }
    notedRunCount = 0
    // Published patterns take fewer than 16 steps per byte
    maxWork = (text.count - min(start, text.count)) * 64 + 65_536
  }

  /// Returns the next match.
  ///
  /// - Throws: `PatternError` with the cause `tooSlow`.
  package func next() throws(PatternError) -> Range<Int>? {
    searchStart = position
    while position <= text.count {
      let starts = program.starts
      var start = position
      while start < text.count {
        let byte = text[start]
        if byte < 0x80 {
          if starts[Int(byte)] != 0 { break }
          start &+= 1
        } else {
          let (symbol, length) = symbol(at: start)
          if starts[symbol] != 0 { break }
          start &+= length
        }
      }
      if start == text.count, starts[Program.endSymbol] == 0 { break }
      guard let end = try match(at: start) else {
        position = start < text.count ? start + symbol(at: start).length : start + 1
        continue
      }
      if end == start, end == lastEnd {
        position = start < text.count ? start + symbol(at: start).length : start + 1
        searchStart = position
        continue
      }
      position = end
      lastEnd = end
      return start..<end
    }
    position = text.count + 1
    return nil
  }

  @inline(__always)
  private func symbol(at index: Int) -> (symbol: Int, length: Int) {
    let byte = text[index]
    if byte < 0x80 { return (Int(byte), 1) }
    let (value, length) = decodeScalar(in: text, at: index, limit: text.count)
    return (program.symbol(value), length)
  }

  /// Returns the start of the scalar, or stray byte, before `index`, which is above 0.
  @inline(__always)
  private func before(_ index: Int) -> Int {
    if text[index - 1] < 0x80 { return index - 1 }
    var start = index - 1
    while start > 0, index - start < 4, text[start] & 0xC0 == 0x80 { start -= 1 }
    return start + decodeScalar(in: text, at: start, limit: text.count).length == index ? start : index - 1
  }

  /// Returns the end of the longest run of a set that begins at `start`.
  @inline(__always)
  private func longestRunEnd(_ pc: Int, _ members: UnsafeMutablePointer<UInt8>, from start: Int) -> Int {
    if start < runs[pc].end, start >= runs[pc].start { return runs[pc].end }
    let end = runEnd(members, from: start, most: .max).end
    work &+= end &- start
    if end &- start >= Self.longRun { noteRun(pc, from: start, to: end) }
    return end
  }

  private func noteRun(_ pc: Int, from start: Int, to end: Int) {
    if runs[pc].end == 0 {
      notedRuns[notedRunCount] = Int32(pc)
      notedRunCount += 1
    }
    runs[pc].start = start
    runs[pc].end = end
  }

  /// The `lookResults` of a loop.
  private func lookResults(_ loop: Int) -> UnsafeMutablePointer<UInt8> {
    let count = program.lookLoopCount * (text.count + 1)
    if let lookResults, hasLookResults { return lookResults + loop * (text.count + 1) }
    if lookResultCapacity < count {
      lookResults?.deallocate()
      lookResults = .allocate(capacity: count)
      lookResultCapacity = count
    }
    guard let lookResults else { fatalError("no memory for look-arounds") }
    lookResults.initialize(repeating: LookResult.unknown, count: count)
    hasLookResults = true
    return lookResults + loop * (text.count + 1)
  }

  private func grow() {
    let larger = UnsafeMutablePointer<Frame>.allocate(capacity: 2 * capacity)
    larger.moveInitialize(from: stack, count: capacity)
    stack.deallocate()
    stack = larger
    capacity *= 2
  }

  @inline(__always)
  private func push(_ depth: inout Int, _ frame: Frame) {
    if depth == capacity { grow() }
    (stack + depth).initialize(to: frame)
    depth += 1
  }

  @inline(__always)
  private func isWord(_ symbol: Int) -> Bool {
    program.members[program.wordSet * Program.symbolCount + symbol] != 0
  }

  /// Whether a failure of the run that has `index` is noted.
  @inline(__always)
  private func isNoted(_ pc: Int, _ index: Int) -> Bool {
    index < runs[pc].end && index >= runs[pc].start && !program.dependsOnSearchStart
  }

  /// All loops on the stack are on the path by which a look-around succeeds.
  private func noteSuccess(from start: Int, to end: Int) {
    for index in start..<max(start, end) where stack[index].kind == .lookLoop {
      lookResults?[Int(stack[index].value)] = LookResult.succeeds
    }
  }

  /// Whether the scalar at `index` is equal to the one before it. All invalid bytes are equal.
  private func isRepeat(_ index: Int) -> Bool {
    let previous = decodeScalar(in: text, at: before(index), limit: text.count).value ?? 0xFFFD
    return (decodeScalar(in: text, at: index, limit: text.count).value ?? 0xFFFD) == previous
  }

  private func isWordBoundary(_ index: Int) -> Bool {
    let wasWord = index > 0 && isWord(symbol(at: before(index)).symbol)
    return wasWord != (index < text.count && isWord(symbol(at: index).symbol))
  }

  /// Returns the end of the run of at most `most` scalars of a set, and the number of scalars that are missing to
  /// `most`.
  @inline(__always)
  private func runEnd(_ members: UnsafeMutablePointer<UInt8>, from start: Int, most: Int) -> (end: Int, left: Int) {
    var index = start
    var left = most
    while left > 0, index < text.count {
      let byte = text[index]
      if byte < 0x80 {
        guard members[Int(byte)] != 0 else { break }
        index &+= 1
      } else {
        let (symbol, length) = symbol(at: index)
        guard members[symbol] != 0 else { break }
        index &+= length
      }
      left &-= 1
    }
    return (index, left)
  }

  /// Returns the end of the match that begins at `start`.
  private func match(at start: Int) throws(PatternError) -> Int? {
    let (instructions, count) = (program.instructions, text.count)
    var depth = 0
    var barrier = -1
    var pc = 0
    var index = start
    while true {
      let instruction = instructions[pc]
      let members = program.members + Int(instruction.a) &* Program.symbolCount
      var isMatching = true
      switch instruction.operation {
      case .set:
        if index < count {
          let (symbol, length) = symbol(at: index)
          isMatching = members[symbol] != 0
          index &+= length
        } else {
          isMatching = false
        }
        pc &+= 1
      case .repeatOfPrevious:
        isMatching = index < count && index > 0 && isRepeat(index)
        if isMatching { index &+= symbol(at: index).length }
        pc &+= 1
      case .possessiveRun:
        let end: Int
        if instruction.c == .max, instruction.b <= 1 {
          end = longestRunEnd(pc, members, from: index)
          isMatching = end > index || instruction.b == 0
        } else {
          let run = runEnd(members, from: index, most: Int(instruction.c))
          end = run.end
          isMatching = Int(instruction.c) &- run.left >= Int(instruction.b)
          work &+= end &- index
        }
        index = end
        pc &+= 1
      case .greedyRun:
        let (least, most) = (Int(instruction.b), Int(instruction.c))
        if index < runs[pc].failedEnd, index >= runs[pc].failedStart {
          isMatching = false
          break
        }
        let (fixedEnd, missing) = least == 0 ? (index, 0) : runEnd(members, from: index, most: least)
        isMatching = missing == 0
        work &+= fixedEnd &- index
        var end = fixedEnd
        if isMatching {
          end =
            instruction.c == .max
            ? longestRunEnd(pc, members, from: fixedEnd) : runEnd(members, from: fixedEnd, most: most &- least).end
          if instruction.c != .max { work &+= end &- fixedEnd }
        }
        pc &+= 1
        if end > fixedEnd {
          push(&depth, Frame(kind: .run, pc: Int32(pc), position: end, value: UInt64(fixedEnd)))
        }
        index = end
      case .lazyRun:
        let (least, most) = (Int(instruction.b), Int(instruction.c))
        let (end, missing) = runEnd(members, from: index, most: least)
        isMatching = missing == 0
        work &+= end &- index
        index = end
        if isMatching, most > least {
          push(&depth, Frame(kind: .lazyRun, pc: Int32(pc), position: end, value: UInt64(most &- least)))
        }
        pc &+= 1
      case .alternatives:
        work &+= 1
        let symbol = index < count ? symbol(at: index).symbol : Program.endSymbol
        let permitted = program.permitted[Int(instruction.c) &* Program.symbolCount + symbol]
        if permitted == 0 {
          isMatching = false
        } else {
          let others = permitted & (permitted &- 1)
          if others != 0 { push(&depth, Frame(kind: .alternatives, pc: Int32(pc), position: index, value: others)) }
          pc = Int(program.targets[Int(instruction.a) &+ permitted.trailingZeroBitCount])
        }
      case .lookLoop:
        work &+= 1
        let results = lookResults(Int(instruction.b))
        if results[index] == LookResult.succeeds, !program.dependsOnSearchStart {
          pc = Int(program.lookEnds[Int(instruction.b)])
          continue
        }
        let symbol = index < count ? symbol(at: index).symbol : Program.endSymbol
        let permitted = program.permitted[Int(instruction.c) &* Program.symbolCount + symbol]
        isMatching = permitted != 0 && (results[index] == LookResult.unknown || program.dependsOnSearchStart)
        if isMatching {
          let place = UInt64(Int(instruction.b) &* (count &+ 1) &+ index)
          push(&depth, Frame(kind: .lookLoop, pc: Int32(pc), position: index, value: place))
          let others = permitted & (permitted &- 1)
          if others != 0 { push(&depth, Frame(kind: .alternatives, pc: Int32(pc), position: index, value: others)) }
          pc = Int(program.targets[Int(instruction.a) &+ permitted.trailingZeroBitCount])
        }
      case .jump: pc = Int(instruction.a)
      case .beginAtomic, .beginLook, .beginNegativeLook:
        work &+= 1
        let kind: FrameKind =
          instruction.operation == .beginAtomic ? .atomic : instruction.operation == .beginLook ? .look : .negativeLook
        push(&depth, Frame(kind: kind, pc: instruction.a, position: index, value: UInt64(bitPattern: Int64(barrier))))
        barrier = depth &- 1
        pc &+= 1
      case .endAtomic, .endLook, .endNegativeLook:
        // What is left to try in the group is dropped
        let frame = stack[barrier]
        if frame.kind != .atomic, program.lookLoopCount > 0 { noteSuccess(from: barrier &+ 1, to: depth) }
        depth = barrier
        barrier = Int(Int64(bitPattern: frame.value))
        if frame.kind != .atomic { index = frame.position }
        isMatching = frame.kind != .negativeLook
        pc &+= 1
      case .back:
        for _ in 0..<instruction.a {
          guard index > 0 else {
            isMatching = false
            break
          }
          index = before(index)
        }
        pc &+= 1
      case .peek:
        isMatching = index < count && members[symbol(at: index).symbol] != 0
        pc &+= 1
      case .peekNot:
        isMatching = index == count || members[symbol(at: index).symbol] == 0
        pc &+= 1
      case .searchStart:
        isMatching = index == searchStart
        pc &+= 1
      case .textStart:
        isMatching = index == 0
        pc &+= 1
      case .textEnd:
        isMatching = index == count
        pc &+= 1
      case .textEndOrLastLineEnd:
        isMatching = index == count || index == count &- 1 && text[index] == 0x0A
        pc &+= 1
      case .lineStart:
        // Not after a line end that ends the text
        isMatching = index == 0 || text[index &- 1] == 0x0A && index < count
        pc &+= 1
      case .lineEnd:
        isMatching = index == count || text[index] == 0x0A
        pc &+= 1
      case .wordBoundary:
        isMatching = isWordBoundary(index)
        pc &+= 1
      case .notWordBoundary:
        isMatching = !isWordBoundary(index)
        pc &+= 1
      case .accept: return index
      }
      if isMatching { continue }
      // Backtrack
      work &+= 1
      guard work <= maxWork else {
        throw PatternError(cause: .tooSlow, offset: start, reason: "the pattern takes too many steps")
      }
      backtracking: while true {
        guard depth > 0 else { return nil }
        let top = depth &- 1
        let frame = stack[top]
        pc = Int(frame.pc)
        switch frame.kind {
        case .alternatives:
          let instruction = instructions[pc]
          let others = frame.value & (frame.value &- 1)
          if others == 0 { depth = top } else { stack[top].value = others }
          index = frame.position
          pc = Int(program.targets[Int(instruction.a) &+ frame.value.trailingZeroBitCount])
          break backtracking
        case .run:
          if frame.position == Int(frame.value) {
            depth = top
            runs[pc &- 1].failedStart = frame.position
            runs[pc &- 1].failedEnd = runs[pc &- 1].end
            continue
          }
          index = before(frame.position)
          if index > Int(frame.value) || isNoted(pc &- 1, index) { stack[top].position = index } else { depth = top }
          break backtracking
        case .lookLoop:
          depth = top
          lookResults?[Int(frame.value)] = LookResult.fails
        case .lazyRun:
          index = frame.position
          let set = program.members + Int(instructions[pc].a) &* Program.symbolCount
          guard index < count, case (let symbol, let length) = symbol(at: index), set[symbol] != 0 else {
            depth = top
            continue
          }
          index &+= length
          if frame.value == 1 {
            depth = top
          } else {
            stack[top].position = index
            stack[top].value = frame.value &- 1
          }
          pc &+= 1
          break backtracking
        case .atomic, .look:
          depth = top
          barrier = Int(Int64(bitPattern: frame.value))
        case .negativeLook:
          depth = top
          barrier = Int(Int64(bitPattern: frame.value))
          index = frame.position
          break backtracking
        }
      }
    }
  }
}

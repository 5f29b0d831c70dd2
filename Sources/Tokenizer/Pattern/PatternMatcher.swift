/// Finds the matches of a pattern in a text from left to right, like `find_iter` of the reference implementations: an
/// empty match directly after another match is left out.
///
///     matcher.reset(text)
///     while let range = try matcher.next() { … }
///
/// The matcher backtracks. The work on a text is bounded by a multiple of its length; a pattern that takes more is an
/// error. The memory is reused for the next text. A matcher is used by one thread at a time.
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
  }

  private struct Frame {
    var kind: FrameKind
    var pc: Int32
    var position: Int
    var value: UInt64
  }

  private let program: PatternProgram
  private var text = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  private var position = 0
  private var lastEnd = -1
  private var stack: UnsafeMutablePointer<Frame>
  private var capacity = 64
  private var work = 0
  private var maxWork = 0

  package init(_ pattern: Pattern) {
    program = pattern.program
    stack = .allocate(capacity: capacity)
  }

  deinit { stack.deallocate() }

  /// Starts a search. The text must stay valid and unchanged until the last call of `next()`.
  package func reset(_ text: UnsafeBufferPointer<UInt8>, from start: Int = 0) {
    self.text = text
    position = start
    lastEnd = -1
    work = 0
    // Published patterns take fewer than 16 steps per byte
    maxWork = (text.count - min(start, text.count)) * 64 + 65_536
  }

  /// Returns the next match.
  ///
  /// - Throws: `PatternError` with the cause `tooSlow`.
  package func next() throws(PatternError) -> Range<Int>? {
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
      case .possessiveRun:
        let (end, left) = runEnd(members, from: index, most: Int(instruction.c))
        isMatching = Int(instruction.c) &- left >= Int(instruction.b)
        work &+= end &- index
        index = end
        pc &+= 1
      case .greedyRun:
        let (least, most) = (Int(instruction.b), Int(instruction.c))
        let (fixedEnd, missing) = least == 0 ? (index, 0) : runEnd(members, from: index, most: least)
        let (end, _) = runEnd(members, from: fixedEnd, most: missing > 0 ? 0 : most &- least)
        isMatching = missing == 0
        work &+= end &- index
        pc &+= 1
        if isMatching, end > fixedEnd {
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
          index = before(frame.position)
          if index <= Int(frame.value) { depth = top } else { stack[top].position = index }
          break backtracking
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

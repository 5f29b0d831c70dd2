import Checkpoint
import Platform
import Threads

/// The keys and values of a sequence in a file, so that another process can go on with them (lm-records(5) has the
/// format).
///
/// The file is mapped, and the forward pass computes in it. Nothing in it is trusted: a position counts as there if its
/// digest, which names the model, all ids up to it, and its keys and values, is that of what the file holds. So there is
/// no order in which things must reach the file, and a process may be killed at any instant. Whoever holds the lock is
/// alone with the file.
final class CacheFile: CachePages {
  let shape: CacheShape
  private let path: Path
  private let descriptor: Int32
  private let isReadOnly: Bool
  private let report: (String) -> Void
  private let pool: ThreadPool
  private let digest: CacheDigest  // of the model
  private let header: Header
  private let table: UnsafeMutablePointer<Entry>
  /// Pages that lie in the file at the moment.
  private var pagesInFile: Int
  private var pages: [UnsafeMutablePointer<Float>] = []
  /// Where the file ends and has no room: pages that are lost with the process.
  private var overflow: AnonymousPages?
  /// Leading positions whose keys and values this process has checked, or computed.
  private var sound: [SoundPosition] = []

  private struct SoundPosition {
    let id: Int
    /// What the table has to hold; nil for a position that a read-only file lacks.
    let entry: Entry?
  }

  /// What the table has for each position.
  private struct Entry: Equatable {
    var digest: UInt64  // 0: nothing
    var id: UInt64
  }

  /// The first bytes of a cache file.
  private struct Header: Equatable {
    var magic: UInt64 = 0x0A31_7665_6B70_6D6C  // "lmpkev1\n", in little-endian order as everything here
    var model: UInt64
    var positions: UInt64
    var pageBytes: UInt64

    /// Where the pages begin, in bytes.
    var pagesOffset: Int { aligned(tableOffset + Int(positions) * MemoryLayout<Entry>.stride) }
  }

  private static let tableOffset = 4096

  /// A multiple of the memory pages of all systems.
  private static func aligned(_ size: Int) -> Int { (size + 0xFFFF) & ~0xFFFF }

  /// Opens or makes the file. What it holds of another model is given up.
  ///
  /// - Parameters:
  ///   - model: identifies the weights.
  ///   - pool: checks what is there.
  ///   - report: is told, in a sentence, what a person may want to know: that what was kept is of no use, or that what is
  ///     new cannot be kept.
  /// - Throws: where the file cannot be used and the sequence should be computed without it, the reason.
  init(
    path: Path, _ configuration: ModelConfiguration, model: UInt64, _ pool: ThreadPool,
    report: @escaping (String) -> Void
  ) throws(CacheFileProblem) {
    self.path = path
    self.report = report
    self.pool = pool
    shape = CacheShape(configuration, layers: configuration.layers)
    digest = CacheDigest(model: model)
    header = Header(
      model: model, positions: UInt64(configuration.contextLength),
      pageBytes: UInt64(Self.aligned(shape.pageSize * MemoryLayout<Float>.size)))
    let isLink: Bool
    (descriptor, isReadOnly, isLink) = try Self.open(path)
    do {
      (table, pagesInFile) = try Self.map(descriptor, header, isReadOnly: isReadOnly, isLink: isLink, report)
      watchMapping(mapOfTable, header.pagesOffset, ofFile: path)
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit {
    for page in pages {
      forgetMapping(page)
      munmap(page, pageBytes)
    }
    forgetMapping(mapOfTable)
    munmap(mapOfTable, header.pagesOffset)
    close(descriptor)  // and with it the lock
  }

  /// Where the mapping begins that the table is in.
  private var mapOfTable: UnsafeMutableRawPointer { UnsafeMutableRawPointer(table) - Self.tableOffset }

  /// Opens and locks the file: to write, or if that is not allowed to read.
  ///
  /// Whoever may write into a folder can put a symbolic link there. Through a link nothing is made: the file at its end
  /// must exist, and `map` requires that it is a cache already.
  private static func open(_ path: Path) throws(CacheFileProblem) -> (Int32, isReadOnly: Bool, isLink: Bool) {
    let always = O_CLOEXEC | O_NONBLOCK
    var (isLink, isReadOnly) = (false, false)
    var descriptor = Platform.open(path.cString, O_RDWR | O_CREAT | O_NOFOLLOW | always, 0o600)
    var refusal = errno
    if descriptor < 0, refusal == ELOOP {
      isLink = true
      descriptor = Platform.open(path.cString, O_RDWR | always)
      refusal = errno
    }
    if descriptor < 0, refusal == EACCES || refusal == EROFS || refusal == EPERM {
      isReadOnly = true
      descriptor = Platform.open(path.cString, O_RDONLY | (isLink ? 0 : O_NOFOLLOW) | always)
    }
    guard descriptor >= 0 else {
      guard !isLink || refusal != ENOENT else {
        throw CacheFileProblem("it is a symbolic link to a file that is missing")
      }
      throw CacheFileProblem(system: refusal)
    }
    guard flock(descriptor, (isReadOnly ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      throw code == EWOULDBLOCK ? CacheFileProblem("another process is using it") : CacheFileProblem(system: code)
    }
    return (descriptor, isReadOnly, isLink)
  }

  private static func information(of descriptor: Int32) throws(CacheFileProblem) -> stat {
    var information = stat()
    guard fstat(descriptor, &information) == 0 else { throw CacheFileProblem(system: errno) }
    return information
  }

  /// Requires a file that this user may use as a cache, and makes it private if it is empty: then it becomes one.
  ///
  /// - Returns: its size.
  private static func checkFile(_ descriptor: Int32, isLink: Bool) throws(CacheFileProblem) -> Int {
    let file = try information(of: descriptor)
    guard file.st_mode & S_IFMT == S_IFREG else { throw CacheFileProblem("it is no regular file") }
    guard file.st_uid == geteuid() || file.st_uid == 0 else { throw CacheFileProblem("it belongs to another user") }
    if file.st_size == 0 {
      guard !isLink, file.st_nlink == 1 else {
        throw CacheFileProblem("it is a link to an empty file, which is left as it is")
      }
      // File systems without modes refuse this, and have nothing to protect.
      if file.st_mode & 0o077 != 0 { fchmod(descriptor, 0o600) }
    }
    return Int(file.st_size)
  }

  /// Maps the table, after the file has been made a cache of this model if it was none; and counts the pages.
  private static func map(
    _ descriptor: Int32, _ header: Header, isReadOnly: Bool, isLink: Bool, _ report: (String) -> Void
  ) throws(CacheFileProblem) -> (UnsafeMutablePointer<Entry>, Int) {
    let pagesOffset = header.pagesOffset
    var found = Header(magic: 0, model: 0, positions: 0, pageBytes: 0)
    let size = try checkFile(descriptor, isLink: isLink)
    _ = withUnsafeMutableBytes(of: &found) { pread(descriptor, $0.baseAddress, $0.count, 0) }
    guard size == 0 || found.magic == header.magic else {
      throw CacheFileProblem("this is no cache file, and it is left as it is")
    }
    if found != header || size < pagesOffset {
      guard !isReadOnly else { throw CacheFileProblem("it belongs to another model and is read-only") }
      if size > 0 { report("it belonged to another model or was cut short, and begins anew") }
      try begin(descriptor, header)
    }
    if !isReadOnly { try allocate(descriptor, from: 0, count: pagesOffset) }
    guard
      let map = mmap(
        nil, pagesOffset, PROT_READ | PROT_WRITE, isReadOnly ? MAP_PRIVATE : MAP_SHARED, descriptor, 0),
      map != MAP_FAILED
    else { throw CacheFileProblem(system: errno) }
    let table = (map + tableOffset).bindMemory(to: Entry.self, capacity: Int(header.positions))
    return (table, max(0, Int(try information(of: descriptor).st_size) - pagesOffset) / Int(header.pageBytes))
  }

  /// Has blocks for a range of the file, also in place of its holes: a write into a hole of a mapped file on a full disk
  /// would end the process.
  private static func allocate(_ descriptor: Int32, from offset: Int, count: Int) throws(CacheFileProblem) {
    let code = allocateFile(descriptor, from: offset, count: count)
    guard code == 0 else { throw CacheFileProblem(system: code) }
  }

  /// Makes an empty cache of the file. The magic number comes first: what a killed process leaves is known for a cache.
  private static func begin(_ descriptor: Int32, _ header: Header) throws(CacheFileProblem) {
    guard ftruncate(descriptor, 0) == 0 else { throw CacheFileProblem(system: errno) }
    let written = withUnsafeBytes(of: header) { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard written == MemoryLayout<Header>.size else { throw CacheFileProblem(system: written < 0 ? errno : ENOSPC) }
  }

  // MARK: Pages

  private var pageBytes: Int { Int(header.pageBytes) }

  func page(_ index: Int) -> UnsafeMutablePointer<Float> {
    if index < pages.count { return pages[index] }
    if let overflow { return overflow.page(index - pages.count) }
    let offset = header.pagesOffset + index * pageBytes
    if isReadOnly {
      guard index < pagesInFile else { return beginOverflow(CacheFileProblem(system: EROFS)) }
    } else {
      do { try Self.allocate(descriptor, from: offset, count: pageBytes) } catch { return beginOverflow(error) }
      pagesInFile = max(pagesInFile, index + 1)
    }
    // Of a file that cannot be written the process changes its own copy.
    let sharing = isReadOnly ? MAP_PRIVATE : MAP_SHARED
    guard let page = mmap(nil, pageBytes, PROT_READ | PROT_WRITE, sharing, descriptor, off_t(offset)),
      page != MAP_FAILED
    else { return beginOverflow(CacheFileProblem(system: errno)) }
    watchMapping(page, pageBytes, ofFile: path)
    pages.append(page.assumingMemoryBound(to: Float.self))
    return pages[index]
  }

  private func beginOverflow(_ problem: CacheFileProblem) -> UnsafeMutablePointer<Float> {
    pagesInFile = pages.count
    report("what is new cannot be kept: \(problem.reason)")
    let overflow = AnonymousPages(size: shape.pageSize)
    self.overflow = overflow
    return overflow.page(0)
  }

  // MARK: Positions

  /// Whether the header and the table hold what this process has checked and written. If not, another program has
  /// written into the file in spite of the lock. (Programs that copy a file write it from its beginning, so they change
  /// these before any keys and values.)
  var isIntact: Bool {
    mapOfTable.load(as: Header.self) == header
      && sound.indices.allSatisfy { sound[$0].entry == nil || sound[$0].entry == table[$0] }
  }

  /// Says that the file is of no use any more.
  func leave() { report("another program has changed the file: computing without it") }

  /// How many of the leading ids have sound keys and values here.
  func prefix(of ids: [Int]) -> Int {
    let common = zip(sound, ids).prefix { $0.id == $1 }.count
    guard common == sound.count else {
      sound.removeLast(sound.count - common)
      return common
    }
    let candidates = zip(0..<Int(header.positions), ids).prefix { table[$0].id == UInt64($1) && table[$0].digest != 0 }
      .count
    guard candidates > sound.count else { return sound.count }
    let end = min(candidates, pagesInFile * pageLength)
    var digest = digest
    for position in sound { digest.append(position.id) }
    for (block, sums) in sumsOfBlocks(sound.count / laneCount..<(end + laneCount - 1) / laneCount) {
      for position in max(sound.count, block * laneCount)..<min(end, (block + 1) * laneCount) {
        digest.append(ids[position])
        let entry = Entry(digest: digest.of(sums[position % laneCount]), id: UInt64(ids[position]))
        guard table[position] == entry else { return sound.count }
        sound.append(SoundPosition(id: ids[position], entry: entry))
      }
    }
    return sound.count
  }

  /// Enters the positions of `ids` from `first` on, whose keys and values have been stored.
  func keep(_ ids: [Int], from first: Int) {
    let end = min(ids.count, pagesInFile * pageLength)
    sound.removeLast(max(0, sound.count - min(first, end)))
    guard first < end else { return }
    guard !isReadOnly else {
      sound += ids[first..<end].map { SoundPosition(id: $0, entry: nil) }
      return
    }
    var digest = digest
    for position in sound { digest.append(position.id) }
    for (block, sums) in sumsOfBlocks(first / laneCount..<(end + laneCount - 1) / laneCount) {
      for position in max(first, block * laneCount)..<min(end, (block + 1) * laneCount) {
        digest.append(ids[position])
        let entry = Entry(digest: digest.of(sums[position % laneCount]), id: UInt64(ids[position]))
        table[position] = entry
        sound.append(SoundPosition(id: ids[position], entry: entry))
      }
    }
  }

  /// The sums of blocks of 16 positions, as far as their pages are in the file.
  private func sumsOfBlocks(_ blocks: Range<Int>) -> some Sequence<(block: Int, sums: [PositionSums])> {
    let blocksOfPage = pageLength / laneCount
    for block in blocks { _ = page(block / blocksOfPage) }  // maps what is not mapped, unless the system refuses
    let blocks = blocks.clamped(to: 0..<pagesInFile * blocksOfPage)
    var sums = [[PositionSums]](repeating: [], count: blocks.count)
    sums.withUnsafeMutableBufferPointer { sums in
      let (pages, shape) = (pages, shape)
      pool.run(blocks.count, cost: blocks.count * shape.pageSize / blocksOfPage) { part in
        let block = blocks.lowerBound + part
        sums[part] = PositionSums.ofBlock(block % blocksOfPage, pages[block / blocksOfPage], shape)
      }
    }
    return zip(blocks, sums).lazy.map { (block: $0, sums: $1) }
  }
}

/// Why a cache file is of no use.
struct CacheFileProblem: Error {
  /// What is said behind the file's name.
  let reason: String

  init(_ reason: String) { self.reason = reason }
  init(system code: Int32) { reason = String(cString: strerror(code)) }
}

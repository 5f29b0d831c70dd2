import Checkpoint
import Platform
import Threads

/// A KV cache in a file, so that another process can continue the sequence (lm-records(5) has the format).
///
/// The file is memory-mapped and used in place. Nothing in it is trusted: a position is valid only if its digest
/// matches, which covers the model, all ids up to the position, and its keys and values. So writes may reach the file
/// in any order, and a process may be killed at any time. The holder of the lock has exclusive access.
final class CacheFile: CachePages {
  let shape: CacheShape
  private let path: Path
  private let descriptor: Int32
  private let isReadOnly: Bool
  private let report: (String) -> Void
  private let pool: ThreadPool
  private let digest: CacheDigest  // the digest of the model
  private let header: Header
  private let table: UnsafeMutablePointer<Entry>
  /// The current number of pages of the file.
  private var pagesInFile: Int
  private var pages: [UnsafeMutablePointer<Float>] = []
  /// Pages in memory after the last page of the file, if the file cannot grow. They are lost when the process ends.
  private var overflow: AnonymousPages?
  /// The verified prefix: leading positions whose keys and values this process has checked or computed.
  private var verified: [VerifiedPosition] = []

  private struct VerifiedPosition {
    let id: Int
    /// The entry that the table must have; nil for a position that is not in a read-only file.
    let entry: Entry?
  }

  /// The table's entry for a position.
  private struct Entry: Equatable {
    var digest: UInt64  // 0 if the position is not stored
    var id: UInt64
  }

  /// The first bytes of a cache file.
  private struct Header: Equatable {
    var magic: UInt64 = 0x0A31_7665_6B70_6D6C  // "lmpkev1\n", in little-endian order, like all numbers in the file
    var model: UInt64
    var positions: UInt64
    var pageBytes: UInt64

    /// The offset of the first page in bytes.
    var pagesOffset: Int { aligned(tableOffset + Int(positions) * MemoryLayout<Entry>.stride) }
  }

  private static let tableOffset = 4096

  /// Returns `size` rounded up to 64 KiB, a multiple of the page sizes of all supported systems.
  private static func aligned(_ size: Int) -> Int { (size + 0xFFFF) & ~0xFFFF }

  /// Opens or creates the file. The contents of a cache of another model are discarded.
  ///
  /// - Parameters:
  ///   - model: identifies the weights.
  ///   - pool: verifies the contents.
  ///   - report: called with warnings: that the contents cannot be used, or that new positions cannot be stored.
  /// - Throws: `CacheFileError` if the file cannot be used.
  init(
    path: Path, _ shape: ModelShape, model: UInt64, _ pool: ThreadPool,
    report: @escaping (String) -> Void
  ) throws(CacheFileError) {
    self.path = path
    self.report = report
    self.pool = pool
    self.shape = CacheShape(shape, layers: shape.layers)
    digest = CacheDigest(model: model)
    header = Header(
      model: model, positions: UInt64(shape.contextLength),
      pageBytes: UInt64(Self.aligned(self.shape.pageSize * MemoryLayout<Float>.size)))
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
    close(descriptor)  // releases the lock
  }

  /// The start of the mapping that contains the table.
  private var mapOfTable: UnsafeMutableRawPointer { UnsafeMutableRawPointer(table) - Self.tableOffset }

  /// Opens and locks the file for writing, or for reading if writing is not permitted.
  ///
  /// Anyone with write access to a folder can create a symbolic link there. So nothing is created through a link: its
  /// target must exist, and `map` requires that it is a cache already.
  private static func open(_ path: Path) throws(CacheFileError) -> (Int32, isReadOnly: Bool, isLink: Bool) {
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
        throw CacheFileError("broken symbolic link")
      }
      throw CacheFileError(system: refusal)
    }
    guard flock(descriptor, (isReadOnly ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      throw code == EWOULDBLOCK ? CacheFileError("in use by another process") : CacheFileError(system: code)
    }
    return (descriptor, isReadOnly, isLink)
  }

  private static func information(of descriptor: Int32) throws(CacheFileError) -> stat {
    var information = stat()
    guard fstat(descriptor, &information) == 0 else { throw CacheFileError(system: errno) }
    return information
  }

  /// Checks that this user may use the file as a cache. An empty file, which will become a cache, is made private.
  ///
  /// - Returns: the size of the file.
  private static func checkFile(_ descriptor: Int32, isLink: Bool) throws(CacheFileError) -> Int {
    let file = try information(of: descriptor)
    guard file.st_mode & S_IFMT == S_IFREG else { throw CacheFileError("not a regular file") }
    guard file.st_uid == geteuid() || file.st_uid == 0 else { throw CacheFileError("owned by another user") }
    if file.st_size == 0 {
      guard !isLink, file.st_nlink == 1 else {
        throw CacheFileError("link to an empty file, left unchanged")
      }
      // This fails on file systems without modes, which cannot protect the file.
      if file.st_mode & 0o077 != 0 { fchmod(descriptor, 0o600) }
    }
    return Int(file.st_size)
  }

  /// Makes the file a cache of this model if it is not one already, maps the table, and counts the pages.
  private static func map(
    _ descriptor: Int32, _ header: Header, isReadOnly: Bool, isLink: Bool, _ report: (String) -> Void
  ) throws(CacheFileError) -> (UnsafeMutablePointer<Entry>, Int) {
    let pagesOffset = header.pagesOffset
    var found = Header(magic: 0, model: 0, positions: 0, pageBytes: 0)
    let size = try checkFile(descriptor, isLink: isLink)
    _ = withUnsafeMutableBytes(of: &found) { pread(descriptor, $0.baseAddress, $0.count, 0) }
    guard size == 0 || found.magic == header.magic else {
      throw CacheFileError("not a cache file, left unchanged")
    }
    if found != header || size < pagesOffset {
      guard !isReadOnly else { throw CacheFileError("made by another model, and read-only") }
      if size > 0 { report("made by another model, or truncated; recreating it") }
      try initialize(descriptor, header)
    }
    if !isReadOnly { try allocate(descriptor, from: 0, count: pagesOffset) }
    guard
      let map = mmap(
        nil, pagesOffset, PROT_READ | PROT_WRITE, isReadOnly ? MAP_PRIVATE : MAP_SHARED, descriptor, 0),
      map != MAP_FAILED
    else { throw CacheFileError(system: errno) }
    let table = (map + tableOffset).bindMemory(to: Entry.self, capacity: Int(header.positions))
    return (table, max(0, Int(try information(of: descriptor).st_size) - pagesOffset) / Int(header.pageBytes))
  }

  /// Allocates disk blocks for a range of the file, including its holes: a write to a hole of a mapped file on a full
  /// disk would kill the process.
  private static func allocate(_ descriptor: Int32, from offset: Int, count: Int) throws(CacheFileError) {
    let code = allocateFile(descriptor, from: offset, count: count)
    guard code == 0 else { throw CacheFileError(system: code) }
  }

  /// Makes the file an empty cache. The magic number is written first, so that the file is recognized as a cache if the
  /// process is killed.
  private static func initialize(_ descriptor: Int32, _ header: Header) throws(CacheFileError) {
    guard ftruncate(descriptor, 0) == 0 else { throw CacheFileError(system: errno) }
    let written = withUnsafeBytes(of: header) { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard written == MemoryLayout<Header>.size else { throw CacheFileError(system: written < 0 ? errno : ENOSPC) }
  }

  // MARK: Pages

  private var pageBytes: Int { Int(header.pageBytes) }

  func page(_ index: Int) -> UnsafeMutablePointer<Float> {
    if index < pages.count { return pages[index] }
    if let overflow { return overflow.page(index - pages.count) }
    let offset = header.pagesOffset + index * pageBytes
    if isReadOnly {
      guard index < pagesInFile else { return beginOverflow(CacheFileError(system: EROFS)) }
    } else {
      do { try Self.allocate(descriptor, from: offset, count: pageBytes) } catch { return beginOverflow(error) }
      pagesInFile = max(pagesInFile, index + 1)
    }
    // The pages of a read-only file are private copies, so that the process can write to them.
    let sharing = isReadOnly ? MAP_PRIVATE : MAP_SHARED
    guard let page = mmap(nil, pageBytes, PROT_READ | PROT_WRITE, sharing, descriptor, off_t(offset)),
      page != MAP_FAILED
    else { return beginOverflow(CacheFileError(system: errno)) }
    watchMapping(page, pageBytes, ofFile: path)
    pages.append(page.assumingMemoryBound(to: Float.self))
    return pages[index]
  }

  private func beginOverflow(_ error: CacheFileError) -> UnsafeMutablePointer<Float> {
    pagesInFile = pages.count
    report("cannot store new positions: \(error.reason)")
    let overflow = AnonymousPages(size: shape.pageSize)
    self.overflow = overflow
    return overflow.page(0)
  }

  // MARK: Positions

  /// True if the header and the table are as this process has verified and written them. If not, another program has
  /// written to the file despite the lock. (Programs that copy a file write from its start, so these change before keys
  /// and values.)
  var isIntact: Bool {
    mapOfTable.load(as: Header.self) == header
      && verified.indices.allSatisfy { verified[$0].entry == nil || verified[$0].entry == table[$0] }
  }

  /// Reports that another program has changed the file.
  func reportChange() { report("changed by another program; continuing without a cache") }

  /// Returns the number of leading ids whose keys and values in the file are verified.
  func verifiedPrefix(of ids: [Int]) -> Int {
    let common = zip(verified, ids).prefix { $0.id == $1 }.count
    guard common == verified.count else {
      verified.removeLast(verified.count - common)
      return common
    }
    let candidates = zip(0..<Int(header.positions), ids).prefix { table[$0].id == UInt64($1) && table[$0].digest != 0 }
      .count
    guard candidates > verified.count else { return verified.count }
    let end = min(candidates, pagesInFile * pageLength)
    var digest = digest
    for position in verified { digest.append(position.id) }
    for (block, sums) in sumsOfBlocks(verified.count / laneCount..<(end + laneCount - 1) / laneCount) {
      for position in max(verified.count, block * laneCount)..<min(end, (block + 1) * laneCount) {
        digest.append(ids[position])
        let entry = Entry(digest: digest.ofPosition(sums[position % laneCount]), id: UInt64(ids[position]))
        guard table[position] == entry else { return verified.count }
        verified.append(VerifiedPosition(id: ids[position], entry: entry))
      }
    }
    return verified.count
  }

  /// Commits the positions of `ids` from `first` on, whose keys and values have been stored: writes their entries.
  func commit(_ ids: [Int], from first: Int) {
    let end = min(ids.count, pagesInFile * pageLength)
    verified.removeLast(max(0, verified.count - min(first, end)))
    guard first < end else { return }
    guard !isReadOnly else {
      verified += ids[first..<end].map { VerifiedPosition(id: $0, entry: nil) }
      return
    }
    var digest = digest
    for position in verified { digest.append(position.id) }
    for (block, sums) in sumsOfBlocks(first / laneCount..<(end + laneCount - 1) / laneCount) {
      for position in max(first, block * laneCount)..<min(end, (block + 1) * laneCount) {
        digest.append(ids[position])
        let entry = Entry(digest: digest.ofPosition(sums[position % laneCount]), id: UInt64(ids[position]))
        table[position] = entry
        verified.append(VerifiedPosition(id: ids[position], entry: entry))
      }
    }
  }

  /// Returns the sums of blocks of 16 positions whose pages are in the file.
  private func sumsOfBlocks(_ blocks: Range<Int>) -> some Sequence<(block: Int, sums: [PositionSums])> {
    let blocksOfPage = pageLength / laneCount
    for block in blocks { _ = page(block / blocksOfPage) }  // maps pages that are not mapped, unless the system refuses
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

/// The reason why a cache file cannot be used.
struct CacheFileError: Error {
  /// The message, to be printed after the name of the file.
  let reason: String

  init(_ reason: String) { self.reason = reason }
  init(system code: Int32) { reason = String(cString: strerror(code)) }
}

import Platform

/// The files from which a tokenizer is opened, as they are at one moment.
struct ImageSource {
  /// What an image must have been made from: the program's version, the purpose, and for each file its name and, if it
  /// exists, its device, inode, size, and the times of the last modification and status change in nanoseconds.
  let key: [UInt8]
  /// The name of the image's file, which depends on the path of the source: an image of a source that has changed
  /// replaces the old one.
  let name: Path
  /// True if no file was modified in the last `settlingTime` seconds.
  let isSettled: Bool

  /// - Parameters:
  ///   - path: A folder with tokenizer files, or a GGUF file.
  ///   - preTokenizer: The name of the pre-tokenizer of a GGUF file, if it is not the one in the file.
  /// - Returns: nil if there is no such file or folder.
  init?(
    _ path: Path, preTokenizer: String?, _ purpose: Tokenizer.Purpose, program: String, settlingTime: Int
  ) {
    guard let path = resolved(path) else { return nil }
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var key = ImageWriter()
    key.append(program)
    key.append(purpose == .encoding)
    key.append(preTokenizer) { $0.append($1) }
    var isSettled = true
    let files = isDirectory(path) ? Tokenizer.folderFiles.map { path.appending($0) } : [path]
    for file in files {
      key.append(file.lastComponent.bytes)
      var information = stat()
      guard stat(file.cString, &information) == 0 else {
        guard errno == ENOENT || errno == ENOTDIR else { return nil }
        key.append(false)
        continue
      }
      key.append(true)
      key.append(Int(truncatingIfNeeded: information.st_dev))
      key.append(Int(truncatingIfNeeded: information.st_ino))
      key.append(Int(information.st_size))
      for time in [information.times.modified, information.times.changed] {
        key.append(Int(time.tv_sec))
        key.append(Int(time.tv_nsec))
        if settlingTime > 0, Int(time.tv_sec) >= Int(now.tv_sec) - settlingTime { isSettled = false }
      }
    }
    var hash = FNV1a()
    for byte in path.bytes + [0] + Array((preTokenizer ?? "").utf8) { hash.combine(byte) }
    self.key = key.bytes
    name = Path("\(String(hash.value, radix: 16)).\(purpose == .encoding ? "encoding" : "decoding")")
    self.isSettled = isSettled
  }
}

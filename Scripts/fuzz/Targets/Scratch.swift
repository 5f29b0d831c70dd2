import Platform

/// A folder for files that have to be there under a path: in memory where the system has such a place. It is removed with
/// the object, and so not with a process that a finding ends.
final class ScratchFolder: Sendable {
  let path: String

  init() {
    let place = isDirectory("/dev/shm") ? "/dev/shm" : environmentVariable("TMPDIR") ?? "/tmp"
    path = "\(place)/lmpipe-fuzz-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    precondition(mkdir(path, 0o700) == 0, "no folder \(path)")
  }

  deinit {
    for name in names { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  /// All files that the targets write.
  private let names = [
    "config.json", "model.safetensors", "model.safetensors.index.json", "model.gguf", "a.safetensors", "b.safetensors",
    "tokenizer.json", "vocab.json", "merges.txt", "cache", "lines",
  ]

  func write(_ name: String, _ bytes: some ContiguousBytes) {
    let descriptor = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    let written = bytes.bytes { Platform.write(descriptor, $0.baseAddress, $0.count) == $0.count }
    precondition(descriptor >= 0 && written, "cannot write \(path)/\(name)")
    close(descriptor)
  }

  func write(_ name: String, _ text: String) { write(name, Array(text.utf8)) }
}

/// What lies in memory in one piece.
protocol ContiguousBytes {
  func bytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result
}

extension [UInt8]: ContiguousBytes {
  func bytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { withUnsafeBytes(body) }
}

extension UnsafeBufferPointer<UInt8>: ContiguousBytes {
  func bytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { body(UnsafeRawBufferPointer(self)) }
}

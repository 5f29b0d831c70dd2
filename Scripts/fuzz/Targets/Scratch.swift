import Platform

/// A temporary folder for files that need a path, in memory if /dev/shm exists. It is removed with the object, so not
/// if a finding ends the process.
final class ScratchFolder: Sendable {
  let path: String

  init() {
    let parent = isDirectory("/dev/shm") ? "/dev/shm" : environmentVariable("TMPDIR") ?? "/tmp"
    path = "\(parent)/lmpipe-fuzz-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    precondition(mkdir(path, 0o700) == 0, "cannot create \(path)")
  }

  deinit {
    for name in names { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  /// All files that targets write.
  private let names = [
    "config.json", "model.safetensors", "model.safetensors.index.json", "model.gguf",
    "m-00001-of-00002.gguf", "m-00002-of-00002.gguf", "a.safetensors", "b.safetensors",
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

/// Bytes that are contiguous in memory.
protocol ContiguousBytes {
  func bytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result
}

extension [UInt8]: ContiguousBytes {
  func bytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { withUnsafeBytes(body) }
}

extension UnsafeBufferPointer<UInt8>: ContiguousBytes {
  func bytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { body(UnsafeRawBufferPointer(self)) }
}

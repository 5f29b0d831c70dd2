extension MappedFile {
  /// A message if the file is a Git LFS pointer or an HTML page that was downloaded in place of the real file; nil for
  /// other files.
  public var placeholder: String? {
    func begins(with text: String, _ bytes: some Sequence<UInt8>) -> Bool { bytes.starts(with: text.utf8) }
    if begins(with: "version https://git-lfs.github.com/spec", bytes) {
      return "this is a Git LFS pointer and not the file itself: run 'git lfs pull' in its folder, or download the file"
    }
    let text = bytes.lazy.drop { [0x09, 0x0A, 0x0D, 0x20].contains($0) }.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
    guard ["<!doctype html", "<html"].contains(where: { begins(with: $0, text) }) else { return nil }
    return "this is a web page, not the file itself: download the file (its address has /resolve/, not /blob/)"
  }
}

import Foundation
import FuzzTargets
import Platform
import TestSupport
import Testing
import Tokenizer

/// Images of tokenizers. All tests of encoding also encode with the image of the tokenizer (`Tokenizer.encode` in
/// Support.swift).
@Suite struct ImageTests {
  @Test(arguments: ImageSample.all) func imageIsTheSameTokenizer(_ sample: ImageSample) throws {
    let tokenizer = try #require(ImageSample.open(sample.image, sample.purpose))
    let original = try sample.tokenizer()
    #expect(TokenizerImage.bytes(of: tokenizer, key: ImageSample.key, sample.purpose) == sample.image)
    #expect(tokenizer.fingerprint == original.fingerprint)
    #expect(tokenizer.vocabularySize == original.vocabularySize)
    #expect(tokenizer.warnings == original.warnings)
    #expect(tokenizer.namedTokens == original.namedTokens)
    #expect(tokenizer.tokensBeforeText == original.tokensBeforeText)
    #expect(tokenizer.tokensAfterText == original.tokensAfterText)
    for id in 0..<tokenizer.vocabularySize {
      #expect(tokenizer.bytes(of: id).map(Array.init) == original.bytes(of: id).map(Array.init))
      #expect(tokenizer.isSpecial(id) == original.isSpecial(id))
      #expect(tokenizer.decode([id, id]) == original.decode([id, id]))
    }
    guard sample.purpose == .encoding else { return }
    for text in ImageSample.texts {
      let (ours, theirs) = (encoded(text, tokenizer), encoded(text, original))
      #expect(ours == theirs)
      #expect(tokenizer.decode(ours.ids) == original.decode(theirs.ids))
    }
  }

  private struct Encoded: Equatable {
    var ids: [Int] = []
    var ends: [Int] = []
    var error: String?
  }

  private func encoded(_ text: [UInt8], _ tokenizer: Tokenizer) -> Encoded {
    let tokens = TokenBuffer(recordsEnds: true)
    var result = Encoded()
    do {
      try text.withUnsafeBufferPointer {
        try tokenizer.makeEncoder().encode($0, recognizeSpecial: true, into: tokens)
      }
    } catch { result.error = "\(error)" }
    (result.ids, result.ends) = (tokens.ids.map(Int.init), Array(tokens.ends))
    return result
  }

  /// If this fails, the layout of an image or its contents have changed: increase `TokenizerImage.version`, so that
  /// images of earlier builds are not used, and record the digests that the failure prints.
  @Test func versionChangesWithTheFormat() {
    let digests = ImageSample.all.map { sample in
      var hash = FNV1a()
      for byte in sample.image { hash.combine(byte) }
      return "\(sample.name) \(sample.purpose) \(String(hash.value, radix: 16))"
    }
    #expect(TokenizerImage.version == 1)
    #expect(
      digests == [
        "bytes encoding 40703abd95923829", "listed encoding 5fbf753319c6f68d", "unigram encoding 342d3544de887d78",
        "scores encoding b55abba8b41085a5", "t5 encoding c319efec2bb0e22c", "bytes decoding 50e5632b0a825f96",
        "listed decoding 8349e0ad5cd5142f", "unigram decoding 2411f7cb4c77b1d0", "scores decoding 706cedcc2f7d04a3",
        "t5 decoding cbbb44e09cf73808",
      ])
  }

  // MARK: - Damaged and forged images

  @Test(arguments: ImageSample.all) func rejectsTruncatedAndLongerImages(_ sample: ImageSample) {
    let image = sample.image
    let steps = Array(0..<300) + Array(stride(from: 300, to: image.count, by: max(1, image.count / 500)))
    for count in steps {
      for isSealed in [false, true] where !isSealed || count % 64 == 0 && count > 64 {
        var bytes = Array(image[..<count])
        if isSealed {
          bytes.replaceSubrange(16..<24, with: withUnsafeBytes(of: count.littleEndian) { Array($0) })
          TokenizerImage.seal(&bytes)
        }
        #expect(ImageSample.open(bytes, sample.purpose) == nil, "\(count) bytes")
      }
    }
    #expect(ImageSample.open(image + [0], sample.purpose) == nil)
    #expect(ImageSample.open(image + [UInt8](repeating: 0, count: 64), sample.purpose) == nil)
  }

  @Test(arguments: ImageSample.all) func rejectsOtherKeysVersionsAndPurposes(_ sample: ImageSample) {
    let other: Tokenizer.Purpose = sample.purpose == .encoding ? .decoding : .encoding
    #expect(ImageSample.open(sample.image, other) == nil)
    #expect(ImageSample.open(sample.image, sample.purpose, key: Array("kez".utf8)) == nil)
    for offset in [0, 8, 16, 24] {
      var bytes = sample.image
      bytes[offset] ^= 1
      #expect(ImageSample.open(bytes, sample.purpose) == nil, "header, byte \(offset)")
    }
  }

  @Test(arguments: ImageSample.all) func noChangedByteLeadsOutOfTheTables(_ sample: ImageSample) {
    var generator = SeededGenerator(5)
    var accepted = 0
    for offset in 64..<sample.image.count {
      let old = sample.image[offset]
      // Most bytes are those of equal entries of large tables
      guard offset % 1009 == 0 || old != 0 && old != 0xFF && offset % 7 == 0 else { continue }
      var bytes = sample.image
      bytes[offset] = [old ^ 1, old ^ 0x80, 0xFF, 0x7F, UInt8.random(in: 0...255, using: &generator)].randomElement(
        using: &generator)!
      if bytes[offset] != old { #expect(ImageSample.open(bytes, sample.purpose) == nil, "byte \(offset)") }
      TokenizerImage.seal(&bytes)
      guard let tokenizer = ImageSample.open(bytes, sample.purpose) else { continue }
      accepted += 1
      exercise(tokenizer, sample.purpose)
    }
    #expect(accepted > 0)
  }

  // MARK: - The folder

  /// A folder of images, and a tokenizer folder.
  private final class Scene {
    let folder: Folder
    let images: ImageFolder
    let model: Path
    var imageFolder: String { folder.path + "/cache/lmpipe/tokenizers" }

    init(settlingTime: Int = 0, minSize: Int = 0) throws {
      folder = try Folder()
      images = ImageFolder(
        Path(folder.path + "/cache/lmpipe"), program: "1", minSize: minSize, settlingTime: settlingTime)
      model = Path(folder.path + "/model")
      try folder.write("model/tokenizer.json", Fixture.json())
      try FileManager.default.createDirectory(atPath: folder.path + "/cache", withIntermediateDirectories: true)
    }

    func entry(_ purpose: Tokenizer.Purpose = .encoding) throws -> ImageFolder.Entry {
      try #require(images.entry(model, preTokenizer: nil, for: purpose))
    }

    func write(_ purpose: Tokenizer.Purpose = .encoding) throws {
      try entry(purpose).write(Tokenizer(folder: model, for: purpose))
    }

    var names: [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: imageFolder)) ?? []).sorted()
    }

    var file: String { imageFolder + "/" + (names.first ?? "") }

    func has(_ purpose: Tokenizer.Purpose = .encoding) throws -> Bool { try entry(purpose).contents() != nil }
  }

  @Test func writesAndUsesImages() throws {
    let scene = try Scene()
    #expect(try !scene.has())
    try scene.write()
    let contents = try #require(try scene.entry().contents())
    #expect(try Tokenizer(contents).encode("the cat") == Fixture.tokenizer().encode("the cat"))
    #expect(try !scene.has(.decoding))
    try scene.write(.decoding)
    #expect(try scene.has(.decoding))
    #expect(scene.names.count == 2)
    #expect(scene.folder.has("cache/lmpipe/CACHEDIR.TAG"))
    #expect(try permissions(scene.file) == 0o600)
    #expect(try permissions(scene.imageFolder) == 0o700)
  }

  private func permissions(_ path: String) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
  }

  @Test(arguments: ["tokenizer.json", "tokenizer_config.json", "config.json", "added_tokens.json"])
  func changedOrNewFilesMakeImagesInvalid(_ name: String) throws {
    let scene = try Scene()
    try scene.write()
    #expect(try scene.has())
    try scene.folder.write("model/" + name, name == "tokenizer.json" ? Fixture.json() + "\n" : "{}")
    #expect(try !scene.has())
    try scene.write()
    #expect(try scene.has())
    #expect(scene.names.count == 1, "the old image is replaced")
  }

  @Test func sameSizeAndTimeOfAnotherFileMakeImagesInvalid() throws {
    let scene = try Scene()
    try scene.write()
    let (path, copy) = (scene.model.text + "/tokenizer.json", scene.folder.path + "/copy")
    try FileManager.default.copyItem(atPath: path, toPath: copy)
    let date = try #require(FileManager.default.attributesOfItem(atPath: path)[.modificationDate])
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: copy)
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.moveItem(atPath: copy, toPath: path)
    #expect(try !scene.has())
  }

  @Test func namesOfPreTokenizersAndProgramsHaveTheirOwnImages() throws {
    let scene = try Scene()
    try scene.write()
    let other = ImageFolder(Path(scene.folder.path + "/cache/lmpipe"), program: "2", minSize: 0, settlingTime: 0)
    #expect(other.entry(scene.model, preTokenizer: nil, for: .encoding)?.contents() == nil)
    #expect(scene.images.entry(scene.model, preTokenizer: "gpt-2", for: .encoding)?.contents() == nil)
    #expect(scene.images.entry(Path(scene.folder.path + "/none"), preTokenizer: nil, for: .encoding) == nil)
  }

  @Test func recentSourcesAndSmallImagesAreNotWritten() throws {
    for scene in [try Scene(settlingTime: 1000), try Scene(minSize: 1 << 20)] {
      try scene.write()
      #expect(scene.names == [])
    }
  }

  @Test func aSourceThatChangesWhileItIsReadIsNotWritten() throws {
    let scene = try Scene()
    let entry = try scene.entry()
    let tokenizer = try Tokenizer(folder: scene.model)
    try scene.folder.write("model/config.json", "{}")
    entry.write(tokenizer)
    #expect(scene.names == [])
  }

  @Test(arguments: [0o620, 0o602, 0o666]) func imagesThatOthersCanWriteAreNotUsed(_ mode: Int) throws {
    let scene = try Scene()
    try scene.write()
    chmod(scene.file, mode_t(mode))
    #expect(try !scene.has())
    chmod(scene.file, 0o600)
    #expect(try scene.has())
    chmod(scene.imageFolder, mode_t(mode | 0o100))
    #expect(try !scene.has())
  }

  @Test func symbolicLinksAndOtherFilesAreNotUsed() throws {
    let scene = try Scene()
    try scene.write()
    let (file, target) = (scene.file, scene.folder.path + "/elsewhere")
    try FileManager.default.moveItem(atPath: file, toPath: target)
    symlink(target, file)
    #expect(try !scene.has())
    unlink(file)
    mkfifo(file, 0o600)
    #expect(try !scene.has())
    unlink(file)
    mkdir(file, 0o700)
    #expect(try !scene.has())
    try scene.write()
    #expect(scene.names == [URL(filePath: file).lastPathComponent], "no temporary file is left")
  }

  @Test func foldersThatCannotBeWrittenAreIgnored() throws {
    let scene = try Scene()
    try scene.folder.write("file", "")
    for root in ["/file/lmpipe", "/none/none/none/lmpipe"] {
      let images = ImageFolder(Path(scene.folder.path + root), program: "1", minSize: 0, settlingTime: 0)
      let entry = try #require(images.entry(scene.model, preTokenizer: nil, for: .encoding))
      entry.write(try Tokenizer(folder: scene.model))
      #expect(entry.contents() == nil)
    }
    #expect(!scene.folder.has("none"))
  }

  @Test func unusedImagesAreRemoved() throws {
    let scene = try Scene()
    try scene.write()
    let day = 24.0 * 60 * 60
    func add(_ name: String, age days: Double) throws {
      try scene.folder.write("cache/lmpipe/tokenizers/" + name, "")
      let date = Date(timeIntervalSinceNow: -days * day)
      try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: scene.imageFolder + "/" + name)
    }
    try add("old.encoding", age: 91)
    try add("used.encoding", age: 89)
    try add("killed-1.partial", age: 2)
    try add("running-2.partial", age: 0)
    try scene.write(.decoding)
    #expect(scene.names.filter { !$0.hasSuffix("coding") } == ["running-2.partial"])
    #expect(scene.names.contains("used.encoding") && !scene.names.contains("old.encoding"))
    // The use of an image renews its time
    let old = Date(timeIntervalSinceNow: -80 * day)
    for name in scene.names {
      try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: scene.imageFolder + "/" + name)
    }
    #expect(try scene.has())
    let times = try scene.names.compactMap {
      try FileManager.default.attributesOfItem(atPath: scene.imageFolder + "/" + $0)[.modificationDate] as? Date
    }
    #expect(times.filter { $0.timeIntervalSinceNow > -day }.count == 1)
  }
}

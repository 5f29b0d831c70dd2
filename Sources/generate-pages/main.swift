// Writes man/man1 and completions/ from the option tables (`make generate`). With --check it writes nothing and fails
// if a file differs from what it would write.
import CommandLineTool
import Platform

var files: [(path: Path, text: String)] = []
for tool in Tool.all {
  let page = Path("man/man1/\(tool.name).1")
  let old = (try? MappedFile(path: page)).map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
  files.append((page, manualPage(of: tool, old: old)))
  for shell in Shell.allCases {
    files.append((Path("completions/\(shell.fileName(of: tool))"), shell.completions(of: tool)))
  }
}

let isCheck = Swift.CommandLine.arguments.contains("--check")
var stale = 0
for file in files {
  if isCheck {
    let present = try? MappedFile(path: file.path)
    guard present.map({ $0.bytes.elementsEqual(file.text.utf8) }) != true else { continue }
    warn("\(file.path) is not up to date: run make generate")
    stale += 1
  } else {
    guard let stream = fopen(file.path.cString, "w"), fputs(file.text, stream) >= 0, fclose(stream) == 0 else {
      warn(FileError(path: file.path, code: errno).description)
      exit(ExitStatus.inputOutput.rawValue)
    }
  }
}
exit(stale == 0 ? 0 : 1)

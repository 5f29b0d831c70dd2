// lm-measure MODEL THREADS: measures parts of the tools inside one process, without the time of its start.
//
// Reads requests from standard input, one line of words each, and writes one line of JSON for each. `bench.py` runs it
// and workers for the peers with the same protocol (Benchmarks/peers/worker.py), so that rounds can alternate.
//
//   pass N last|all TIMES          N positions, with the logits of the last position or of all
//   steps N TIMES                  N steps after a prompt of eight ids
//   verify N CONTEXT TIMES         N positions with the logits of each, after CONTEXT positions
//   print json|base64 TIMES        records of the model's logits, written to /dev/null
//   read-bandwidth FILE TIMES      the mapped file, read to its end
//   multiply-add-peak TIMES        float32 multiplications and additions only

import Checkpoint
import CommandLineTool
import LanguageModel
import Platform
import Threads

let arguments = CommandLine.arguments
guard arguments.count == 3, let threads = Int(arguments[2]), threads > 0 else {
  warn("usage: lm-measure MODEL THREADS")
  exit(64)
}
let pool = ThreadPool(threads: threads)
let model: Transformer
do {
  model = try Transformer(ModelFiles(ModelLocation.find(Path(arguments[1]))), threads: threads)
} catch {
  warn("lm-measure: \(error)")
  exit(65)
}
print(#"{"ready":true}"#)
fflush(nil)

while let line = readLine() {
  let words = line.split(separator: " ").map(String.init)
  guard let times = words.last.flatMap({ Int($0) }) else { fatalError("invalid request: \(line)") }
  switch (words[0], words.count) {
  case ("pass", 4):
    print(try measurePass(model, positions: Int(words[1]) ?? 1, everyLogit: words[2] == "all", times: times))
  case ("steps", 3):
    print(try measureSteps(model, count: Int(words[1]) ?? 1, times: times))
  case ("verify", 4):
    print(
      try measureVerification(model, positions: Int(words[1]) ?? 1, context: Int(words[2]) ?? 0, times: times))
  case ("print", 3):
    print(try measurePrinting(model, asBase64: words[1] == "base64", times: times))
  case ("read-bandwidth", 3):
    print(try measureReadBandwidth(of: Path(words[1]), pool, times: times))
  case ("multiply-add-peak", 2):
    print(measureMultiplyAddPeak(pool, times: times))
  default:
    fatalError("invalid request: \(line)")
  }
  fflush(nil)
}

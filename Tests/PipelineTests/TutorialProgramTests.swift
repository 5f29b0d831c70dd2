import CommandLineTool
import Foundation
import Testing

/// The commands of lm-pipeline(7) for R, gnuplot and Miller, which the other tests do not need.
@Suite struct TutorialProgramTests {
  private static func isInstalled(_ program: String) -> Bool {
    (try? Programs.shell("command -v \(program)"))?.status == 0
  }

  private let page: String

  init() throws {
    page = try String(contentsOf: Programs.checkout.appending(path: "man/man7/lm-pipeline.7"), encoding: .utf8)
  }

  /// Returns the command of a block without prompts that begins with `program`. Its lines after the first are indented.
  private func command(_ program: String) throws -> String {
    let lines = page.components(separatedBy: "\n")
    let first = try #require(lines.firstIndex { $0.hasPrefix("\(program) ") })
    let command = [lines[first]] + lines[(first + 1)...].prefix { $0.hasPrefix("  ") }
    return command.map(roffUnescaped).joined(separator: "\n")
  }

  /// Runs the commands of the page that write items.csv and scores.tsv, and then some others.
  private func run(_ commands: String...) throws -> Programs.Result {
    let parts = SessionTests.parts(of: page, .manualPage)
    let steps = try #require(parts.lazy.map(\.steps).first { $0.contains { $0.command.contains("> scores.tsv") } })
    let last = try #require(steps.firstIndex { $0.command.contains("> scores.tsv") })
    let folder = try TemporaryFolder()
    let script = ["set -e"] + steps[...last].map(\.command) + commands
    return try Programs.shell(script.joined(separator: "\n"), in: folder.url)
  }

  @Test(.enabled(if: isInstalled("Rscript"), "NOT TESTED: the plot of lm-pipeline(7) in R (needs Rscript)"))
  func drawsBoxPlot() throws {
    let result = try run(
      command("Rscript"), "head -c 5 Rplots.pdf", "Rscript -e 'str(read.delim(\"scores.tsv\"))'")
    #expect(result.status == 0 && result.text.hasPrefix("%PDF-"), "\(result.errors)")
    #expect(result.text.contains("28 obs. of  11 variables") && result.text.contains("$ surprisal          : num "))
  }

  @Test(.enabled(if: isInstalled("gnuplot"), "NOT TESTED: the plot of lm-pipeline(7) in gnuplot (needs gnuplot)"))
  func drawsBars() throws {
    let result = try run(command("gnuplot"))
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    let labels = result.text.split(separator: "\n").last { $0.contains("oven.") } ?? ""
    #expect(labels.split(separator: " ") == ["The", "cook", "put", "the", "bread", "in", "the", "oven."])
  }

  @Test(.enabled(if: isInstalled("mlr"), "NOT TESTED: the records that Miller makes of CSV (needs mlr)"))
  func convertsItems() throws {
    let command = "mlr --icsv --ojsonl cat items.csv"
    #expect(page.contains("Ql \(roffEscaped(command))"))
    let result = try run("\(command) | bpe-encode -j --bos | lm-score --tsv | cmp - scores.tsv")
    #expect(result.status == 0, "\(result.errors)\(result.text)")
  }
}

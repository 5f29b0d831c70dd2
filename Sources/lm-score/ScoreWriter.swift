import CommandLineTool
import Tokenizer

/// A form of the output.
protocol ScoreWriter: AnyObject {
  /// Writes a text with its scores.
  func write(_ text: ScoredText) throws
  /// Writes the end of the output.
  func finish() throws
  /// Writes the output of a record without ids, or of a bad record with `--keep-going`; nil if the output is records.
  var writePlaceholder: (() throws -> Void)? { get }
}

extension ScoreWriter {
  func finish() throws {}
  var writePlaceholder: (() throws -> Void)? { {} }
}

/// The unit of rows and of coloured areas.
enum ScoreUnit: String { case word, token, record }

/// Returns the writer of the form that the options request.
func scoreWriter(
  _ arguments: Arguments, _ tokenizer: Tokenizer, _ output: Output
) throws -> any ScoreWriter {
  let unit = arguments.text(.scoreUnit).flatMap(ScoreUnit.init) ?? .word
  let isHeatMap = arguments.has(.heatMap) || arguments.has(.html)
  if isHeatMap, unit == .record {
    throw ToolError(.usage, "--by=record and --colour or --html cannot be used together")
  }
  if arguments.has(.tsv) { return ScoreRows(UInt8(ascii: "\t"), unit, tokenizer, arguments, output) }
  if arguments.has(.csv) { return ScoreRows(UInt8(ascii: ","), unit, tokenizer, arguments, output) }
  if arguments.has(.scoreTable) { return ScoreTable(unit, output) }
  if arguments.has(.heatMap) { return HeatMap(unit, output) }
  if arguments.has(.html) { return HeatPage(unit, tokenizer, output) }
  return ScoreRecords(tokenizer, output)
}

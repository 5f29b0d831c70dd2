import CommandLineTool
import JSON
import JSONLines
import Tokenizer

/// Displays records of `lm-logits --layers` as tables of layers and positions, and those of `lm-logits --attention` as
/// a table of positions and positions for each head.
func displayGrids(_ filter: Filter, _ arguments: Arguments, _ output: Output) throws {
  let files = try arguments.modelFiles()
  let tokenizer = try Tokenizer(files, for: .decoding)
  let vocabulary = ModelVocabulary { tokenizer }
  let vocabularySize = files.vocabularySize(tokenizer)
  var tables = 0
  /// Writes the blank line between two tables.
  func beginTable() throws {
    if tables > 0 { try output.endLine() }
    tables += 1
  }
  let attention = AttentionGrid(tokenizer)
  var layers = LayerGrid(tokenizer)
  try filter.forEachRecord { record in
    try vocabulary.check(record)
    let ids = try record.ids(inVocabularyOf: vocabularySize)
    guard !ids.isEmpty else { return }
    if let heads = try AttentionGrid.heads(of: record, ids) {
      try layers.write(to: output, beginTable)
      for head in heads { try attention.write(head, ids, to: output, beginTable) }
      return try output.flush()
    }
    let cell = try LayerGrid.Cell(record, ids, vocabularySize: vocabularySize)
    if !layers.continues(with: cell) { try layers.write(to: output, beginTable) }
    layers.add(cell)
  } orWrite: {
  }
  try layers.write(to: output, beginTable)
}

import CommandLineTool
import JSON
import JSONLines
import Tokenizer

/// The forms in which lm-topk writes a list that it computes for each record.
struct ListForms<List> {
  /// Writes a table of the list.
  ///
  /// - Parameter ids: the ids of the record, or an empty array.
  let writeTable: (_ table: inout CandidateTable, _ list: List, _ ids: [Int]) throws -> Void
  /// The columns of `--tsv`.
  let columns: [String]
  /// The rows of `--tsv`.
  let rows: (List) -> [[DelimitedText.Field]]
  /// The members of the record.
  let members: (List) -> [Record.Change]
}

/// Writes the list of each record in the form that the options choose: a table, tab-separated rows, or members of the
/// record, whose logits are dropped unless `--keep` is given.
///
/// - Parameter list: returns the list; nil for a record without ids, which is passed on.
func writeLists<List>(
  _ filter: Filter, _ arguments: Arguments, _ output: Output, _ tokenizer: Tokenizer, _ vocabulary: ModelVocabulary,
  _ forms: ListForms<List>, list: (Record) throws -> List?
) throws {
  if arguments.has(.topTable) {
    var table = CandidateTable(tokenizer)
    try filter.forEachRecord { record in
      guard let list = try list(record) else { return try output.endLine() }
      try forms.writeTable(&table, list, (try? record.ids()) ?? [])
    } orWrite: {
      try output.endLine()
    }
  } else if arguments.has(.topTSV) {
    var rows = DelimitedText(separator: UInt8(ascii: "\t"), columns: forms.columns, arguments, output)
    try filter.forEachRecord { record in
      try rows.write(try list(record).map(forms.rows) ?? [], of: record, index: filter.recordIndex)
    } orWrite: {
    }
    try rows.finish()
  } else {
    try filter.forEachRecord { record in
      var changes: [Record.Change] = []
      if let list = try list(record) {
        changes = forms.members(list)
        if !arguments.has(.keepLogits) { changes.append(.drop("logits")) }
        changes += try vocabulary.addition(to: record)
      }
      record.write(to: output.buffer, changes)
      try output.endLine()
    }
  }
}

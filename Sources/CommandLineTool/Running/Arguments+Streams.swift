import Platform

// What the command line and the environment say of errors and of the ends of streams, in one place for all tools.

extension Arguments {
  /// Whether standard output is a stream of records.
  var writesRecords: Bool {
    switch tool.output {
    case .records(let exceptions): !exceptions.contains(where: has)
    case .text(let exceptions): exceptions.contains(where: has)
    }
  }

  /// Whether a bad record is replaced and the next one is read.
  var keepsGoing: Bool { has(.keepGoing) || toleratesBadRecords }

  /// Whether the exit status is 0 although records were bad.
  var toleratesBadRecords: Bool { text(.errors) == "records" }

  /// Whether an end record is written.
  var sealsOutput: Bool { writesRecords && (has(.sealedOutput) || expectsSeal) }

  /// Whether an input of records must end with an end record.
  var expectsSeal: Bool {
    tool.options.contains(.sealed) && !has(.sealedOutput)
      && (has(.sealed) || environmentVariable("LM_SEALED").map { $0 != "0" } ?? false)
  }
}

import CPlatform

// What happens when a program can neither go on nor throw an error (LastWords.h).

/// To be called once, at the beginning: from then on a lack of memory, and files that are cut short while they are mapped,
/// end the program with a message that begins with its name.
public func installFatalErrorHandlers(ofProgram name: String) {
  lmpipe_name_program(strdup(name))  // for as long as the process lives
  lmpipe_report_lost_pages()
}

/// Ends the program, status 71, because the system did not give so many bytes.
public func abortOutOfMemory(wanted: Int) -> Never { lmpipe_end_out_of_memory(wanted) }

/// To be called for each mapping of a file, so that there is a name for it should its pages be lost.
public func watchMapping(_ start: UnsafeRawPointer, _ size: Int, ofFile path: Path) {
  lmpipe_watch_mapping(start, size, path.description)
}

/// To be called before the mapping is undone.
public func forgetMapping(_ start: UnsafeRawPointer) { lmpipe_forget_mapping(start) }

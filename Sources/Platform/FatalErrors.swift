import CPlatform

// Errors that cannot be thrown: out of memory, and lost pages of mapped files (FatalErrors.h).

/// Installs the handlers that end the program with an error message if memory runs out or a mapped file is truncated.
/// Call it once, when the program starts.
///
/// - Parameter name: the program's name, which begins each message.
public func installFatalErrorHandlers(ofProgram name: String) {
  lmpipe_set_program_name(strdup(name))  // never freed: the handlers read it
  lmpipe_handle_lost_pages()
}

/// Ends the program with status 71 because memory for `wanted` bytes could not be allocated.
public func abortOutOfMemory(wanted: Int) -> Never { lmpipe_abort_out_of_memory(wanted) }

/// Registers a mapping of a file, so that the message about a lost page can name the file.
public func watchMapping(_ start: UnsafeRawPointer, _ size: Int, ofFile path: Path) {
  lmpipe_watch_mapping(start, size, path.description)
}

/// Removes a mapping from the registry. Call it before the memory is unmapped.
public func forgetMapping(_ start: UnsafeRawPointer) { lmpipe_forget_mapping(start) }

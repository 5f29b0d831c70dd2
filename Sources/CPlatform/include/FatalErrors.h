// Errors that cannot be thrown: out of memory, and lost pages of mapped files. They end the program with a line on
// standard error and an exit status, like any other error. Output that is still buffered is lost; no line is written in
// part.
#ifndef LMPIPE_FATAL_ERRORS_H
#define LMPIPE_FATAL_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

// Sets the name that begins each message. Call it first. The string is not copied and must not be freed.
void lmpipe_set_program_name(const char *name);

// Sets whether the message is also written to standard output, as a record {"error":"…","fatal":true} for the next tool
// of the pipeline.
void lmpipe_report_failure_as_record(bool reports);

// Ends the program because memory for `wanted` bytes cannot be allocated: status 71, EX_OSERR.
_Noreturn void lmpipe_abort_out_of_memory(size_t wanted);

// Installs a SIGBUS handler that ends the program with status 74, EX_IOERR, if a page of a watched mapping cannot be
// read because the file was truncated or its disk failed. Without it, SIGBUS ends the program and leaves a core dump.
void lmpipe_handle_lost_pages(void);

// Adds a mapping of a file to the register (`path` is copied), and removes it. Remove a mapping before it is unmapped.
// Both are thread-safe.
void lmpipe_watch_mapping(const void *start, size_t size, const char *path);
void lmpipe_forget_mapping(const void *start);

#endif

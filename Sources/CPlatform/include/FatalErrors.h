// How a program ends that can neither go on nor throw an error: with a line on standard error and an exit status, as
// after any other error. What it had not written yet is lost, and nothing is half-written.
#ifndef LMPIPE_FATAL_ERRORS_H
#define LMPIPE_FATAL_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

// The name that stands before the message. To be called before anything else here; the string is kept.
void lmpipe_set_program_name(const char *name);

// Whether the message is also written on standard output, as a record {"error":"…","fatal":true} for the next tool of a
// pipeline.
void lmpipe_report_failure_as_record(bool reports);

// Ends the program because the system gives no more memory: status 71, EX_OSERR.
_Noreturn void lmpipe_abort_out_of_memory(size_t wanted);

// Ends the program when it reads pages of a watched mapping that are no longer there, because the file was cut short or
// its disk failed: status 74, EX_IOERR. Without this the system ends it by SIGBUS and leaves a core dump.
void lmpipe_handle_lost_pages(void);

// Enters a mapping of a file, of which `path` is copied, and takes it out again before it is unmapped. Any thread may.
void lmpipe_watch_mapping(const void *start, size_t size, const char *path);
void lmpipe_forget_mapping(const void *start);

#endif

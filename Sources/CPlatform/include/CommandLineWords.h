// The arguments that the system passes to a program.
#ifndef LMPIPE_COMMAND_LINE_WORDS_H
#define LMPIPE_COMMAND_LINE_WORDS_H

// Returns the arguments of main and stores their number in `count`; NULL and 0 if the C library does not pass them to
// constructors (musl).
char *const *lmpipe_words(int *count);

#if defined(__linux__)
// Returns the path that the program was started by, or NULL.
const char *lmpipe_started_path(void);
#endif

#endif

// What the system passes to a program when it starts.
#ifndef LMPIPE_COMMAND_LINE_WORDS_H
#define LMPIPE_COMMAND_LINE_WORDS_H

// The arguments of main: NULL and 0 if the C library does not pass them to constructors (musl).
char *const *lmpipe_words(int *count);

#if defined(__linux__)
// The path that the program was started by, or NULL.
const char *lmpipe_started_path(void);
#endif

#endif

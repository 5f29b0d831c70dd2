// What Swift has no spelling for.
#ifndef LMPIPE_CPLATFORM_H
#define LMPIPE_CPLATFORM_H

#include <getopt.h>
#include <stdbool.h>

#include "Base64.h"
#include "ByteBlock.h"

// What getopt_long says of the next option, without its global variables.
struct lmpipe_option_scan {
    int code;              // getopt_long's result: an option, '?', ':' or -1 at the end
    int letter;            // with '?' and ':': the option it is about, 0 for an unknown long one
    int next;              // the index of the word that comes next
    const char *argument;  // the option's value, or NULL
};

// `restart`: begin with the first word.
struct lmpipe_option_scan lmpipe_next_option(int count, char *const words[], const char *short_options,
                                             const struct option *long_options, bool restart);

// The processors this process may run on: what the scheduler allows, not what the machine has.
int lmpipe_available_processors(void);

// Tells the processor that this thread is spinning on a variable.
static inline void lmpipe_spin_hint(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb");
#endif
}

#endif

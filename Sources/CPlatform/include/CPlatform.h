// What Swift has no spelling for.
#ifndef LMPIPE_CPLATFORM_H
#define LMPIPE_CPLATFORM_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "Base64.h"
#include "ByteBlock.h"
#include "CommandLineWords.h"
#include "Lanes.h"
#include "FatalErrors.h"
#include "QuantizedBlocks.h"

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

// Starts the program of the first word, looked for in PATH, with this environment, with `descriptors` as its standard
// input, output and error, and in the folder /, so that nothing in the current folder decides what it does. Signals have
// their default actions in it, apart from those that end or stop programs (SIGHUP, SIGINT, SIGTERM, ...), which stay
// ignored if they are ignored here; no signal is blocked. On Linux it is killed when the calling thread ends, however that
// ends. Gives SIGCHLD its default action in this process. For processes of one thread. Returns 0, or the system's error.
int lmpipe_spawn(char *const words[], const int descriptors[3], pid_t *child);

// Whether the processor that this is compiled for has 32 vector registers of 512 bits. A constant, for the choice between
// two shapes of one kernel; results are the same.
static inline bool lmpipe_has_wide_vectors(void) {
#if defined(__AVX512F__)
    return true;
#else
    return false;
#endif
}

// The index of the first byte that differs from zero, or 16.
static inline int lmpipe_first_set(lmpipe_bytes bytes) {
    typedef bool flags __attribute__((ext_vector_type(16)));
    flags set = __builtin_convertvector(bytes != (lmpipe_bytes)0, flags);
    uint16_t bits;
    memcpy(&bits, &set, sizeof bits);
    return __builtin_ctz(bits | 1u << 16);
}

// How many of sixteen bytes, from the first on, are printable ASCII characters other than a quotation mark and a
// backslash. (Swift's own comparisons of byte vectors are loops.)
static inline int lmpipe_plain_characters(const void *address) {
    lmpipe_bytes text = lmpipe_load_bytes(address);
    return lmpipe_first_set((lmpipe_bytes)((text - 0x21 > 0x5D) | (text == '"') | (text == '\\')));
}

// How many of sixteen bytes, from the first on, are the same in both places.
static inline int lmpipe_common_bytes(const void *a, const void *b) {
    return lmpipe_first_set(lmpipe_load_bytes(a) ^ lmpipe_load_bytes(b));
}

// Asks for a cache line that will be read soon. Any address will do, mapped or not.
static inline void lmpipe_prefetch(const void *address) { __builtin_prefetch(address); }

// Asks for one that will be read later, into the second-level cache. Any address will do here as well.
static inline void lmpipe_prefetch_far(const void *address) { __builtin_prefetch(address, 0, 2); }

// Tells the processor that this thread is spinning on a variable.
static inline void lmpipe_spin_hint(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb");
#endif
}

#endif

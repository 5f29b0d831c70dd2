// Functions of the system and the processor that cannot be called from Swift or expressed in it.
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
#include "FatalErrors.h"
#include "Hashes.h"
#include "TableChecks.h"

// The result of getopt_long for the next option, without its global variables.
struct lmpipe_option_scan {
    int code;              // getopt_long's result: an option, '?', ':' or -1 at the end
    int letter;            // with '?' and ':': the option it is about, 0 for an unknown long one
    int next;              // the index of the next word
    const char *argument;  // the option's value, or NULL
};

// Returns the next option; with `restart`, begins at the first word.
struct lmpipe_option_scan lmpipe_next_option(int count, char *const words[], const char *short_options,
                                             const struct option *long_options, bool restart);

// Returns the number of processors that the scheduler allows this process to use.
int lmpipe_available_processors(void);

// Starts a subprocess. The program is the first word, searched in PATH; `descriptors` become its standard input, output
// and error. Its current folder is /, so that files in the caller's current folder have no effect. All signals have
// their default actions, except that signals that end or stop programs (SIGHUP, SIGINT, SIGTERM, ...) remain ignored if
// they are ignored here; no signal is blocked. On Linux the subprocess is killed when the calling thread ends for any
// reason.
//
// Sets SIGCHLD to its default action in this process. The caller must have only one thread. Returns 0 or the system's
// error.
int lmpipe_spawn(char *const words[], const int descriptors[3], pid_t *child);

// Returns the first position of a text in some bytes, or NULL (memmem, which C libraries declare only as an extension).
const void *lmpipe_find(const void *bytes, size_t count, const void *text, size_t text_count);

// Makes a pipe hold 1 MiB, if the system allows it, so that its writer waits less often.
void lmpipe_enlarge_pipe(int descriptor);

// Begins to write a range of a file to the disk, without waiting until it is written. Does nothing on systems other
// than Linux.
void lmpipe_start_writeback(int descriptor, off_t offset, off_t count);

// Records SIGINT and SIGTERM from now on instead of ending the process, unless they are ignored. System calls that wait
// are interrupted.
void lmpipe_record_interrupts(void);

// Returns the number of the recorded signal, or 0.
int lmpipe_recorded_interrupt(void);

// Ends the process by the recorded signal.
_Noreturn void lmpipe_repeat_interrupt(void);

// Returns whether the target processor has 32 vector registers of 512 bits. A compile-time constant, which selects one
// of two shapes of the micro-kernel; both give the same results.
static inline bool lmpipe_has_wide_vectors(void) {
#if defined(__AVX512F__)
    return true;
#else
    return false;
#endif
}

typedef uint8_t lmpipe_bytes __attribute__((ext_vector_type(16)));

// Returns 16 bytes from an address of any alignment.
static inline lmpipe_bytes lmpipe_load_bytes(const void *address) {
    lmpipe_bytes bytes;
    memcpy(&bytes, address, sizeof bytes);
    return bytes;
}

// Returns the index of the first byte that is not zero, or 16.
static inline int lmpipe_first_set(lmpipe_bytes bytes) {
    typedef bool flags __attribute__((ext_vector_type(16)));
    flags set = __builtin_convertvector(bytes != (lmpipe_bytes)0, flags);
    uint16_t bits;
    memcpy(&bits, &set, sizeof bits);
    return __builtin_ctz(bits | 1u << 16);
}

// Returns the number of leading bytes, among sixteen, that are printable ASCII characters other than a quotation mark
// and a backslash. (In Swift, comparisons of byte vectors compile to loops.)
static inline int lmpipe_plain_characters(const void *address) {
    lmpipe_bytes text = lmpipe_load_bytes(address);
    return lmpipe_first_set((lmpipe_bytes)((text - 0x21 > 0x5D) | (text == '"') | (text == '\\')));
}

// Returns the number of leading bytes, among sixteen, that are equal at both addresses.
static inline int lmpipe_common_bytes(const void *a, const void *b) {
    return lmpipe_first_set(lmpipe_load_bytes(a) ^ lmpipe_load_bytes(b));
}

// Prefetches a cache line that will be read soon. The address need not be mapped.
static inline void lmpipe_prefetch(const void *address) { __builtin_prefetch(address); }

// Prefetches a cache line that will be read later, into the second-level cache. The address need not be mapped.
static inline void lmpipe_prefetch_far(const void *address) { __builtin_prefetch(address, 0, 2); }

// Hints to the processor that this thread is spinning on a variable.
static inline void lmpipe_spin_hint(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb");
#endif
}

#endif

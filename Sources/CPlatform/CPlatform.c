#define _GNU_SOURCE  // CPU_COUNT, sched_getaffinity
#include "CPlatform.h"

#include <sched.h>
#include <unistd.h>

int lmpipe_available_processors(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (int)count;
}

struct lmpipe_option_scan lmpipe_next_option(int count, char *const words[], const char *short_options,
                                             const struct option *long_options, bool restart) {
    if (restart) {
#if defined(__APPLE__)
        optreset = 1;
        optind = 1;
#else
        optind = 0;
#endif
    }
    opterr = 0;  // the caller writes the messages
    optarg = NULL;
    optopt = 0;
    struct lmpipe_option_scan scan;
    scan.code = getopt_long(count, words, short_options, long_options, NULL);
    scan.letter = optopt;
    scan.next = optind;
    scan.argument = optarg;
    return scan;
}

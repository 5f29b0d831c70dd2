#define _GNU_SOURCE  // CPU_COUNT, sched_getaffinity, environ
#include "CPlatform.h"

#include <sched.h>
#include <spawn.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <crt_externs.h>
#define environ (*_NSGetEnviron())
#endif

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

int lmpipe_spawn(char *const words[], const int descriptors[3], pid_t *child) {
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    for (int target = 0; target < 3 && error == 0; target++)
        error = posix_spawn_file_actions_adddup2(&actions, descriptors[target], target);
    if (error == 0) error = posix_spawnp(child, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

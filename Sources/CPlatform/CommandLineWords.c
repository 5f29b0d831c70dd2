#include "CommandLineWords.h"

#include <stddef.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif

static int main_count = 0;
static char *const *main_words = NULL;

// On Linux, Swift's CommandLine.arguments finds the words through /proc/self/maps and is silently empty if that file
// cannot be opened. glibc and Darwin call constructors with the arguments of main, which needs no file.
#if defined(__GLIBC__) || defined(__APPLE__)
__attribute__((constructor)) static void keep_words(int count, char *const *words) {
    main_count = count;
    main_words = words;
}
#endif

char *const *lmpipe_words(int *count) {
    *count = main_count;
    return main_words;
}

#if defined(__linux__)
const char *lmpipe_started_path(void) { return (const char *)getauxval(AT_EXECFN); }

// In the tools, which are linked with --wrap (Package.swift), this replaces a function of the Swift runtime. A
// constructor of the runtime calls it to find the program that prints back traces, and ends the process if there is no
// /proc. NULL means that there is no such program; the environment variable SWIFT_BACKTRACE can still name one.
char *__wrap_swift_copyAuxiliaryExecutablePath(const char *name) {
    (void)name;
    return NULL;
}
#endif

#define _GNU_SOURCE  // CPU_COUNT, sched_getaffinity, F_SETPIPE_SZ, sync_file_range
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
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

// Returns whether a child process keeps this process's action for a signal. These are the signals by which users and
// job control end or stop programs: if nohup(1) or a background job ignores one, the child process must ignore it as
// well.
static bool is_kept(int number) {
    switch (number) {
        case SIGHUP:
        case SIGINT:
        case SIGQUIT:
        case SIGTERM:
        case SIGTSTP:
        case SIGTTIN:
        case SIGTTOU: return true;
        default: return false;
    }
}

// Replaces the child process by the program. Returns only on failure, with the system's error number.
static int execute(char *const words[], const int descriptors[3], pid_t parent) {
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // the parent process ended before the call
#else
    (void)parent;
#endif
    for (int target = 0; target < 3; target++)
        if (dup2(descriptors[target], target) < 0) return errno;
    if (chdir("/") != 0) return errno;
    for (int number = 1; number < NSIG; number++)
        if (!is_kept(number)) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(words[0], words);
    return errno;
}

// Uses fork, because posix_spawn cannot set the signal that a process receives when its parent ends.
int lmpipe_spawn(char *const words[], const int descriptors[3], pid_t *child) {
    int report[2];  // closed by execvp; otherwise the child process writes its error to it
    if (pipe(report) != 0) return errno;
    for (int end = 0; end < 2; end++) fcntl(report[end], F_SETFD, FD_CLOEXEC);
    signal(SIGCHLD, SIG_DFL);  // if it is ignored, waitpid has no status to return
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);  // no handler of this process may run in the child process
    pid_t parent = getpid();
    *child = fork();
    if (*child == 0) {
        int error = execute(words, descriptors, parent);
        ssize_t written = write(report[1], &error, sizeof error);
        _exit(written == sizeof error ? 127 : 126);
    }
    int error = *child < 0 ? errno : 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (error == 0) {
        ssize_t count;
        while ((count = read(report[0], &error, sizeof error)) < 0 && errno == EINTR) continue;
        if (count != sizeof error) error = 0;
        if (error != 0)
            while (waitpid(*child, NULL, 0) < 0 && errno == EINTR) continue;
    }
    close(report[0]);
    return error;
}

const void *lmpipe_find(const void *bytes, size_t count, const void *text, size_t text_count) {
    return memmem(bytes, count, text, text_count);
}

void lmpipe_enlarge_pipe(int descriptor) {
#if defined(F_SETPIPE_SZ)
    (void)fcntl(descriptor, F_SETPIPE_SZ, 1 << 20);
#else
    (void)descriptor;
#endif
}

void lmpipe_start_writeback(int descriptor, off_t offset, off_t count) {
#if defined(__linux__)
    (void)sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
#else
    (void)descriptor, (void)offset, (void)count;
#endif
}

static volatile sig_atomic_t recorded_interrupt;

static void record_interrupt(int number) { recorded_interrupt = number; }

void lmpipe_record_interrupts(void) {
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) != 0 || action.sa_handler != SIG_DFL) continue;
        action.sa_handler = record_interrupt;
        action.sa_flags = 0;  // without SA_RESTART
        sigemptyset(&action.sa_mask);
        sigaction(numbers[i], &action, NULL);
    }
}

int lmpipe_recorded_interrupt(void) { return recorded_interrupt; }

_Noreturn void lmpipe_repeat_interrupt(void) {
    int number = recorded_interrupt == 0 ? SIGINT : recorded_interrupt;
    signal(number, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    _exit(128 + number);
}

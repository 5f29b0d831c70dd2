#include "FatalErrors.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

// All functions that the signal handler calls are async-signal-safe (POSIX.1-2017, 2.4.3): they neither allocate nor
// lock.

static const char *program = "lmpipe";

void lmpipe_set_program_name(const char *name) { program = name; }

// A line of text in fixed memory.
struct line {
    char text[1024];
    size_t count;
};

// Appends text; control characters, which a file name may contain, are replaced by '?'.
static void add(struct line *line, const char *text) {
    for (; *text != 0 && line->count < sizeof line->text - 1; text++)
        line->text[line->count++] = (unsigned char)*text < 0x20 || *text == 0x7F ? '?' : *text;
}

// Appends a number in decimal.
static void add_number(struct line *line, size_t number) {
    char digits[21];
    char *start = digits + sizeof digits - 1;
    *start = 0;
    do *--start = '0' + number % 10;
    while ((number /= 10) > 0);
    add(line, start);
}

static atomic_bool reports_failure_as_record;

void lmpipe_report_failure_as_record(bool reports) { atomic_store(&reports_failure_as_record, reports); }

// Writes the message as the last record of the output. Characters that JSON would have to escape are replaced by '?'.
static void write_failure_record(const struct line *message) {
    struct line record = {.count = 0};
    add(&record, "{\"error\":\"");
    for (size_t index = 0; index < message->count && record.count < sizeof record.text - 32; index++) {
        char byte = message->text[index];
        record.text[record.count++] = byte == '"' || byte == '\\' || (unsigned char)byte >= 0x80 ? '?' : byte;
    }
    add(&record, "\",\"fatal\":true}");
    record.text[record.count++] = '\n';
    ssize_t written = write(STDOUT_FILENO, record.text, record.count);
    (void)written;
}

// Writes the message and ends the process. If several threads get here, only the first one writes.
static _Noreturn void end_with(struct line *line, int status) {
    static atomic_flag is_ending = ATOMIC_FLAG_INIT;
    while (atomic_flag_test_and_set(&is_ending)) pause();
    if (atomic_load(&reports_failure_as_record)) write_failure_record(line);
    line->text[line->count++] = '\n';
    ssize_t written = write(STDERR_FILENO, line->text, line->count);
    (void)written;  // a write error cannot be reported
    _exit(status);
}

void lmpipe_abort_out_of_memory(size_t wanted) {
    struct line line = {.count = 0};
    add(&line, program);
    add(&line, ": out of memory: cannot allocate ");
    add_number(&line, wanted);
    add(&line, " bytes");
    end_with(&line, EX_OSERR);
}

// A mapping of a file. Entries are reused but never freed, because the signal handler may be reading them.
struct mapping {
    _Atomic uintptr_t start;  // 0 if the entry is free, UINTPTR_MAX while it is being filled
    size_t size;
    char *path;
    struct mapping *next;
};
static struct mapping *_Atomic mappings;

// Reserves a free entry for the caller; NULL if memory runs out.
static struct mapping *reserve_entry(void) {
    for (struct mapping *mapping = atomic_load(&mappings); mapping != NULL; mapping = mapping->next) {
        uintptr_t none = 0;
        // Reserved by UINTPTR_MAX, so that the handler does not combine the old size with the new start.
        if (atomic_compare_exchange_strong(&mapping->start, &none, UINTPTR_MAX)) return mapping;
    }
    struct mapping *mapping = calloc(1, sizeof *mapping);
    if (mapping == NULL) return NULL;
    mapping->start = UINTPTR_MAX;
    mapping->next = atomic_load(&mappings);
    while (!atomic_compare_exchange_weak(&mappings, &mapping->next, mapping)) {}
    return mapping;
}

void lmpipe_watch_mapping(const void *start, size_t size, const char *path) {
    struct mapping *mapping = reserve_entry();
    if (mapping == NULL) return;  // unregistered: SIGBUS then ends the process without a message
    free(mapping->path);
    mapping->path = strdup(path);
    mapping->size = size;
    atomic_store(&mapping->start, (uintptr_t)start);
}

void lmpipe_forget_mapping(const void *start) {
    for (struct mapping *mapping = atomic_load(&mappings); mapping != NULL; mapping = mapping->next) {
        uintptr_t expected = (uintptr_t)start;
        if (atomic_compare_exchange_strong(&mapping->start, &expected, 0)) return;
    }
}

static void handle_lost_page(int number, siginfo_t *information, void *context) {
    (void)context;
    uintptr_t address = (uintptr_t)information->si_addr;
    for (struct mapping *mapping = atomic_load(&mappings); mapping != NULL; mapping = mapping->next) {
        uintptr_t start = atomic_load(&mapping->start);
        if (start == 0 || start == UINTPTR_MAX || address - start >= mapping->size) continue;
        struct line line = {.count = 0};
        add(&line, program);
        add(&line, ": ");
        add(&line, mapping->path != NULL ? mapping->path : "a file");
        add(&line, ": the file was truncated while in use, or its disk failed");
        end_with(&line, EX_IOERR);
    }
    signal(number, SIG_DFL);  // not in a registered mapping: the fault repeats with the default action
}

void lmpipe_handle_lost_pages(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle_lost_page;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

// The tools are linked with --wrap (Package.swift), so that these functions replace those of the C library everywhere,
// also in the Swift runtime, which would trap without a message if an allocation failed. In the tools, malloc never
// returns NULL.
#if defined(__linux__)
extern void *__real_malloc(size_t size) __attribute__((weak));
extern void *__real_calloc(size_t count, size_t size) __attribute__((weak));
extern void *__real_realloc(void *old, size_t size) __attribute__((weak));
extern void *__real_aligned_alloc(size_t alignment, size_t size) __attribute__((weak));
extern int __real_posix_memalign(void **result, size_t alignment, size_t size) __attribute__((weak));

static void *checked(void *address, size_t wanted) {
    if (address == NULL && wanted > 0) lmpipe_abort_out_of_memory(wanted);
    return address;
}

void *__wrap_malloc(size_t size) { return checked(__real_malloc(size), size); }

void *__wrap_calloc(size_t count, size_t size) {
    size_t wanted;
    if (__builtin_mul_overflow(count, size, &wanted)) wanted = SIZE_MAX;
    return checked(__real_calloc(count, size), wanted);
}

void *__wrap_realloc(void *old, size_t size) { return checked(__real_realloc(old, size), size); }

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return checked(__real_aligned_alloc(alignment, size), size);
}

int __wrap_posix_memalign(void **result, size_t alignment, size_t size) {
    int code = __real_posix_memalign(result, alignment, size);
    if (code != 0 && size > 0) lmpipe_abort_out_of_memory(size);
    return code;
}
#endif

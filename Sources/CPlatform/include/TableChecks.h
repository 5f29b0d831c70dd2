// Reductions over the tables of an image, which must take little time for some million entries. Written as plain loops
// that clang vectorizes; in Swift they compile to one entry at a time, which takes eight times as long.
#ifndef LMPIPE_TABLE_CHECKS_H
#define LMPIPE_TABLE_CHECKS_H

#include <stddef.h>
#include <stdint.h>

// What the entries of a hash table have in common.
struct lmpipe_table_summary {
    uint64_t highest;    // the highest value of the masked bits of an entry
    uint64_t empty;      // the number of entries that are zero
    uint64_t valueless;  // the number of entries whose masked bits are zero
};

static inline struct lmpipe_table_summary lmpipe_summarize_32(const uint32_t *entries, size_t count, uint32_t mask) {
    uint32_t highest = 0, empty = 0, valueless = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t value = entries[i] & mask;
        highest = value > highest ? value : highest;
        empty += entries[i] == 0;
        valueless += value == 0;
    }
    return (struct lmpipe_table_summary){highest, empty, valueless};
}

static inline struct lmpipe_table_summary lmpipe_summarize_64(const uint64_t *entries, size_t count, uint64_t mask) {
    uint64_t highest = 0, empty = 0, valueless = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = entries[i] & mask;
        highest = value > highest ? value : highest;
        empty += entries[i] == 0;
        valueless += value == 0;
    }
    return (struct lmpipe_table_summary){highest, empty, valueless};
}

// Returns whether each number is at least `low` and at most `high`.
static inline _Bool lmpipe_all_in_range(const int32_t *numbers, size_t count, int32_t low, int32_t high) {
    uint32_t outside = 0;
    for (size_t i = 0; i < count; i++) outside |= (numbers[i] < low) | (numbers[i] > high);
    return outside == 0;
}

// Returns whether the numbers do not decrease, and each differs from the one before it by at most `longest`.
static inline _Bool lmpipe_all_ascending(const uint32_t *numbers, size_t count, uint32_t longest) {
    uint32_t outside = 0;
    for (size_t i = 1; i < count; i++) {
        outside |= (numbers[i] < numbers[i - 1]) | (numbers[i] - numbers[i - 1] > longest);
    }
    return outside == 0;
}

#endif

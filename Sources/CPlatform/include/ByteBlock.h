// Sixty-four bytes at a time, and a bit for each: Swift's SIMD types have no spelling for that.
// These are clang's portable vector extensions: no instruction of one processor is named here.
#ifndef LMPIPE_BYTE_BLOCK_H
#define LMPIPE_BYTE_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Sixty-four bytes: as many as a word has bits.
typedef uint8_t lmpipe_block __attribute__((ext_vector_type(64)));

static inline lmpipe_block lmpipe_block_load(const uint8_t *bytes) {
    lmpipe_block block;
    memcpy(&block, bytes, sizeof block);
    return block;
}

// Fewer bytes than a block has; spaces stand behind them.
static inline lmpipe_block lmpipe_block_load_part(const uint8_t *bytes, size_t count) {
    lmpipe_block block = ' ';
    memcpy(&block, bytes, count);
    return block;
}

static inline void lmpipe_block_store(lmpipe_block block, uint8_t *bytes) { memcpy(bytes, &block, sizeof block); }

// Lanes of all ones or all zeros to bits, the first lane's the lowest.
#define LMPIPE_BITS(lanes) \
    lmpipe_opaque(__builtin_bit_cast(uint64_t, __builtin_convertvector(lanes, lmpipe_bits)))
typedef _Bool lmpipe_bits __attribute__((ext_vector_type(64)));

// Hides where a word comes from. An optimizer that knows it to be 64 lanes may go back to them where two such words
// meet, one lane after the other.
static inline uint64_t lmpipe_opaque(uint64_t bits) {
    __asm__("" : "+r"(bits));
    return bits;
}

static inline uint64_t lmpipe_block_equal(lmpipe_block block, uint8_t byte) { return LMPIPE_BITS(block == byte); }

static inline uint64_t lmpipe_block_less(lmpipe_block block, uint8_t byte) { return LMPIPE_BITS(block < byte); }

// What JSON (RFC 8259) has for strings: control characters, the quotation mark and the backslash.
static inline uint64_t lmpipe_block_escaped_in_json(lmpipe_block block) {
    return LMPIPE_BITS((block < 0x20) | (block == '"') | (block == '\\'));
}

static inline uint64_t lmpipe_block_digits(lmpipe_block block) { return LMPIPE_BITS(block - '0' < 10); }

#endif

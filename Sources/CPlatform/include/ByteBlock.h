// Comparisons of 64 bytes at a time, with a mask of one bit per byte as the result, which Swift's SIMD types do not
// have. Written with clang's portable vector extensions, without instructions of a particular processor.
#ifndef LMPIPE_BYTE_BLOCK_H
#define LMPIPE_BYTE_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Sixty-four bytes, one for each bit of a word.
typedef uint8_t lmpipe_block __attribute__((ext_vector_type(64)));

static inline lmpipe_block lmpipe_block_load(const uint8_t *bytes) {
    lmpipe_block block;
    memcpy(&block, bytes, sizeof block);
    return block;
}

// Loads fewer bytes than a block and fills the rest with spaces.
static inline lmpipe_block lmpipe_block_load_part(const uint8_t *bytes, size_t count) {
    lmpipe_block block = ' ';
    memcpy(&block, bytes, count);
    return block;
}

static inline void lmpipe_block_store(lmpipe_block block, uint8_t *bytes) { memcpy(bytes, &block, sizeof block); }

// Converts lanes of all ones or all zeros to a mask, with the first lane in the lowest bit.
#define LMPIPE_BITS(lanes) \
    lmpipe_opaque(__builtin_bit_cast(uint64_t, __builtin_convertvector(lanes, lmpipe_bits)))
typedef _Bool lmpipe_bits __attribute__((ext_vector_type(64)));

// Hides the origin of a mask from the optimizer, which otherwise may combine two masks lane by lane instead of as
// words.
static inline uint64_t lmpipe_opaque(uint64_t bits) {
    __asm__("" : "+r"(bits));
    return bits;
}

static inline uint64_t lmpipe_block_equal(lmpipe_block block, uint8_t byte) { return LMPIPE_BITS(block == byte); }

static inline uint64_t lmpipe_block_less(lmpipe_block block, uint8_t byte) { return LMPIPE_BITS(block < byte); }

// The bytes that JSON strings (RFC 8259) must escape: control characters, the quotation mark and the backslash.
static inline uint64_t lmpipe_block_escaped_in_json(lmpipe_block block) {
    return LMPIPE_BITS((block < 0x20) | (block == '"') | (block == '\\'));
}

static inline uint64_t lmpipe_block_digits(lmpipe_block block) { return LMPIPE_BITS(block - '0' < 10); }

#endif

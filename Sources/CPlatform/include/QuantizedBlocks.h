// Dequantizes blocks of GGUF files, 16 weights at a time. The layouts are those of ggml ("ggml-common.h").
//
// A weight is scale × integer, or scale × integer + minimum, in float32. The products are exact: a scale is a float16
// number or the product of one with a small integer and has at most 18 significant bits, and the integer has at most 6
// (8 with a float16 scale of 11 bits), which together is at most 24. So only the sum is rounded, and a fused
// multiply-add gives the same result as a product and a sum.
//
// Swift imports vectors of at most sixteen floats. Callers that need a whole block call the function for each half; the
// optimizer computes common subexpressions once.
#ifndef LMPIPE_QUANTIZED_BLOCKS_H
#define LMPIPE_QUANTIZED_BLOCKS_H

#include <stdint.h>
#include <string.h>

#include "Lanes.h"

#define LMPIPE_INLINE __attribute__((always_inline)) static inline
#define LMPIPE_TO_LANES(integers) __builtin_convertvector(integers, lmpipe_lanes)

typedef int32_t lmpipe_integers __attribute__((ext_vector_type(16)));

// Loads sixteen bytes and converts them to integers.
LMPIPE_INLINE lmpipe_integers lmpipe_widen_bytes(const uint8_t *address) {
    return __builtin_convertvector(lmpipe_load_bytes(address), lmpipe_integers);
}

// Loads the second float16 number of four bytes if `second` is 1, else the first.
LMPIPE_INLINE float lmpipe_float16_of_two(const uint8_t *address, int second) {
#if defined(__F16C__)
    // For a load of two bytes, clang uses vpinsrw, which occupies the shuffle port: the inner loops are 8 % slower.
    typedef float four_floats __attribute__((vector_size(16)));
    typedef uint32_t four_integers __attribute__((vector_size(16)));
    uint32_t bits;
    memcpy(&bits, address, sizeof bits);
    four_integers halves = {second ? bits >> 16 : bits};
    four_floats floats;
    __asm__("vcvtph2ps %1, %0" : "=x"(floats) : "x"(halves));
    return floats[0];
#else
    _Float16 half;
    memcpy(&half, address + second * 2, sizeof half);
    return half;
#endif
}

// Loads a float16 number. Two more bytes after it must belong to the block.
LMPIPE_INLINE float lmpipe_float16(const uint8_t *address) { return lmpipe_float16_of_two(address, 0); }

// Loads a float16 number at the end of a block. The two bytes before it must belong to the block: they are read as
// well.
LMPIPE_INLINE float lmpipe_last_float16(const uint8_t *address) { return lmpipe_float16_of_two(address - 2, 1); }

// MARK: Blocks of 32 weights: half 0 has the first 16, half 1 the last 16

// 16 bytes: half 0 is in the lower nibbles, half 1 in the upper nibbles.
LMPIPE_INLINE lmpipe_integers lmpipe_nibbles(const uint8_t *address, int half) {
    lmpipe_integers bytes = lmpipe_widen_bytes(address);
    return half ? bytes >> 4 : bytes & 15;
}

#if defined(__AVX512F__)
#define LMPIPE_HAS_TABLES 1
// Looks up the nibbles in a table of scaled values, which is less work than to convert and scale the integers.
LMPIPE_INLINE lmpipe_lanes lmpipe_table_lookup(const uint8_t *address, int half, lmpipe_lanes table) {
    typedef int32_t indices __attribute__((vector_size(64)));  // vpermps uses only their lower four bits
    lmpipe_integers bytes = lmpipe_widen_bytes(address);
    return __builtin_ia32_permvarsf512(table, (indices)(half ? bytes >> 4 : bytes));
}
#endif

// Q4_0: float16 scale; nibbles minus 8
LMPIPE_INLINE lmpipe_lanes lmpipe_q4_0(const void *block, int half) {
    const uint8_t *bytes = block;
    float scale = lmpipe_float16(bytes);
#if LMPIPE_HAS_TABLES
    const lmpipe_lanes integers = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};
    return lmpipe_table_lookup(bytes + 2, half, integers * scale);
#else
    return LMPIPE_TO_LANES(lmpipe_nibbles(bytes + 2, half) - 8) * scale;
#endif
}

// Q4_1: float16 scale, float16 minimum; nibbles
LMPIPE_INLINE lmpipe_lanes lmpipe_q4_1(const void *block, int half) {
    const uint8_t *bytes = block;
    lmpipe_lanes scale = lmpipe_float16(bytes), minimum = lmpipe_float16(bytes + 2);
#if LMPIPE_HAS_TABLES
    const lmpipe_lanes integers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return lmpipe_table_lookup(bytes + 4, half, __builtin_elementwise_fma(integers, scale, minimum));
#else
    return __builtin_elementwise_fma(LMPIPE_TO_LANES(lmpipe_nibbles(bytes + 4, half)), scale, minimum);
#endif
}

// 32 bits, the fifth bit of each integer (ggml: qh); nibbles
LMPIPE_INLINE lmpipe_integers lmpipe_five_bits(const uint8_t *address, int half) {
    uint32_t bits;
    memcpy(&bits, address, sizeof bits);
    lmpipe_integers high = (int32_t)(bits >> half * 16 & 0xFFFF);
    const lmpipe_integers places = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return lmpipe_nibbles(address + 4, half) | (high >> places & 1) << 4;
}

// Q5_0: float16 scale; five bits minus 16
LMPIPE_INLINE lmpipe_lanes lmpipe_q5_0(const void *block, int half) {
    const uint8_t *bytes = block;
    return LMPIPE_TO_LANES(lmpipe_five_bits(bytes + 2, half) - 16) * lmpipe_float16(bytes);
}

// Q5_1: float16 scale, float16 minimum; five bits
LMPIPE_INLINE lmpipe_lanes lmpipe_q5_1(const void *block, int half) {
    const uint8_t *bytes = block;
    lmpipe_lanes scale = lmpipe_float16(bytes), minimum = lmpipe_float16(bytes + 2);
    return __builtin_elementwise_fma(LMPIPE_TO_LANES(lmpipe_five_bits(bytes + 4, half)), scale, minimum);
}

// Q8_0: float16 scale; 32 signed bytes
LMPIPE_INLINE lmpipe_lanes lmpipe_q8_0(const void *block, int half) {
    typedef int8_t signed_bytes __attribute__((ext_vector_type(16)));
    const uint8_t *bytes = block;
    signed_bytes integers;
    memcpy(&integers, bytes + 2 + half * 16, sizeof integers);
    return LMPIPE_TO_LANES(__builtin_convertvector(integers, lmpipe_integers)) * lmpipe_float16(bytes);
}

// MARK: Super-blocks of 256 weights: eight sub-blocks of 32, each with two halves

// The scale and minimum of a sub-block in Q4_K and Q5_K: float16 scale, float16 minimum, and 12 bytes with a 6-bit
// scale and a 6-bit minimum for every sub-block. Sub-blocks 0 to 3 use the lower six bits of bytes 0 to 3 (scales) and
// 4 to 7 (minima); sub-blocks 4 to 7 use the nibbles of bytes 8 to 11 and the upper two bits of bytes 0 to 7.
LMPIPE_INLINE void lmpipe_sub_block_scale(const uint8_t *block, unsigned sub_block, float *scale, float *minimum) {
    const uint8_t *bytes = block + 4;
    int integer_scale, integer_minimum;
    if (sub_block < 4) {
        integer_scale = bytes[sub_block] & 63;
        integer_minimum = bytes[sub_block + 4] & 63;
    } else {
        integer_scale = (bytes[sub_block + 4] & 15) | bytes[sub_block - 4] >> 6 << 4;
        integer_minimum = bytes[sub_block + 4] >> 4 | bytes[sub_block] >> 6 << 4;
    }
    *scale = lmpipe_float16(block) * integer_scale;
    *minimum = -(lmpipe_float16(block + 2) * integer_minimum);
}

// Q4_K: scales; 32 bytes of nibbles for each two sub-blocks, the first in the lower nibbles
LMPIPE_INLINE lmpipe_lanes lmpipe_q4_k(const void *block, unsigned sub_block, int half) {
    const uint8_t *bytes = block;
    float scale, minimum;
    lmpipe_sub_block_scale(bytes, sub_block, &scale, &minimum);
    lmpipe_integers integers = lmpipe_widen_bytes(bytes + 16 + sub_block / 2 * 32 + half * 16) >> sub_block % 2 * 4 & 15;
    return __builtin_elementwise_fma(LMPIPE_TO_LANES(integers), (lmpipe_lanes)scale, (lmpipe_lanes)minimum);
}

// Q5_K: scales; 32 bytes of fifth bits, with one bit for each sub-block; nibbles as in Q4_K
LMPIPE_INLINE lmpipe_lanes lmpipe_q5_k(const void *block, unsigned sub_block, int half) {
    const uint8_t *bytes = block;
    float scale, minimum;
    lmpipe_sub_block_scale(bytes, sub_block, &scale, &minimum);
    lmpipe_integers nibbles = lmpipe_widen_bytes(bytes + 48 + sub_block / 2 * 32 + half * 16) >> sub_block % 2 * 4 & 15;
    lmpipe_integers high = lmpipe_widen_bytes(bytes + 16 + half * 16) >> sub_block & 1;
    return __builtin_elementwise_fma(
        LMPIPE_TO_LANES(nibbles | high << 4), (lmpipe_lanes)scale, (lmpipe_lanes)minimum);
}

// Q6_K: 128 bytes of nibbles, 64 bytes with two more bits, 16 signed scales for 16 weights each, float16 scale; minus
// 32. Sub-blocks 0 and 1 are in the lower nibbles of bytes 0 to 31 and 32 to 63, sub-blocks 2 and 3 in the upper
// nibbles of the same bytes; sub-blocks 4 to 7 are in bytes 64 to 127 in the same way.
LMPIPE_INLINE lmpipe_lanes lmpipe_q6_k(const void *block, unsigned sub_block, int half) {
    const uint8_t *bytes = block;
    const uint8_t *lower = bytes + sub_block / 4 * 64 + sub_block % 2 * 32 + half * 16;
    const uint8_t *upper = bytes + 128 + sub_block / 4 * 32 + half * 16;
    lmpipe_integers nibbles = lmpipe_widen_bytes(lower) >> sub_block % 4 / 2 * 4 & 15;
    lmpipe_integers integers = (nibbles | (lmpipe_widen_bytes(upper) >> sub_block % 4 * 2 & 3) << 4) - 32;
    int8_t scale = (int8_t)bytes[192 + sub_block * 2 + half];
    return LMPIPE_TO_LANES(integers) * (lmpipe_last_float16(bytes + 208) * scale);
}

#undef LMPIPE_TO_LANES
#undef LMPIPE_INLINE

#endif

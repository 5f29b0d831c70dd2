// The numbers that quantized blocks of GGUF files stand for, 16 at a time (the layouts are ggml's, "ggml-common.h").
//
// A number is scale × integer, or scale × integer + minimum, in float32. The products are exact: a scale is of half
// precision, or the product of such a one with a small integer, and has at most 18 significant bits; the integer fills
// up to 24. So the one rounding is that of the sum, and a fused multiply-add is what a product and a sum would be.
//
// Sixteen is what Swift can be given. Who wants the whole block asks for both halves; what they share is computed once.
#ifndef LMPIPE_QUANTIZED_BLOCKS_H
#define LMPIPE_QUANTIZED_BLOCKS_H

#include <stdint.h>
#include <string.h>

#include "Lanes.h"

#define LMPIPE_INLINE __attribute__((always_inline)) static inline
#define LMPIPE_TO_LANES(integers) __builtin_convertvector(integers, lmpipe_lanes)

typedef int32_t lmpipe_integers __attribute__((ext_vector_type(16)));

// Sixteen bytes as integers.
LMPIPE_INLINE lmpipe_integers lmpipe_widen_bytes(const uint8_t *address) {
    return __builtin_convertvector(lmpipe_load_bytes(address), lmpipe_integers);
}

// The half-precision number in the upper half of four bytes, where behind is 1, or in the lower half.
LMPIPE_INLINE float lmpipe_half_of_four(const uint8_t *address, int behind) {
#if defined(__F16C__)
    // Left alone, clang loads two bytes with vpinsrw, for which it takes a turn of the unit that shuffles: the inner
    // loops are 8 % slower.
    typedef float four_floats __attribute__((vector_size(16)));
    typedef uint32_t four_integers __attribute__((vector_size(16)));
    uint32_t bits;
    memcpy(&bits, address, sizeof bits);
    four_integers halves = {behind ? bits >> 16 : bits};
    four_floats floats;
    __asm__("vcvtph2ps %1, %0" : "=x"(floats) : "x"(halves));
    return floats[0];
#else
    _Float16 half;
    memcpy(&half, address + behind * 2, sizeof half);
    return half;
#endif
}

// The half-precision number at an address, behind which two more bytes belong to the block.
LMPIPE_INLINE float lmpipe_half(const uint8_t *address) { return lmpipe_half_of_four(address, 0); }

// The half-precision number at an address, before which two more bytes belong to the block.
LMPIPE_INLINE float lmpipe_last_half(const uint8_t *address) { return lmpipe_half_of_four(address - 2, 1); }

// MARK: Blocks of 32: half 0 has the first 16 numbers, half 1 the others

// 16 bytes: the numbers of half 0 have the lower four bits, those of half 1 the upper four.
LMPIPE_INLINE lmpipe_integers lmpipe_nibbles(const uint8_t *address, int half) {
    lmpipe_integers bytes = lmpipe_widen_bytes(address);
    return half ? bytes >> 4 : bytes & 15;
}

#if defined(__AVX512F__)
#define LMPIPE_HAS_TABLES 1
// Instead of the nibbles their entries in a table: less work than to convert and scale thirty-two integers.
LMPIPE_INLINE lmpipe_lanes lmpipe_looked_up_nibbles(const uint8_t *address, int half, lmpipe_lanes table) {
    typedef int32_t indices __attribute__((vector_size(64)));  // vpermps looks at their lower four bits alone
    lmpipe_integers bytes = lmpipe_widen_bytes(address);
    return __builtin_ia32_permvarsf512(table, (indices)(half ? bytes >> 4 : bytes));
}
#endif

// half scale; nibbles less 8
LMPIPE_INLINE lmpipe_lanes lmpipe_q4_0(const void *block, int half) {
    const uint8_t *bytes = block;
    float scale = lmpipe_half(bytes);
#if LMPIPE_HAS_TABLES
    const lmpipe_lanes integers = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};
    return lmpipe_looked_up_nibbles(bytes + 2, half, integers * scale);
#else
    return LMPIPE_TO_LANES(lmpipe_nibbles(bytes + 2, half) - 8) * scale;
#endif
}

// half scale, half minimum; nibbles
LMPIPE_INLINE lmpipe_lanes lmpipe_q4_1(const void *block, int half) {
    const uint8_t *bytes = block;
    lmpipe_lanes scale = lmpipe_half(bytes), minimum = lmpipe_half(bytes + 2);
#if LMPIPE_HAS_TABLES
    const lmpipe_lanes integers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return lmpipe_looked_up_nibbles(bytes + 4, half, __builtin_elementwise_fma(integers, scale, minimum));
#else
    return __builtin_elementwise_fma(LMPIPE_TO_LANES(lmpipe_nibbles(bytes + 4, half)), scale, minimum);
#endif
}

// 32 bits, the fifth of each integer; nibbles
LMPIPE_INLINE lmpipe_integers lmpipe_five_bits(const uint8_t *address, int half) {
    uint32_t bits;
    memcpy(&bits, address, sizeof bits);
    lmpipe_integers fifths = (int32_t)(bits >> half * 16 & 0xFFFF);
    const lmpipe_integers places = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return lmpipe_nibbles(address + 4, half) | (fifths >> places & 1) << 4;
}

// half scale; five bits less 16
LMPIPE_INLINE lmpipe_lanes lmpipe_q5_0(const void *block, int half) {
    const uint8_t *bytes = block;
    return LMPIPE_TO_LANES(lmpipe_five_bits(bytes + 2, half) - 16) * lmpipe_half(bytes);
}

// half scale, half minimum; five bits
LMPIPE_INLINE lmpipe_lanes lmpipe_q5_1(const void *block, int half) {
    const uint8_t *bytes = block;
    lmpipe_lanes scale = lmpipe_half(bytes), minimum = lmpipe_half(bytes + 2);
    return __builtin_elementwise_fma(LMPIPE_TO_LANES(lmpipe_five_bits(bytes + 4, half)), scale, minimum);
}

// half scale; 32 signed bytes
LMPIPE_INLINE lmpipe_lanes lmpipe_q8_0(const void *block, int half) {
    typedef int8_t signed_bytes __attribute__((ext_vector_type(16)));
    const uint8_t *bytes = block;
    signed_bytes integers;
    memcpy(&integers, bytes + 2 + half * 16, sizeof integers);
    return LMPIPE_TO_LANES(__builtin_convertvector(integers, lmpipe_integers)) * lmpipe_half(bytes);
}

// MARK: Blocks of 256: eight parts of 32, which have two halves each

// A part's scale and minimum in Q4_K and Q5_K: half scale, half minimum, and 12 bytes with six bits of each for every
// part; parts 0 to 3 have the lower bits of a byte to themselves, parts 4 to 7 share one and have those bytes' upper two.
LMPIPE_INLINE void lmpipe_part_scale(const uint8_t *block, unsigned part, float *scale, float *minimum) {
    const uint8_t *bytes = block + 4;
    int integer_scale, integer_minimum;
    if (part < 4) {
        integer_scale = bytes[part] & 63;
        integer_minimum = bytes[part + 4] & 63;
    } else {
        integer_scale = (bytes[part + 4] & 15) | bytes[part - 4] >> 6 << 4;
        integer_minimum = bytes[part + 4] >> 4 | bytes[part] >> 6 << 4;
    }
    *scale = lmpipe_half(block) * integer_scale;
    *minimum = -(lmpipe_half(block + 2) * integer_minimum);
}

// scales; 32 bytes of nibbles for two parts, the lower ones the first's
LMPIPE_INLINE lmpipe_lanes lmpipe_q4_k(const void *block, unsigned part, int half) {
    const uint8_t *bytes = block;
    float scale, minimum;
    lmpipe_part_scale(bytes, part, &scale, &minimum);
    lmpipe_integers integers = lmpipe_widen_bytes(bytes + 16 + part / 2 * 32 + half * 16) >> part % 2 * 4 & 15;
    return __builtin_elementwise_fma(LMPIPE_TO_LANES(integers), (lmpipe_lanes)scale, (lmpipe_lanes)minimum);
}

// scales; 32 bytes of fifth bits, a bit for each part; nibbles as in Q4_K
LMPIPE_INLINE lmpipe_lanes lmpipe_q5_k(const void *block, unsigned part, int half) {
    const uint8_t *bytes = block;
    float scale, minimum;
    lmpipe_part_scale(bytes, part, &scale, &minimum);
    lmpipe_integers nibbles = lmpipe_widen_bytes(bytes + 48 + part / 2 * 32 + half * 16) >> part % 2 * 4 & 15;
    lmpipe_integers fifths = lmpipe_widen_bytes(bytes + 16 + half * 16) >> part & 1;
    return __builtin_elementwise_fma(
        LMPIPE_TO_LANES(nibbles | fifths << 4), (lmpipe_lanes)scale, (lmpipe_lanes)minimum);
}

// 128 bytes of nibbles, 64 of two more bits, 16 signed scales for 16 numbers each, half scale; less 32. The first four
// parts have the lower nibbles of the first 32 bytes, of the next 32, and the upper ones of both; the others likewise.
LMPIPE_INLINE lmpipe_lanes lmpipe_q6_k(const void *block, unsigned part, int half) {
    const uint8_t *bytes = block;
    const uint8_t *lower = bytes + part / 4 * 64 + part % 2 * 32 + half * 16;
    const uint8_t *upper = bytes + 128 + part / 4 * 32 + half * 16;
    lmpipe_integers nibbles = lmpipe_widen_bytes(lower) >> part % 4 / 2 * 4 & 15;
    lmpipe_integers integers = (nibbles | (lmpipe_widen_bytes(upper) >> part % 4 * 2 & 3) << 4) - 32;
    int8_t scale = (int8_t)bytes[192 + part * 2 + half];
    return LMPIPE_TO_LANES(integers) * (lmpipe_last_half(bytes + 208) * scale);
}

#undef LMPIPE_TO_LANES
#undef LMPIPE_INLINE

#endif

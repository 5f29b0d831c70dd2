// Dequantizes the quantized blocks of GGUF files, 16 numbers at a time (the layouts are ggml's, "ggml-common.h").
//
// A number is scale × quant, or scale × quant + minimum, in float32. The product is exact: the scale is a
// half-precision number, or its product with a small integer, and has at most 18 significant bits; with the bits of the
// quant, the product has at most 24. So only the sum is rounded, and a fused multiply-add gives the bits of a product
// and a sum.
//
// 16 float32 numbers are the largest vector that Swift imports. A caller that needs a whole block calls the function
// for both halves; after inlining, the scale is computed once.
#ifndef LMPIPE_QUANTIZED_BLOCKS_H
#define LMPIPE_QUANTIZED_BLOCKS_H

#include <stdint.h>
#include <string.h>

#include "Lanes.h"

#if defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

#define LMPIPE_INLINE __attribute__((always_inline)) static inline
#define LMPIPE_TO_LANES(integers) __builtin_convertvector(integers, lmpipe_lanes)

typedef int32_t lmpipe_integers __attribute__((ext_vector_type(16)));
typedef int8_t lmpipe_signed_bytes __attribute__((ext_vector_type(16)));

// Converts 16 bytes to integers.
LMPIPE_INLINE lmpipe_integers lmpipe_widen_bytes(const uint8_t *address) {
    return __builtin_convertvector(lmpipe_load_bytes(address), lmpipe_integers);
}

// Converts the half-precision number in the upper (1) or lower (0) half of the four bytes at an address.
LMPIPE_INLINE float lmpipe_half_in_word(const uint8_t *address, int is_upper) {
#if defined(__F16C__)
    // Without the assembly, clang loads two bytes with vpinsrw, which occupies the shuffle port; the inner loops would
    // be 8 % slower.
    typedef float four_floats __attribute__((vector_size(16)));
    typedef uint32_t four_integers __attribute__((vector_size(16)));
    uint32_t bits;
    memcpy(&bits, address, sizeof bits);
    four_integers halves = {is_upper ? bits >> 16 : bits};
    four_floats floats;
    __asm__("vcvtph2ps %1, %0" : "=x"(floats) : "x"(halves));
    return floats[0];
#else
    _Float16 half;
    memcpy(&half, address + is_upper * 2, sizeof half);
    return half;
#endif
}

// Converts the half-precision number at an address. Reads four bytes, so the block must continue after it.
LMPIPE_INLINE float lmpipe_half(const uint8_t *address) { return lmpipe_half_in_word(address, 0); }

// Converts the half-precision number at an address, at the end of a block. Reads the two bytes before the address as
// well.
LMPIPE_INLINE float lmpipe_last_half(const uint8_t *address) { return lmpipe_half_in_word(address - 2, 1); }

// MARK: Blocks of 32: half 0 is the first 16 numbers, half 1 the last 16

// Returns 4-bit quants from 16 bytes: the lower four bits belong to half 0, the upper four to half 1.
LMPIPE_INLINE lmpipe_integers lmpipe_nibbles(const uint8_t *address, int half) {
    lmpipe_integers bytes = lmpipe_widen_bytes(address);
    return half ? bytes >> 4 : bytes & 15;
}

#if defined(__AVX512F__)
#define LMPIPE_HAS_TABLES 1
// Returns table entries for 4-bit quants. This takes fewer instructions than conversion and scaling of 32 integers.
LMPIPE_INLINE lmpipe_lanes lmpipe_look_up_nibbles(const uint8_t *address, int half, lmpipe_lanes table) {
    typedef int32_t indices __attribute__((vector_size(64)));  // vpermps uses the lower four bits only
    lmpipe_integers bytes = lmpipe_widen_bytes(address);
    return __builtin_ia32_permvarsf512(table, (indices)(half ? bytes >> 4 : bytes));
}
#endif

// Q4_0: half-precision scale; 4-bit quants - 8.
LMPIPE_INLINE lmpipe_lanes lmpipe_dequantize_q4_0(const void *block, int half) {
    const uint8_t *bytes = block;
    float scale = lmpipe_half(bytes);
#if LMPIPE_HAS_TABLES
    const lmpipe_lanes integers = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};
    return lmpipe_look_up_nibbles(bytes + 2, half, integers * scale);
#else
    return LMPIPE_TO_LANES(lmpipe_nibbles(bytes + 2, half) - 8) * scale;
#endif
}

// Q4_1: half-precision scale and minimum; 4-bit quants.
LMPIPE_INLINE lmpipe_lanes lmpipe_dequantize_q4_1(const void *block, int half) {
    const uint8_t *bytes = block;
    lmpipe_lanes scale = lmpipe_half(bytes), minimum = lmpipe_half(bytes + 2);
#if LMPIPE_HAS_TABLES
    const lmpipe_lanes integers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return lmpipe_look_up_nibbles(bytes + 4, half, __builtin_elementwise_fma(integers, scale, minimum));
#else
    return __builtin_elementwise_fma(LMPIPE_TO_LANES(lmpipe_nibbles(bytes + 4, half)), scale, minimum);
#endif
}

// Returns 5-bit quants: 32 bits (qh), the fifth bit of each quant; then the lower four bits.
LMPIPE_INLINE lmpipe_integers lmpipe_five_bit_quants(const uint8_t *address, int half) {
    uint32_t bits;
    memcpy(&bits, address, sizeof bits);
    lmpipe_integers fifth_bits = (int32_t)(bits >> half * 16 & 0xFFFF);
    const lmpipe_integers shifts = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return lmpipe_nibbles(address + 4, half) | (fifth_bits >> shifts & 1) << 4;
}

// Q5_0: half-precision scale; 5-bit quants - 16.
LMPIPE_INLINE lmpipe_lanes lmpipe_dequantize_q5_0(const void *block, int half) {
    const uint8_t *bytes = block;
    return LMPIPE_TO_LANES(lmpipe_five_bit_quants(bytes + 2, half) - 16) * lmpipe_half(bytes);
}

// Q5_1: half-precision scale and minimum; 5-bit quants.
LMPIPE_INLINE lmpipe_lanes lmpipe_dequantize_q5_1(const void *block, int half) {
    const uint8_t *bytes = block;
    lmpipe_lanes scale = lmpipe_half(bytes), minimum = lmpipe_half(bytes + 2);
    return __builtin_elementwise_fma(LMPIPE_TO_LANES(lmpipe_five_bit_quants(bytes + 4, half)), scale, minimum);
}

// Q8_0: half-precision scale; 32 signed bytes.
LMPIPE_INLINE lmpipe_lanes lmpipe_dequantize_q8_0(const void *block, int half) {
    const uint8_t *bytes = block;
    lmpipe_signed_bytes integers;
    memcpy(&integers, bytes + 2 + half * 16, sizeof integers);
    return LMPIPE_TO_LANES(__builtin_convertvector(integers, lmpipe_integers)) * lmpipe_half(bytes);
}

// Returns scale × table entries for 4-bit quants. The table has the number of each quant.
LMPIPE_INLINE lmpipe_lanes lmpipe_scaled_entries(
    const uint8_t *address, int half, lmpipe_signed_bytes table, float scale) {
#if LMPIPE_HAS_TABLES
    lmpipe_lanes numbers = LMPIPE_TO_LANES(__builtin_convertvector(table, lmpipe_integers));
    return lmpipe_look_up_nibbles(address, half, numbers * scale);
#else
    lmpipe_bytes bytes = lmpipe_load_bytes(address), indices = half ? bytes >> 4 : bytes & 15;
    lmpipe_signed_bytes entries;
#if defined(__SSSE3__)
    typedef char characters __attribute__((vector_size(16)));
    entries = (lmpipe_signed_bytes)__builtin_ia32_pshufb128((characters)table, (characters)indices);
#elif defined(__ARM_NEON) && defined(__aarch64__)
    entries = (lmpipe_signed_bytes)vqtbl1q_s8((int8x16_t)table, (uint8x16_t)indices);
#else
    for (int lane = 0; lane < 16; lane++) entries[lane] = table[indices[lane]];
#endif
    return LMPIPE_TO_LANES(__builtin_convertvector(entries, lmpipe_integers)) * scale;
#endif
}

// The numbers of IQ4_NL and IQ4_XS: kvalues_iq4nl in ggml-common.h.
#define LMPIPE_IQ4_NUMBERS \
    (lmpipe_signed_bytes) { -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113 }

// IQ4_NL: half-precision scale; 4-bit quants, which are indices of 16 numbers at unequal distances.
LMPIPE_INLINE lmpipe_lanes lmpipe_dequantize_iq4_nl(const void *block, int half) {
    const uint8_t *bytes = block;
    return lmpipe_scaled_entries(bytes + 2, half, LMPIPE_IQ4_NUMBERS, lmpipe_half(bytes));
}

// MXFP4: exponent e of the scale, 2^(e - 127); quants are floating-point numbers of four bits, E2M1 ("OCP
// Microscaling Formats (MX) Specification", version 1.0, 5.3.3 and 5.4). As in ggml, the numbers are doubled and the
// scale is halved, e = 255 is no NaN, and the negative zero is a positive one. An infinite weight is possible: 12 ×
// 2^127.
LMPIPE_INLINE lmpipe_lanes lmpipe_dequantize_mxfp4(const void *block, int half) {
    const uint8_t *bytes = block;
    const lmpipe_signed_bytes doubled = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    uint32_t exponent = bytes[0];
    uint32_t bits = exponent < 2 ? 0x00200000u << exponent : (exponent - 1) << 23;  // the first two are subnormal
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return lmpipe_scaled_entries(bytes + 1, half, doubled, scale);
}

// MARK: Super-blocks of 256: eight sub-blocks of 32, each with two halves

// Returns the scale and minimum of a sub-block of Q4_K or Q5_K. The super-block has a half-precision scale and minimum,
// and 12 bytes with a 6-bit scale and a 6-bit minimum for each sub-block. Those of sub-blocks 0 to 3 are the lower six
// bits of a byte each. Those of sub-blocks 4 to 7 share a byte for their lower four bits; their upper two are the upper
// two bits of the bytes of sub-blocks 0 to 3.
LMPIPE_INLINE void lmpipe_sub_block_scale(const uint8_t *block, unsigned sub_block, float *scale, float *minimum) {
    // Without a branch: all scales and minimums as the bytes of two integers.
    uint32_t first, second, third;
    memcpy(&first, block + 4, 4);
    memcpy(&second, block + 8, 4);
    memcpy(&third, block + 12, 4);
    uint64_t scales = (third & 0x0F0F0F0F) | (first >> 6 & 0x03030303) << 4;
    uint64_t minimums = (third >> 4 & 0x0F0F0F0F) | (second >> 6 & 0x03030303) << 4;
    int quantized_scale = (scales << 32 | (first & 0x3F3F3F3F)) >> sub_block * 8 & 63;
    int quantized_minimum = (minimums << 32 | (second & 0x3F3F3F3F)) >> sub_block * 8 & 63;
    *scale = lmpipe_half(block) * quantized_scale;
    *minimum = -(lmpipe_half(block + 2) * quantized_minimum);
}

// Q4_K: scales as above; 32 bytes of 4-bit quants for every two sub-blocks, the lower four bits for the first.
LMPIPE_INLINE lmpipe_lanes lmpipe_dequantize_q4_k(const void *block, unsigned sub_block, int half) {
    const uint8_t *bytes = block;
    float scale, minimum;
    lmpipe_sub_block_scale(bytes, sub_block, &scale, &minimum);
    const uint8_t *nibbles = bytes + 16 + sub_block / 2 * 32 + half * 16;
    lmpipe_integers integers = lmpipe_widen_bytes(nibbles) >> sub_block % 2 * 4 & 15;
    return __builtin_elementwise_fma(LMPIPE_TO_LANES(integers), (lmpipe_lanes)scale, (lmpipe_lanes)minimum);
}

// Q5_K: scales as above; 32 bytes of fifth bits (qh), one bit for each sub-block; the lower four bits as in Q4_K.
LMPIPE_INLINE lmpipe_lanes lmpipe_dequantize_q5_k(const void *block, unsigned sub_block, int half) {
    const uint8_t *bytes = block;
    float scale, minimum;
    lmpipe_sub_block_scale(bytes, sub_block, &scale, &minimum);
    const uint8_t *lower = bytes + 48 + sub_block / 2 * 32 + half * 16;
    lmpipe_integers nibbles = lmpipe_widen_bytes(lower) >> sub_block % 2 * 4 & 15;
    lmpipe_integers fifth_bits = lmpipe_widen_bytes(bytes + 16 + half * 16) >> sub_block & 1;
    return __builtin_elementwise_fma(
        LMPIPE_TO_LANES(nibbles | fifth_bits << 4), (lmpipe_lanes)scale, (lmpipe_lanes)minimum);
}

// Q6_K: 128 bytes with the lower four bits of the quants (ql), 64 with their upper two (qh), 16 signed scales for 16
// numbers each, half-precision scale; quants - 32. The first four sub-blocks have the lower four bits of the first 32
// bytes of ql, of the next 32, and the upper four bits of both. The last four have the same in the second 64 bytes.
LMPIPE_INLINE lmpipe_lanes lmpipe_dequantize_q6_k(const void *block, unsigned sub_block, int half) {
    const uint8_t *bytes = block;
    const uint8_t *lower = bytes + sub_block / 4 * 64 + sub_block % 2 * 32 + half * 16;
    const uint8_t *upper = bytes + 128 + sub_block / 4 * 32 + half * 16;
    lmpipe_integers nibbles = lmpipe_widen_bytes(lower) >> sub_block % 4 / 2 * 4 & 15;
    lmpipe_integers integers = (nibbles | (lmpipe_widen_bytes(upper) >> sub_block % 4 * 2 & 3) << 4) - 32;
    int8_t scale = (int8_t)bytes[192 + sub_block * 2 + half];
    return LMPIPE_TO_LANES(integers) * (lmpipe_last_half(bytes + 208) * scale);
}

#endif

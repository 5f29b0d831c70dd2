// Dequantizes super-blocks of GGUF files: 256 numbers in 16 parts of 16 (the layouts are ggml's, "ggml-common.h"; the
// values are those of gguf-py, "gguf/quants.py").
//
// Each product and each sum is exact or rounded once, as QuantizedBlocks.h explains. A product of the scale with a
// number of a grid has at most 11 + 5 + 6 = 22 significant bits.
//
// For each format there are a function that prepares a super-block (the scales of its parts, quants, indices, signs)
// and one that returns a part. LMPIPE_SUPER_BLOCK defines the functions that QuantizedBlocks.h describes, with these
// two.
#ifndef LMPIPE_SUPER_BLOCKS_H
#define LMPIPE_SUPER_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "QuantizedBlocks.h"
#include "QuantizedGrids.h"

// The results of preparing a super-block. The arrays start at cache lines: a store that crosses into the next line
// would delay the loads of its parts.
struct lmpipe_super_block {
    _Alignas(64) float scales[16];
    _Alignas(64) float minimums[16];    // negated
    _Alignas(64) uint16_t indices[64];  // of points of a grid
    _Alignas(32) uint32_t signs[8];     // one bit for each number
    _Alignas(64) int8_t quants[256];
};

// - Parameter unrolling: LMPIPE_UNROLLED if shifts depend on the part, so that they are constants and parts share
//   loads. LMPIPE_ROLLED for grids: unrolled, the compiler would load the indices of all parts first and lack registers
//   for them, which takes twice the time.
#define LMPIPE_SUPER_BLOCK(format, size, unrolling)                                                               \
    LMPIPE_INLINE struct lmpipe_sums lmpipe_products_##format(                                                    \
        struct lmpipe_four_rows rows, size_t count, const int n, const float *x) {                                \
        struct lmpipe_sums sums = {0};                                                                            \
        for (; count > 0; count--, rows = lmpipe_moved(rows, size), x += 256 * n) {                               \
            struct lmpipe_super_block prepared[4];                                                                \
            for (int row = 0; row < 4; row++) lmpipe_prepare_##format(rows.start[row], &prepared[row]);           \
            lmpipe_prefetch_ahead(rows, size);                                                                    \
            LMPIPE_STORED(prepared);                                                                              \
            _Pragma(unrolling) for (int pair = 0; pair < 8; pair++) {                                             \
                for (int half = 0; half < 2; half++) {                                                            \
                    for (int row = 0; row < 4; row++) {                                                           \
                        lmpipe_lanes weights = lmpipe_part_##format(rows.start[row], &prepared[row], pair, half); \
                        lmpipe_add_products(&sums, row, n, x + (pair * 32 + half * 16) * n, weights);             \
                    }                                                                                             \
                }                                                                                                 \
            }                                                                                                     \
        }                                                                                                         \
        return sums;                                                                                              \
    }                                                                                                             \
    static void lmpipe_dequantize_##format(const uint8_t *row, size_t count, float *target) {                     \
        for (; count > 0; count--, row += size, target += 256) {                                                  \
            struct lmpipe_super_block prepared;                                                                   \
            lmpipe_prepare_##format(row, &prepared);                                                              \
            _Pragma(unrolling) for (int pair = 0; pair < 8; pair++) {                                             \
                lmpipe_store_lanes(target + pair * 32, lmpipe_part_##format(row, &prepared, pair, 0));            \
                lmpipe_store_lanes(target + pair * 32 + 16, lmpipe_part_##format(row, &prepared, pair, 1));       \
            }                                                                                                     \
        }                                                                                                         \
    }
#define LMPIPE_UNROLLED "clang loop unroll(full)"
#define LMPIPE_ROLLED "clang loop unroll(disable)"

LMPIPE_INLINE lmpipe_lanes lmpipe_filled(float number) { return (lmpipe_lanes)number; }

// Vectors of 64 bytes, as shorts, because there are no shifts of bytes.
typedef uint16_t lmpipe_32_shorts __attribute__((ext_vector_type(32)));

// Returns 32 bytes twice.
LMPIPE_INLINE lmpipe_32_shorts lmpipe_load_twice(const uint8_t *address) {
    typedef uint16_t sixteen_shorts __attribute__((ext_vector_type(16)));
    sixteen_shorts shorts;
    memcpy(&shorts, address, sizeof shorts);
    return __builtin_shufflevector(
        shorts, shorts, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
        26, 27, 28, 29, 30, 31);
}

// Shift the first 32 bytes by `a` bits and the last 32 by `b`. Bits that come from the next byte must be masked.
#define LMPIPE_HALVES(a, b) \
    (lmpipe_32_shorts) { a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b }
#define LMPIPE_SHIFTED_LEFT(shorts, a, b) ((shorts) << LMPIPE_HALVES(a, b))
#define LMPIPE_SHIFTED_RIGHT(shorts, a, b) ((shorts) >> LMPIPE_HALVES(a, b))

// Stores 64 quants of a super-block, from which an offset is subtracted.
LMPIPE_INLINE void lmpipe_store_quants(
    struct lmpipe_super_block *prepared, int quarter, lmpipe_32_shorts quants, int offset) {
    typedef int8_t signed_bytes __attribute__((ext_vector_type(64)));
    signed_bytes bytes = (signed_bytes)quants - (int8_t)offset;
    memcpy(prepared->quants + quarter * 64, &bytes, sizeof bytes);
}

// Returns stored quants.
LMPIPE_INLINE lmpipe_lanes lmpipe_quants(const struct lmpipe_super_block *prepared, int pair, int half) {
    return LMPIPE_TO_LANES(lmpipe_widen_signed_bytes(prepared->quants + pair * 32 + half * 16));
}

// MARK: Two and three bits

// Returns 2-bit quants from 64 bytes: the lowest two bits of the first 32 bytes are parts 0 and 1, the next two bits
// are parts 2 and 3, and so on. The bits above the lowest two are undefined.
LMPIPE_INLINE lmpipe_integers lmpipe_two_bit_quants(const uint8_t *address, int pair, int half) {
    return lmpipe_widen_bytes(address + pair / 4 * 32 + half * 16) >> pair % 4 * 2;
}

// Q2_K: 16 bytes, each with the scale (lower four bits) and the minimum (upper four bits) of a part; 64 bytes of 2-bit
// quants; half-precision scale and minimum.
LMPIPE_INLINE void lmpipe_prepare_q2_k(const uint8_t *block, struct lmpipe_super_block *prepared) {
    lmpipe_integers bytes = lmpipe_widen_bytes(block);
    lmpipe_store_lanes(prepared->scales, LMPIPE_TO_LANES(bytes & 15) * lmpipe_half(block + 80));
    lmpipe_store_lanes(prepared->minimums, -(LMPIPE_TO_LANES(bytes >> 4) * lmpipe_half(block + 82)));
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_q2_k(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    lmpipe_integers quants = lmpipe_two_bit_quants(block + 16, pair, half);
    lmpipe_lanes scale = lmpipe_filled(prepared->scales[pair * 2 + half]);
    lmpipe_lanes minimum = lmpipe_filled(prepared->minimums[pair * 2 + half]);
#if LMPIPE_HAS_TABLES
    const lmpipe_lanes integers = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
    return lmpipe_look_up(__builtin_elementwise_fma(integers, scale, minimum), quants);
#else
    return __builtin_elementwise_fma(LMPIPE_TO_LANES(quants & 3), scale, minimum);
#endif
}
LMPIPE_SUPER_BLOCK(q2_k, 84, LMPIPE_UNROLLED)

// Q3_K: 32 bytes of third bits, bit n for parts 2n and 2n + 1; 64 bytes of the lower two bits; 12 bytes of 6-bit scales
// - 32; half-precision scale; quants - 4. The lower four bits of scales 0 to 7 are the lower halves of the first eight
// bytes, those of scales 8 to 15 the upper halves; the upper two bits of scales n, n + 4, n + 8 and n + 12 share one of
// the last four bytes.
LMPIPE_INLINE void lmpipe_prepare_q3_k(const uint8_t *block, struct lmpipe_super_block *prepared) {
    uint64_t lower;
    uint32_t upper;
    memcpy(&lower, block + 96, sizeof lower);
    memcpy(&upper, block + 104, sizeof upper);
    const uint64_t fours = 0x0F0F0F0F0F0F0F0F;
    uint64_t first = (upper & 0x03030303) | (uint64_t)(upper >> 2 & 0x03030303) << 32;
    uint64_t second = (upper >> 4 & 0x03030303) | (uint64_t)(upper >> 6 & 0x03030303) << 32;
    typedef uint64_t two_words __attribute__((ext_vector_type(2)));
    two_words scales = {(lower & fours) | first << 4, (lower >> 4 & fours) | second << 4};
    lmpipe_integers integers = __builtin_convertvector((lmpipe_bytes)scales, lmpipe_integers) - 32;
    lmpipe_store_lanes(prepared->scales, LMPIPE_TO_LANES(integers) * lmpipe_half(block + 108));
    _Pragma(LMPIPE_UNROLLED) for (int quarter = 0; quarter < 4; quarter++) {
        lmpipe_32_shorts lower = lmpipe_load_twice(block + 32 + quarter / 2 * 32), third = lmpipe_load_twice(block);
        lower = LMPIPE_SHIFTED_RIGHT(lower, quarter % 2 * 4, quarter % 2 * 4 + 2);
        third = quarter == 0 ? LMPIPE_SHIFTED_LEFT(third, 2, 1)
                             : LMPIPE_SHIFTED_RIGHT(third, quarter * 2 - 2, quarter * 2 - 1);  // to bit 2
        lmpipe_store_quants(prepared, quarter, (lower & 0x0303) | (third & 0x0404), 4);
    }
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_q3_k(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    (void)block;
    return lmpipe_quants(prepared, pair, half) * prepared->scales[pair * 2 + half];
}
LMPIPE_SUPER_BLOCK(q3_k, 110, LMPIPE_UNROLLED)

// TQ2_0: 64 bytes of 2-bit quants - 1; half-precision scale.
LMPIPE_INLINE void lmpipe_prepare_tq2_0(const uint8_t *block, struct lmpipe_super_block *prepared) {
    prepared->scales[0] = lmpipe_half(block + 64);
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_tq2_0(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    lmpipe_integers quants = lmpipe_two_bit_quants(block, pair, half);
#if LMPIPE_HAS_TABLES
    const lmpipe_lanes integers = {-1, 0, 1, 2, -1, 0, 1, 2, -1, 0, 1, 2, -1, 0, 1, 2};
    return lmpipe_look_up(integers * prepared->scales[0], quants);
#else
    return LMPIPE_TO_LANES((quants & 3) - 1) * prepared->scales[0];
#endif
}
LMPIPE_SUPER_BLOCK(tq2_0, 66, LMPIPE_UNROLLED)

// TQ1_0: 48 bytes of five ternary digits each, 4 bytes of four digits; half-precision scale; digits - 1. A byte is a
// fraction: the digit n is the integer part of 3 × (byte × 3^n mod 256) / 256. Parts 0 to 9 are the digits of the first
// 32 bytes, two parts for each digit; parts 10 to 14 are those of the next 16 bytes; part 15 is the digits of the last
// four bytes.
LMPIPE_INLINE void lmpipe_prepare_tq1_0(const uint8_t *block, struct lmpipe_super_block *prepared) {
    prepared->scales[0] = lmpipe_half(block + 52);
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_tq1_0(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    typedef uint16_t shorts __attribute__((ext_vector_type(16)));
    const shorts powers[5] = {1, 3, 9, 27, 81}, last = {1, 1, 1, 1, 3, 3, 3, 3, 9, 9, 9, 9, 27, 27, 27, 27};
    int part = pair * 2 + half;
    lmpipe_bytes bytes;
    shorts power;
    if (part < 15) {
        bytes = lmpipe_load_bytes(part < 10 ? block + half * 16 : block + 32);
        power = powers[part < 10 ? pair : part - 10];
    } else {
        typedef uint32_t words __attribute__((ext_vector_type(4)));
        uint32_t word;
        memcpy(&word, block + 48, sizeof word);
        bytes = (lmpipe_bytes)(words)word;
        power = last;
    }
    shorts digits = (__builtin_convertvector(bytes, shorts) * power & 255) * 3 >> 8;
    return LMPIPE_TO_LANES(__builtin_convertvector(digits, lmpipe_integers) - 1) * prepared->scales[0];
}
LMPIPE_SUPER_BLOCK(tq1_0, 54, LMPIPE_UNROLLED)

// MARK: Four to six bits

// Prepares the scales and minimums of Q4_K or Q5_K: a half-precision scale and minimum, and 12 bytes with a 6-bit scale
// and a 6-bit minimum for each pair of parts. Those of pairs 0 to 3 are the lower six bits of a byte each. Those of
// pairs 4 to 7 share a byte for their lower four bits; their upper two are the upper two bits of the bytes of pairs 0
// to 3.
LMPIPE_INLINE void lmpipe_prepare_pairs(const uint8_t *block, struct lmpipe_super_block *prepared) {
    uint32_t first, second, third;
    memcpy(&first, block + 4, sizeof first);
    memcpy(&second, block + 8, sizeof second);
    memcpy(&third, block + 12, sizeof third);
    const uint32_t sixes = 0x3F3F3F3F, fours = 0x0F0F0F0F, twos = 0x30303030;
    const uint32_t words[4] = {
        first & sixes, (third & fours) | (first >> 2 & twos), second & sixes, (third >> 4 & fours) | (second >> 2 & twos)};
    lmpipe_integers integers = lmpipe_widen_bytes((const uint8_t *)words);
    float scale = lmpipe_half(block), minimum = -lmpipe_half(block + 2);
    const lmpipe_lanes factors = {scale,   scale,   scale,   scale,   scale,   scale,   scale,   scale,
                                  minimum, minimum, minimum, minimum, minimum, minimum, minimum, minimum};
    lmpipe_store_lanes(prepared->scales, LMPIPE_TO_LANES(integers) * factors);
}

// Q4_K: scales as above; 32 bytes of 4-bit quants for every two pairs of parts, the lower four bits for the first.
LMPIPE_INLINE void lmpipe_prepare_q4_k(const uint8_t *block, struct lmpipe_super_block *prepared) {
    lmpipe_prepare_pairs(block, prepared);
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_q4_k(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    lmpipe_integers quants = lmpipe_widen_bytes(block + 16 + pair / 2 * 32 + half * 16) >> pair % 2 * 4;
    lmpipe_lanes scale = lmpipe_filled(prepared->scales[pair]), minimum = lmpipe_filled(prepared->scales[pair + 8]);
#if LMPIPE_HAS_TABLES
    return lmpipe_look_up(__builtin_elementwise_fma(LMPIPE_TO_15, scale, minimum), quants);
#else
    return __builtin_elementwise_fma(LMPIPE_TO_LANES(quants & 15), scale, minimum);
#endif
}
LMPIPE_SUPER_BLOCK(q4_k, 144, LMPIPE_UNROLLED)

// Q5_K: scales as above; 32 bytes of fifth bits (qh), bit n for pair n; the lower four bits as in Q4_K.
LMPIPE_INLINE void lmpipe_prepare_q5_k(const uint8_t *block, struct lmpipe_super_block *prepared) {
    lmpipe_prepare_pairs(block, prepared);
    _Pragma(LMPIPE_UNROLLED) for (int quarter = 0; quarter < 4; quarter++) {
        lmpipe_32_shorts lower = LMPIPE_SHIFTED_RIGHT(lmpipe_load_twice(block + 48 + quarter * 32), 0, 4);
        lmpipe_32_shorts fifth = lmpipe_load_twice(block + 16);
        fifth = quarter < 2 ? LMPIPE_SHIFTED_LEFT(fifth, 4 - quarter * 2, 3 - quarter * 2)
                            : LMPIPE_SHIFTED_RIGHT(fifth, quarter * 2 - 4, quarter * 2 - 3);  // to bit 4
        lmpipe_store_quants(prepared, quarter, (lower & 0x0F0F) | (fifth & 0x1010), 0);
    }
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_q5_k(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    (void)block;
    lmpipe_lanes scale = lmpipe_filled(prepared->scales[pair]), minimum = lmpipe_filled(prepared->scales[pair + 8]);
    return __builtin_elementwise_fma(lmpipe_quants(prepared, pair, half), scale, minimum);
}
LMPIPE_SUPER_BLOCK(q5_k, 176, LMPIPE_UNROLLED)

// Q6_K: 128 bytes with the lower four bits of the quants (ql), 64 with their upper two (qh), a signed scale for each
// part, half-precision scale; quants - 32. Pairs 0 and 1 have the lower four bits of the first 64 bytes of ql, pairs 2
// and 3 the upper four; they share 32 bytes of qh, two bits each. The second halves of ql and qh are pairs 4 to 7.
LMPIPE_INLINE void lmpipe_prepare_q6_k(const uint8_t *block, struct lmpipe_super_block *prepared) {
    lmpipe_integers integers = lmpipe_widen_signed_bytes((const int8_t *)block + 192);
    lmpipe_store_lanes(prepared->scales, LMPIPE_TO_LANES(integers) * lmpipe_half(block + 208));
    _Pragma(LMPIPE_UNROLLED) for (int half = 0; half < 2; half++) {
        lmpipe_32_shorts lower, upper = lmpipe_load_twice(block + 128 + half * 32);
        memcpy(&lower, block + half * 64, sizeof lower);
        lmpipe_32_shorts low_upper = LMPIPE_SHIFTED_LEFT(upper, 4, 2), high_upper = LMPIPE_SHIFTED_RIGHT(upper, 0, 2);
        lmpipe_store_quants(prepared, half * 2, (lower & 0x0F0F) | (low_upper & 0x3030), 32);
        lmpipe_store_quants(prepared, half * 2 + 1, (lower >> 4 & 0x0F0F) | (high_upper & 0x3030), 32);
    }
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_q6_k(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    (void)block;
    return lmpipe_quants(prepared, pair, half) * prepared->scales[pair * 2 + half];
}
LMPIPE_SUPER_BLOCK(q6_k, 210, LMPIPE_UNROLLED)

// MARK: Tables of 16 numbers

// IQ4_XS: half-precision scale; 6-bit scales - 32 for each 32 numbers: two bytes with the upper two bits of each, four
// bytes with the lower four bits; for each 32 numbers, 16 bytes of 4-bit quants as in IQ4_NL.
LMPIPE_INLINE void lmpipe_prepare_iq4_xs(const uint8_t *block, struct lmpipe_super_block *prepared) {
    uint16_t upper;
    uint32_t lower;
    memcpy(&upper, block + 2, sizeof upper);
    memcpy(&lower, block + 4, sizeof lower);
    const lmpipe_integers fours = {0, 4, 8, 12, 16, 20, 24, 28}, twos = {0, 2, 4, 6, 8, 10, 12, 14};
    lmpipe_integers scales = ((lmpipe_integers)(int32_t)lower >> fours & 15) | ((int32_t)upper >> twos & 3) << 4;
    lmpipe_store_lanes(prepared->scales, LMPIPE_TO_LANES(scales - 32) * lmpipe_half(block));
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_iq4_xs(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    return lmpipe_scaled_entries(
        block + 8 + pair * 16, half, LMPIPE_IQ4_NUMBERS, prepared->scales[pair]);
}
LMPIPE_SUPER_BLOCK(iq4_xs, 136, LMPIPE_UNROLLED)

// MARK: Grids
//
// The quants of these formats are indices of a grid: points of eight or four numbers, one byte each. Signs are stored
// apart, one bit for each number: bit n for number n, set if it is negative. "Signs of seven bits" are those of eight
// numbers, of which an even number are negative, so that the eighth bit is the parity of the seven.

// Vectors for a word or a scale of each pair of parts, and for the indices of points.
typedef uint32_t lmpipe_eight_words __attribute__((ext_vector_type(8)));
typedef float lmpipe_eight_floats __attribute__((ext_vector_type(8)));
typedef uint8_t lmpipe_32_bytes __attribute__((ext_vector_type(32)));

LMPIPE_INLINE lmpipe_32_shorts lmpipe_load_32_bytes(const uint8_t *address) {
    lmpipe_32_bytes bytes;
    memcpy(&bytes, address, sizeof bytes);
    return __builtin_convertvector(bytes, lmpipe_32_shorts);
}

// Returns the numbers of a part: two points of eight numbers, or four of four.
LMPIPE_INLINE lmpipe_integers lmpipe_two_points(uint64_t first, uint64_t second) {
    typedef uint64_t words __attribute__((ext_vector_type(2)));
    words both = {first, second};
    return __builtin_convertvector((lmpipe_bytes)both, lmpipe_integers);
}

LMPIPE_INLINE lmpipe_integers lmpipe_four_points(const uint32_t *grid, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    typedef uint32_t words __attribute__((ext_vector_type(4)));
    words all = {grid[a], grid[b], grid[c], grid[d]};
    return __builtin_convertvector((lmpipe_bytes)all, lmpipe_integers);
}

// Returns scale × number for a half of 32 numbers, with the sign of each number changed if its bit is set.
LMPIPE_INLINE lmpipe_lanes lmpipe_signed_product(lmpipe_integers numbers, float scale, uint32_t signs, int half) {
    const lmpipe_integers low = {31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16};
    const lmpipe_integers high = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    lmpipe_integers sign_bits = (lmpipe_integers)(int32_t)signs << (half ? high : low) & INT32_MIN;
    return (lmpipe_lanes)((lmpipe_integers)LMPIPE_TO_LANES(numbers) ^ sign_bits) * scale;
}

// Prepares signs and scales of formats with a word for each 32 numbers: four times signs of seven bits, and a 4-bit
// scale in the upper bits. A scale is (1/2 + its bits) × factor × the scale of the super-block.
LMPIPE_INLINE void lmpipe_prepare_words(
    lmpipe_eight_words words, float scale, float factor, struct lmpipe_super_block *prepared) {
    lmpipe_eight_floats scales = __builtin_convertvector((words >> 28) * 2 + 1, lmpipe_eight_floats);
    scales *= scale * 0.5f * factor;
    memcpy(prepared->scales, &scales, sizeof scales);
    lmpipe_eight_words bits =
        (words & 0x7F) | (words & 0x3F80) << 1 | (words & 0x1FC000) << 2 | (words & 0xFE00000) << 3;
    lmpipe_eight_words parity = bits ^ bits >> 4;  // bit 0 of each byte becomes the parity of the byte
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    bits |= (parity & 0x01010101) << 7;
    memcpy(prepared->signs, &bits, sizeof bits);
}

// Prepares the scales of formats with eight bytes of 4-bit scales, one for each part. A scale is (1/2 + its bits) / 4 ×
// the scale of the super-block.
LMPIPE_INLINE void lmpipe_prepare_nibbles(
    const uint8_t *nibbles, float scale, struct lmpipe_super_block *prepared) {
    typedef uint8_t eight_bytes __attribute__((ext_vector_type(8)));
    eight_bytes bytes;
    memcpy(&bytes, nibbles, sizeof bytes);
    lmpipe_bytes both = __builtin_shufflevector(
        bytes & 15, bytes >> 4, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
    lmpipe_integers integers = __builtin_convertvector(both, lmpipe_integers);
    lmpipe_store_lanes(prepared->scales, LMPIPE_TO_LANES(integers * 2 + 1) * (scale * 0.125f));
}

// IQ3_XXS: half-precision scale; 64 bytes, each the index of a point of four numbers; eight words of signs and scales.
LMPIPE_INLINE void lmpipe_prepare_iq3_xxs(const uint8_t *block, struct lmpipe_super_block *prepared) {
    lmpipe_eight_words words;
    memcpy(&words, block + 66, sizeof words);
    lmpipe_prepare_words(words, lmpipe_half(block), 0.5f, prepared);
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_iq3_xxs(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    const uint8_t *index = block + 2 + pair * 8 + half * 4;
    lmpipe_integers numbers = lmpipe_four_points(lmpipe_iq3_xxs_grid, index[0], index[1], index[2], index[3]);
    return lmpipe_signed_product(numbers, prepared->scales[pair], prepared->signs[pair], half);
}
LMPIPE_SUPER_BLOCK(iq3_xxs, 98, LMPIPE_ROLLED)

// IQ3_S: half-precision scale; 64 bytes, each the lower eight bits of the index of a point of four numbers; 8 bytes of
// ninth bits; 32 bytes of signs; 4 bytes of 4-bit scales, one for each 32 numbers. A scale is (1 + 2 × its bits) × the
// scale of the super-block.
LMPIPE_INLINE void lmpipe_prepare_iq3_s(const uint8_t *block, struct lmpipe_super_block *prepared) {
    uint32_t nibbles;
    memcpy(&nibbles, block + 106, sizeof nibbles);
    const lmpipe_eight_words fours = {0, 4, 8, 12, 16, 20, 24, 28};
    lmpipe_eight_words integers = (lmpipe_eight_words)nibbles >> fours & 15;
    lmpipe_eight_floats scales = __builtin_convertvector(integers * 2 + 1, lmpipe_eight_floats) * lmpipe_half(block);
    memcpy(prepared->scales, &scales, sizeof scales);
    for (int half = 0; half < 2; half++) {
        typedef bool flags __attribute__((ext_vector_type(32)));
        flags ninth;
        memcpy(&ninth, block + 66 + half * 4, 4);
        lmpipe_32_shorts indices = lmpipe_load_32_bytes(block + 2 + half * 32);
        indices |= __builtin_convertvector(ninth, lmpipe_32_shorts) << 8;
        memcpy(prepared->indices + half * 32, &indices, sizeof indices);
    }
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_iq3_s(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    const uint16_t *index = prepared->indices + pair * 8 + half * 4;
    uint32_t signs;
    memcpy(&signs, block + 74 + pair * 4, sizeof signs);
    lmpipe_integers numbers = lmpipe_four_points(lmpipe_iq3_s_grid, index[0], index[1], index[2], index[3]);
    return lmpipe_signed_product(numbers, prepared->scales[pair], signs, half);
}
LMPIPE_SUPER_BLOCK(iq3_s, 110, LMPIPE_ROLLED)

// IQ2_XXS: half-precision scale; for each 32 numbers, 4 bytes that are indices of points of eight numbers, and a word
// of signs and scale.
LMPIPE_INLINE void lmpipe_prepare_iq2_xxs(const uint8_t *block, struct lmpipe_super_block *prepared) {
    typedef uint64_t long_words __attribute__((ext_vector_type(8)));
    long_words words;
    memcpy(&words, block + 2, sizeof words);
    lmpipe_prepare_words(
        __builtin_convertvector(words >> 32, lmpipe_eight_words), lmpipe_half(block), 0.25f, prepared);
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_iq2_xxs(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    const uint8_t *index = block + 2 + pair * 8 + half * 2;
    lmpipe_integers numbers = lmpipe_two_points(lmpipe_iq2_xxs_grid[index[0]], lmpipe_iq2_xxs_grid[index[1]]);
    return lmpipe_signed_product(numbers, prepared->scales[pair], prepared->signs[pair], half);
}
LMPIPE_SUPER_BLOCK(iq2_xxs, 66, LMPIPE_ROLLED)

// IQ2_XS: half-precision scale; 32 pairs of bytes, each with the index of a point of eight numbers (lower nine bits)
// and signs of seven bits; 8 bytes of 4-bit scales.
LMPIPE_INLINE void lmpipe_prepare_iq2_xs(const uint8_t *block, struct lmpipe_super_block *prepared) {
    lmpipe_prepare_nibbles(block + 66, lmpipe_half(block), prepared);
    lmpipe_32_shorts shorts;
    memcpy(&shorts, block + 2, sizeof shorts);
    lmpipe_32_shorts indices = shorts & 511, bits = shorts >> 9, parity = bits ^ bits >> 4;
    memcpy(prepared->indices, &indices, sizeof indices);
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    lmpipe_32_bytes signs = __builtin_convertvector(bits | (parity & 1) << 7, lmpipe_32_bytes);
    memcpy(prepared->signs, &signs, sizeof signs);
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_iq2_xs(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    (void)block;
    const uint16_t *index = prepared->indices + pair * 4 + half * 2;
    lmpipe_integers numbers = lmpipe_two_points(lmpipe_iq2_xs_grid[index[0]], lmpipe_iq2_xs_grid[index[1]]);
    return lmpipe_signed_product(numbers, prepared->scales[pair * 2 + half], prepared->signs[pair], half);
}
LMPIPE_SUPER_BLOCK(iq2_xs, 74, LMPIPE_ROLLED)

// Returns 32 bytes, the lower eight bits of indices, with upper bits that are in the lowest bits of 32 shorts.
LMPIPE_INLINE lmpipe_32_shorts lmpipe_joined_indices(const uint8_t *bytes, lmpipe_32_shorts upper, uint16_t mask) {
    return lmpipe_load_32_bytes(bytes) | (upper & mask) << 8;
}

// Returns eight shorts, each four times.
#define LMPIPE_FOUR_TIMES(shorts) \
    __builtin_shufflevector(      \
        shorts, shorts, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7)

// IQ2_S: half-precision scale; 32 bytes, each the lower eight bits of the index of a point of eight numbers; 32 bytes
// of signs; 8 bytes with the upper two bits of four indices each; 8 bytes of 4-bit scales.
LMPIPE_INLINE void lmpipe_prepare_iq2_s(const uint8_t *block, struct lmpipe_super_block *prepared) {
    lmpipe_prepare_nibbles(block + 74, lmpipe_half(block), prepared);
    typedef uint8_t eight_bytes __attribute__((ext_vector_type(8)));
    typedef uint16_t eight_shorts __attribute__((ext_vector_type(8)));
    eight_bytes bytes;
    memcpy(&bytes, block + 66, sizeof bytes);
    eight_shorts upper = __builtin_convertvector(bytes, eight_shorts);
    const lmpipe_32_shorts shifts = {0, 2, 4, 6, 0, 2, 4, 6, 0, 2, 4, 6, 0, 2, 4, 6,
                                     0, 2, 4, 6, 0, 2, 4, 6, 0, 2, 4, 6, 0, 2, 4, 6};
    lmpipe_32_shorts indices = lmpipe_joined_indices(block + 2, LMPIPE_FOUR_TIMES(upper) >> shifts, 3);
    memcpy(prepared->indices, &indices, sizeof indices);
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_iq2_s(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    const uint16_t *index = prepared->indices + pair * 4 + half * 2;
    uint32_t signs;
    memcpy(&signs, block + 34 + pair * 4, sizeof signs);
    lmpipe_integers numbers = lmpipe_two_points(lmpipe_iq2_s_grid[index[0]], lmpipe_iq2_s_grid[index[1]]);
    return lmpipe_signed_product(numbers, prepared->scales[pair * 2 + half], signs, half);
}
LMPIPE_SUPER_BLOCK(iq2_s, 82, LMPIPE_ROLLED)

// Returns numbers of IQ1_S and IQ1_M: eight times the numbers of two points (-1, 0 or 1), plus or minus one. A byte of
// the grid is 8 × (number + 1).
//
// - Parameters:
//   - first, second: the indices of the points.
//   - minus_first, minus_second: not zero if one is subtracted, zero if one is added.
LMPIPE_INLINE lmpipe_integers lmpipe_shifted_points(
    uint32_t first, uint32_t second, uint32_t minus_first, uint32_t minus_second) {
    const uint64_t twos = 0x0202020202020202;
    uint64_t a = lmpipe_iq1_grid[first] + (minus_first ? 0 : twos);
    uint64_t b = lmpipe_iq1_grid[second] + (minus_second ? 0 : twos);
    return lmpipe_two_points(a, b) - 9;
}

// IQ1_S: half-precision scale; 32 bytes, each the lower eight bits of the index of a point of eight numbers; for each
// 32 numbers, two bytes with the upper three bits of four indices, a 3-bit scale and the sign of the shift. A number is
// (1 + 2 × scale) × (number of the point ± 1/8) × the scale of the super-block.
LMPIPE_INLINE void lmpipe_prepare_iq1_s(const uint8_t *block, struct lmpipe_super_block *prepared) {
    typedef uint16_t eight_shorts __attribute__((ext_vector_type(8)));
    eight_shorts shorts;
    memcpy(&shorts, block + 34, sizeof shorts);
    lmpipe_eight_words integers = __builtin_convertvector((shorts >> 12 & 7) * 2 + 1, lmpipe_eight_words);
    lmpipe_eight_floats scales = __builtin_convertvector(integers, lmpipe_eight_floats) * (lmpipe_half(block) * 0.125f);
    memcpy(prepared->scales, &scales, sizeof scales);
    const lmpipe_32_shorts shifts = {0, 3, 6, 9, 0, 3, 6, 9, 0, 3, 6, 9, 0, 3, 6, 9,
                                     0, 3, 6, 9, 0, 3, 6, 9, 0, 3, 6, 9, 0, 3, 6, 9};
    lmpipe_32_shorts indices = lmpipe_joined_indices(block + 2, LMPIPE_FOUR_TIMES(shorts) >> shifts, 7);
    memcpy(prepared->indices, &indices, sizeof indices);
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_iq1_s(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    const uint16_t *index = prepared->indices + pair * 4 + half * 2;
    uint32_t minus = block[35 + pair * 2] & 0x80;
    return LMPIPE_TO_LANES(lmpipe_shifted_points(index[0], index[1], minus, minus)) * prepared->scales[pair];
}
LMPIPE_SUPER_BLOCK(iq1_s, 50, LMPIPE_ROLLED)

// IQ1_M: 32 bytes, each the lower eight bits of the index of a point of eight numbers; 16 bytes, each with the upper
// three bits of an index and the sign of its shift, and the same of the next index; four pairs of bytes, each with four
// 3-bit scales in the lower 12 bits and four bits of the half-precision scale. A number is that of IQ1_S.
LMPIPE_INLINE void lmpipe_prepare_iq1_m(const uint8_t *block, struct lmpipe_super_block *prepared) {
    typedef uint16_t four_shorts __attribute__((ext_vector_type(4)));
    typedef uint16_t sixteen_shorts __attribute__((ext_vector_type(16)));
    four_shorts shorts;
    memcpy(&shorts, block + 48, sizeof shorts);
    uint16_t bits[2] = {
        (uint16_t)(shorts[0] >> 12 | (shorts[1] >> 8 & 0xF0) | (shorts[2] >> 4 & 0xF00) | (shorts[3] & 0xF000)), 0};
    const sixteen_shorts shifts = {0, 3, 6, 9, 0, 3, 6, 9, 0, 3, 6, 9, 0, 3, 6, 9};
    sixteen_shorts scales = __builtin_shufflevector(
        shorts, shorts, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3) >> shifts & 7;
    lmpipe_integers integers = __builtin_convertvector(scales, lmpipe_integers) * 2 + 1;
    lmpipe_store_lanes(
        prepared->scales, LMPIPE_TO_LANES(integers) * (lmpipe_half((const uint8_t *)bits) * 0.125f));
    sixteen_shorts bytes = __builtin_convertvector(lmpipe_load_bytes(block + 32), sixteen_shorts);
    lmpipe_32_shorts upper = __builtin_shufflevector(
        bytes, bytes >> 4, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28,
        13, 29, 14, 30, 15, 31);
    lmpipe_32_shorts indices = lmpipe_joined_indices(block, upper, 7);
    memcpy(prepared->indices, &indices, sizeof indices);
}

LMPIPE_INLINE lmpipe_lanes lmpipe_part_iq1_m(
    const uint8_t *block, const struct lmpipe_super_block *prepared, int pair, int half) {
    const uint16_t *index = prepared->indices + pair * 4 + half * 2;
    uint32_t upper = block[32 + pair * 2 + half];
    lmpipe_integers numbers = lmpipe_shifted_points(index[0], index[1], upper & 0x08, upper & 0x80);
    return LMPIPE_TO_LANES(numbers) * prepared->scales[pair * 2 + half];
}
LMPIPE_SUPER_BLOCK(iq1_m, 56, LMPIPE_ROLLED)

#endif

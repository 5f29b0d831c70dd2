// Dequantizes the quantized blocks of GGUF files (the layouts are ggml's, "ggml-common.h"). This file has the blocks of
// 32 numbers; SuperBlocks.h has those of 256.
//
// A number is scale × quant, or scale × quant + minimum, in float32. The product is exact: the scale is a
// half-precision number, or its product with a small integer, and has at most 18 significant bits; with the bits of the
// quant, the product has at most 24. So only the sum is rounded, and a fused multiply-add gives the bits of a product
// and a sum.
//
// For each format there are two functions:
//
//   lmpipe_products_FORMAT(rows, count, n, x)       sums of the products of four weight rows of `count` blocks with n
//                                                   inputs x (numbers / 16, n, 16), in the order of the numbers
//   lmpipe_dequantize_FORMAT(row, count, target)    dequantizes a row of `count` blocks into target
//
// Four rows are computed together, because the sum of a row is a chain of multiply-adds in which each waits 4 to 5
// cycles for the one before, and because an input is then loaded once for four rows. Scales are converted first and
// stored: a processor broadcasts a number that it loads at no cost, but needs an instruction on a busy port to
// broadcast a number of a register. Many scales are stored before the first is loaded, because a load that follows a
// store of the same number is delayed.
#ifndef LMPIPE_QUANTIZED_BLOCKS_H
#define LMPIPE_QUANTIZED_BLOCKS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"

#if defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

#define LMPIPE_INLINE __attribute__((always_inline)) static inline
#define LMPIPE_TO_LANES(integers) __builtin_convertvector(integers, lmpipe_lanes)
// Hides the contents of a variable from the compiler, which otherwise keeps scales in registers and broadcasts them
// from there.
#define LMPIPE_STORED(variable) __asm__("" : "+m"(variable))

typedef int32_t lmpipe_integers __attribute__((ext_vector_type(16)));
typedef int8_t lmpipe_signed_bytes __attribute__((ext_vector_type(16)));
typedef uint8_t lmpipe_bytes __attribute__((ext_vector_type(16)));

// Returns 16 bytes from an address of any alignment.
LMPIPE_INLINE lmpipe_bytes lmpipe_load_bytes(const void *address) {
    lmpipe_bytes bytes;
    memcpy(&bytes, address, sizeof bytes);
    return bytes;
}

// The addresses of four rows of weights.
struct lmpipe_four_rows { const uint8_t *start[4]; };
// The sums of four rows with up to four inputs, 16 lanes each.
struct lmpipe_sums { lmpipe_lanes of[4][4]; };

// Returns the addresses of four rows, moved by an offset in bytes.
LMPIPE_INLINE struct lmpipe_four_rows lmpipe_moved(struct lmpipe_four_rows rows, size_t offset) {
    for (int row = 0; row < 4; row++) rows.start[row] += offset;
    return rows;
}

// Prefetches the next blocks of four rows, of `size` bytes each, that are computed after about 2 KiB of each row. (Rows
// follow each other.) A processor computes some hundred instructions ahead, which is less than a memory access takes if
// scales come first, and its own prefetcher is too slow for four rows: for one thread and weights that are not in the
// cache, this is 1.3 to 2.3 times as fast; 1 KiB and 4 KiB are slower.
LMPIPE_INLINE void lmpipe_prefetch_ahead(struct lmpipe_four_rows rows, size_t size) {
    for (int row = 0; row < 4; row++)
        for (size_t offset = 0; offset < size; offset += 64) __builtin_prefetch(rows.start[row] + 2048 + offset);
}

LMPIPE_INLINE lmpipe_lanes lmpipe_load_lanes(const float *address) {
    lmpipe_lanes lanes;
    memcpy(&lanes, address, sizeof lanes);
    return lanes;
}

LMPIPE_INLINE void lmpipe_store_lanes(float *target, lmpipe_lanes lanes) { memcpy(target, &lanes, sizeof lanes); }

// Adds the products of 16 weights of a row with n inputs (n, 16) to the sums of the row.
LMPIPE_INLINE void lmpipe_add_products(struct lmpipe_sums *sums, int row, int n, const float *x, lmpipe_lanes weights) {
    for (int input = 0; input < n; input++)
        sums->of[row][input] =
            __builtin_elementwise_fma(lmpipe_load_lanes(x + input * 16), weights, sums->of[row][input]);
}

// Converts 16 bytes to integers, unsigned or signed.
LMPIPE_INLINE lmpipe_integers lmpipe_widen_bytes(const uint8_t *address) {
    return __builtin_convertvector(lmpipe_load_bytes(address), lmpipe_integers);
}

LMPIPE_INLINE lmpipe_integers lmpipe_widen_signed_bytes(const int8_t *address) {
    lmpipe_signed_bytes bytes;
    memcpy(&bytes, address, sizeof bytes);
    return __builtin_convertvector(bytes, lmpipe_integers);
}

// Converts the half-precision number at an address.
LMPIPE_INLINE float lmpipe_half(const uint8_t *address) {
    _Float16 half;
    memcpy(&half, address, sizeof half);
    return half;
}

// MARK: Scales

// The scale of a block, and its minimum if it has one.
struct lmpipe_block_scale { float scale, minimum; };

// Returns the half-precision scale at the start of a block and the half-precision number after it.
LMPIPE_INLINE struct lmpipe_block_scale lmpipe_halves_of_block(const uint8_t *block) {
    return (struct lmpipe_block_scale){lmpipe_half(block), lmpipe_half(block + 2)};
}

// Stores the same for four blocks.
LMPIPE_INLINE void lmpipe_halves_of_blocks(struct lmpipe_four_rows blocks, struct lmpipe_block_scale *scales) {
    typedef uint32_t words __attribute__((ext_vector_type(4)));
    typedef _Float16 halves __attribute__((ext_vector_type(8)));
    typedef float floats __attribute__((ext_vector_type(8)));
    uint32_t word[4];
    for (int row = 0; row < 4; row++) memcpy(&word[row], blocks.start[row], sizeof word[row]);
    words all = {word[0], word[1], word[2], word[3]};
    floats converted = __builtin_convertvector((halves)all, floats);
    memcpy(scales, &converted, sizeof converted);
}

// Returns the scale of a block of MXFP4, 2^(e - 128), from its exponent e.
LMPIPE_INLINE struct lmpipe_block_scale lmpipe_exponent_of_block(const uint8_t *block) {
    uint32_t exponent = block[0];
    uint32_t bits = exponent < 2 ? 0x00200000u << exponent : (exponent - 1) << 23;  // the first two are subnormal
    struct lmpipe_block_scale scale = {0, 0};
    memcpy(&scale.scale, &bits, sizeof bits);
    return scale;
}

LMPIPE_INLINE void lmpipe_exponent_of_blocks(struct lmpipe_four_rows blocks, struct lmpipe_block_scale *scales) {
    for (int row = 0; row < 4; row++) scales[row] = lmpipe_exponent_of_block(blocks.start[row]);
}

// MARK: Blocks of 32: half 0 is the first 16 numbers, half 1 the last 16

// Defines the functions of a format.
//
// - Parameters:
//   - format: lmpipe_half_of_FORMAT returns half a block.
//   - size: the bytes of a block.
//   - scale: SCALE_of_block and SCALE_of_blocks return the scales of one block and of four.
#define LMPIPE_BLOCK(format, size, scale)                                                                             \
    LMPIPE_INLINE struct lmpipe_sums lmpipe_products_##format(                                                        \
        struct lmpipe_four_rows rows, size_t count, const int n, const float *x) {                                    \
        struct lmpipe_sums sums = {0};                                                                                \
        _Alignas(64) struct lmpipe_block_scale scales[64][4];                                                         \
        for (size_t start = 0; start < count; start += 64) {                                                          \
            size_t length = count - start < 64 ? count - start : 64;                                                  \
            for (size_t index = 0; index < length; index++)                                                           \
                scale##_of_blocks(lmpipe_moved(rows, index * size), scales[index]);                                   \
            LMPIPE_STORED(scales);                                                                                    \
            for (size_t index = 0; index < length; index++, x += 32 * n) {                                            \
                struct lmpipe_four_rows blocks = lmpipe_moved(rows, index * size);                                    \
                lmpipe_prefetch_ahead(blocks, size);                                                                  \
                for (int row = 0; row < 4; row++) {                                                                   \
                    for (int half = 0; half < 2; half++) {                                                            \
                        lmpipe_lanes weights = lmpipe_half_of_##format(blocks.start[row], &scales[index][row], half); \
                        lmpipe_add_products(&sums, row, n, x + half * 16 * n, weights);                               \
                    }                                                                                                 \
                }                                                                                                     \
            }                                                                                                         \
            rows = lmpipe_moved(rows, length * size);                                                                 \
        }                                                                                                             \
        return sums;                                                                                                  \
    }                                                                                                                 \
    static void lmpipe_dequantize_##format(const uint8_t *row, size_t count, float *target) {                         \
        for (; count > 0; count--, row += size, target += 32) {                                                       \
            struct lmpipe_block_scale scale = scale##_of_block(row);                                                  \
            lmpipe_store_lanes(target, lmpipe_half_of_##format(row, &scale, 0));                                      \
            lmpipe_store_lanes(target + 16, lmpipe_half_of_##format(row, &scale, 1));                                 \
        }                                                                                                             \
    }

// Returns 4-bit quants from 16 bytes: the lower four bits belong to half 0, the upper four to half 1.
LMPIPE_INLINE lmpipe_integers lmpipe_nibbles(const uint8_t *address, int half) {
    lmpipe_integers bytes = lmpipe_widen_bytes(address);
    return half ? bytes >> 4 : bytes & 15;
}

#if defined(__AVX512F__)
#define LMPIPE_HAS_TABLES 1
// Returns table entries. Only the lower four bits of an index are used. A look-up takes fewer instructions than
// conversion and scaling of integers.
LMPIPE_INLINE lmpipe_lanes lmpipe_look_up(lmpipe_lanes table, lmpipe_integers index) {
    typedef int32_t indices __attribute__((vector_size(64)));
    return __builtin_ia32_permvarsf512(table, (indices)index);
}

LMPIPE_INLINE lmpipe_lanes lmpipe_look_up_nibbles(const uint8_t *address, int half, lmpipe_lanes table) {
    lmpipe_integers bytes = lmpipe_widen_bytes(address);
    return lmpipe_look_up(table, half ? bytes >> 4 : bytes);
}

// Returns table entries for 5-bit quants, which are stored as 32 fifth bits and the lower four bits.
LMPIPE_INLINE lmpipe_lanes lmpipe_look_up_five_bits(
    const uint8_t *address, int half, lmpipe_lanes lower_table, lmpipe_lanes upper_table) {
    uint16_t fifth_bits;
    memcpy(&fifth_bits, address + half * 2, sizeof fifth_bits);
    return __builtin_ia32_selectps_512(
        fifth_bits, lmpipe_look_up_nibbles(address + 4, half, upper_table),
        lmpipe_look_up_nibbles(address + 4, half, lower_table));
}
#endif

// Q4_0: half-precision scale; 4-bit quants - 8.
LMPIPE_INLINE lmpipe_lanes lmpipe_half_of_q4_0(const uint8_t *block, const struct lmpipe_block_scale *of_block, int half) {
#if LMPIPE_HAS_TABLES
    const lmpipe_lanes integers = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};
    return lmpipe_look_up_nibbles(block + 2, half, integers * of_block->scale);
#else
    return LMPIPE_TO_LANES(lmpipe_nibbles(block + 2, half) - 8) * of_block->scale;
#endif
}
LMPIPE_BLOCK(q4_0, 18, lmpipe_halves)

// The integers from 0 to 15 and from 16 to 31.
#define LMPIPE_TO_15 (lmpipe_lanes) { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }
#define LMPIPE_TO_31 (LMPIPE_TO_15 + 16)

// Returns scale × integers + minimum.
LMPIPE_INLINE lmpipe_lanes lmpipe_scaled(lmpipe_lanes integers, const struct lmpipe_block_scale *of_block) {
    return __builtin_elementwise_fma(integers, (lmpipe_lanes)of_block->scale, (lmpipe_lanes)of_block->minimum);
}

// Q4_1: half-precision scale and minimum; 4-bit quants.
LMPIPE_INLINE lmpipe_lanes lmpipe_half_of_q4_1(const uint8_t *block, const struct lmpipe_block_scale *of_block, int half) {
#if LMPIPE_HAS_TABLES
    return lmpipe_look_up_nibbles(block + 4, half, lmpipe_scaled(LMPIPE_TO_15, of_block));
#else
    return lmpipe_scaled(LMPIPE_TO_LANES(lmpipe_nibbles(block + 4, half)), of_block);
#endif
}
LMPIPE_BLOCK(q4_1, 20, lmpipe_halves)

// Returns 5-bit quants: 32 bits (qh), the fifth bit of each quant; then the lower four bits.
LMPIPE_INLINE lmpipe_integers lmpipe_five_bit_quants(const uint8_t *address, int half) {
    uint32_t bits;
    memcpy(&bits, address, sizeof bits);
    lmpipe_integers fifth_bits = (int32_t)(bits >> half * 16 & 0xFFFF);
    const lmpipe_integers shifts = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return lmpipe_nibbles(address + 4, half) | (fifth_bits >> shifts & 1) << 4;
}

// Q5_0: half-precision scale; 5-bit quants - 16.
LMPIPE_INLINE lmpipe_lanes lmpipe_half_of_q5_0(const uint8_t *block, const struct lmpipe_block_scale *of_block, int half) {
#if LMPIPE_HAS_TABLES
    return lmpipe_look_up_five_bits(
        block + 2, half, (LMPIPE_TO_15 - 16) * of_block->scale, LMPIPE_TO_15 * of_block->scale);
#else
    return LMPIPE_TO_LANES(lmpipe_five_bit_quants(block + 2, half) - 16) * of_block->scale;
#endif
}
LMPIPE_BLOCK(q5_0, 22, lmpipe_halves)

// Q5_1: half-precision scale and minimum; 5-bit quants.
LMPIPE_INLINE lmpipe_lanes lmpipe_half_of_q5_1(const uint8_t *block, const struct lmpipe_block_scale *of_block, int half) {
#if LMPIPE_HAS_TABLES
    return lmpipe_look_up_five_bits(
        block + 4, half, lmpipe_scaled(LMPIPE_TO_15, of_block), lmpipe_scaled(LMPIPE_TO_31, of_block));
#else
    return lmpipe_scaled(LMPIPE_TO_LANES(lmpipe_five_bit_quants(block + 4, half)), of_block);
#endif
}
LMPIPE_BLOCK(q5_1, 24, lmpipe_halves)

// Q8_0: half-precision scale; 32 signed bytes.
LMPIPE_INLINE lmpipe_lanes lmpipe_half_of_q8_0(const uint8_t *block, const struct lmpipe_block_scale *of_block, int half) {
    return LMPIPE_TO_LANES(lmpipe_widen_signed_bytes((const int8_t *)block + 2 + half * 16)) * of_block->scale;
}
LMPIPE_BLOCK(q8_0, 34, lmpipe_halves)

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
LMPIPE_INLINE lmpipe_lanes lmpipe_half_of_iq4_nl(const uint8_t *block, const struct lmpipe_block_scale *of_block, int half) {
    return lmpipe_scaled_entries(block + 2, half, LMPIPE_IQ4_NUMBERS, of_block->scale);
}
LMPIPE_BLOCK(iq4_nl, 18, lmpipe_halves)

// MXFP4: exponent e of the scale, 2^(e - 127); quants are floating-point numbers of four bits, E2M1 ("OCP
// Microscaling Formats (MX) Specification", version 1.0, 5.3.3 and 5.4). As in ggml, the numbers are doubled and the
// scale is halved, e = 255 is no NaN, and the negative zero is a positive one. An infinite weight is possible: 12 ×
// 2^127.
LMPIPE_INLINE lmpipe_lanes lmpipe_half_of_mxfp4(const uint8_t *block, const struct lmpipe_block_scale *of_block, int half) {
    const lmpipe_signed_bytes doubled = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    return lmpipe_scaled_entries(block + 1, half, doubled, of_block->scale);
}
LMPIPE_BLOCK(mxfp4, 17, lmpipe_exponent)

#endif

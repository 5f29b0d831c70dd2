#include "CKernels.h"

#include "QuantizedBlocks.h"
#include "SuperBlocks.h"

LMPIPE_INLINE lmpipe_lanes lmpipe_float32_to_float32(const void *address) { return lmpipe_load_lanes(address); }

// Defines the functions of a floating-point type of `size` bytes. The last vector of a row, if it is not full, is
// copied and filled with zeros.
#define LMPIPE_FLOATS(format, size, load)                                                                       \
    LMPIPE_INLINE struct lmpipe_sums lmpipe_products_##format(                                                  \
        struct lmpipe_four_rows rows, size_t count, const int n, const float *x) {                              \
        struct lmpipe_sums sums = {0};                                                                          \
        for (; count >= 16; count -= 16, rows = lmpipe_moved(rows, 16 * size), x += 16 * n) {                   \
            lmpipe_prefetch_ahead(rows, 16 * size);                                                             \
            for (int row = 0; row < 4; row++) lmpipe_add_products(&sums, row, n, x, load(rows.start[row]));     \
        }                                                                                                       \
        for (int row = 0; row < 4 && count > 0; row++) {                                                        \
            uint8_t last[16 * size] = {0};                                                                      \
            memcpy(last, rows.start[row], count * size);                                                        \
            lmpipe_add_products(&sums, row, n, x, load(last));                                                  \
        }                                                                                                       \
        return sums;                                                                                            \
    }                                                                                                           \
    static void lmpipe_dequantize_##format(const uint8_t *row, size_t count, float *target) {                   \
        for (; count >= 16; count -= 16, row += 16 * size, target += 16) lmpipe_store_lanes(target, load(row)); \
        if (count > 0) {                                                                                        \
            uint8_t last[16 * size] = {0};                                                                      \
            memcpy(last, row, count * size);                                                                    \
            lmpipe_lanes lanes = load(last);                                                                    \
            memcpy(target, &lanes, count * sizeof(float));                                                      \
        }                                                                                                       \
    }
LMPIPE_FLOATS(f32, 4, lmpipe_float32_to_float32)
LMPIPE_FLOATS(f16, 2, lmpipe_float16_to_float32)
LMPIPE_FLOATS(bf16, 2, lmpipe_bfloat16_to_float32)
LMPIPE_FLOATS(f64, 8, lmpipe_float64_to_float32)

typedef float lmpipe_four_lanes __attribute__((ext_vector_type(4)));
typedef float lmpipe_eight_lanes __attribute__((ext_vector_type(8)));

// Adds halves, quarters and pairs of lanes, in the order of `horizontalSum` in Swift.
LMPIPE_INLINE float lmpipe_horizontal_sum(lmpipe_lanes lanes) {
    lmpipe_eight_lanes eight = lanes.lo + lanes.hi;
    lmpipe_four_lanes four = eight.lo + eight.hi;
    return (four[0] + four[2]) + (four[1] + four[3]);
}

// Calls a macro with each type and the numbers in its blocks.
#define LMPIPE_FOR_EACH_TYPE(DO)                                                                    \
    DO(f32, 1) DO(f16, 1) DO(bf16, 1) DO(f64, 1)                                                    \
    DO(q4_0, 32) DO(q4_1, 32) DO(q5_0, 32) DO(q5_1, 32) DO(q8_0, 32) DO(iq4_nl, 32) DO(mxfp4, 32)   \
    DO(q2_k, 256) DO(q3_k, 256) DO(q4_k, 256) DO(q5_k, 256) DO(q6_k, 256)                           \
    DO(iq4_xs, 256) DO(iq3_s, 256) DO(iq3_xxs, 256) DO(iq2_s, 256) DO(iq2_xs, 256) DO(iq2_xxs, 256) \
    DO(iq1_m, 256) DO(iq1_s, 256) DO(tq1_0, 256) DO(tq2_0, 256)

// Each step takes one row of each quarter of the rows: the hardware prefetcher follows a few distant streams. If the
// last quarter is short, the last row is computed again.
#define LMPIPE_MATMUL(format, length)                                                                  \
    LMPIPE_INLINE void lmpipe_matmul_##format(                                                         \
        struct lmpipe_weight_rows weights, const int n, const float *x, float *sums, size_t stride) {  \
        size_t quarter = (weights.rows + 3) / 4, last = weights.rows - 1;                              \
        for (size_t first = 0; first < quarter; first++) {                                             \
            struct lmpipe_four_rows rows;                                                              \
            size_t index[4];                                                                           \
            for (int row = 0; row < 4; row++) {                                                        \
                index[row] = first + row * quarter < last ? first + row * quarter : last;              \
                rows.start[row] = weights.start + index[row] * weights.size;                           \
            }                                                                                          \
            struct lmpipe_sums lanes = lmpipe_products_##format(rows, weights.columns / length, n, x); \
            for (int input = 0; input < n; input++)                                                    \
                for (int row = 0; row < 4; row++)                                                      \
                    sums[input * stride + index[row]] = lmpipe_horizontal_sum(lanes.of[row][input]);   \
        }                                                                                              \
    }                                                                                                  \
    static void lmpipe_skinny_matmul_##format(                                                         \
        struct lmpipe_weight_rows weights, int n, const float *x, float *sums, size_t stride) {        \
        if (n == 1) lmpipe_matmul_##format(weights, 1, x, sums, stride);                               \
        if (n == 2) lmpipe_matmul_##format(weights, 2, x, sums, stride);                               \
        if (n == 4) lmpipe_matmul_##format(weights, 4, x, sums, stride);                               \
    }
LMPIPE_FOR_EACH_TYPE(LMPIPE_MATMUL)

void lmpipe_skinny_matmul(
    struct lmpipe_weight_rows weights, int n, const float *x, float *sums, size_t stride) {
    switch (weights.type) {
#define LMPIPE_CASE(format, length) \
    case lmpipe_##format: lmpipe_skinny_matmul_##format(weights, n, x, sums, stride); return;
        LMPIPE_FOR_EACH_TYPE(LMPIPE_CASE)
#undef LMPIPE_CASE
    }
}

void lmpipe_dequantize(enum lmpipe_weight_type type, const void *row, size_t count, float *target) {
    switch (type) {
#define LMPIPE_CASE(format, length) \
    case lmpipe_##format: lmpipe_dequantize_##format(row, count / length, target); return;
        LMPIPE_FOR_EACH_TYPE(LMPIPE_CASE)
#undef LMPIPE_CASE
    }
}

// Products with rows of stored weights, and their dequantization. The order of summation is that of MatmulNT.swift:
// lane l of a sum adds the products of the numbers l, l + 16, l + 32, ... in this order, with fused multiply-adds that
// start at zero.
#ifndef LMPIPE_CKERNELS_H
#define LMPIPE_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "HorizontalSums.h"
#include "Lanes.h"

// The types of stored weights, with ggml's names.
enum lmpipe_weight_type {
    lmpipe_f32, lmpipe_f16, lmpipe_bf16, lmpipe_f64,
    // Blocks of 32
    lmpipe_q4_0, lmpipe_q4_1, lmpipe_q5_0, lmpipe_q5_1, lmpipe_q8_0, lmpipe_iq4_nl, lmpipe_mxfp4,
    // Super-blocks of 256
    lmpipe_q2_k, lmpipe_q3_k, lmpipe_q4_k, lmpipe_q5_k, lmpipe_q6_k, lmpipe_iq4_xs, lmpipe_iq3_s, lmpipe_iq3_xxs,
    lmpipe_iq2_s, lmpipe_iq2_xs, lmpipe_iq2_xxs, lmpipe_iq1_m, lmpipe_iq1_s, lmpipe_tq1_0, lmpipe_tq2_0,
};

// Weights [out, in]: rows of one type, at any alignment.
struct lmpipe_weight_rows {
    enum lmpipe_weight_type type;
    const uint8_t *start;
    size_t size;     // of a row, in bytes
    size_t rows;     // at least one
    size_t columns;  // a multiple of the numbers in a block
};

// Computes sums (n, rows) = inputs · weightsᵀ for n = 1, 2 or 4 inputs.
//
// - Parameters:
//   - x: the inputs (columns / 16, n, 16), padded with zeros to whole vectors.
//   - sums: rows of numbers, `stride` numbers apart.
void lmpipe_skinny_matmul(struct lmpipe_weight_rows weights, int n, const float *x, float *sums, size_t stride);

// Dequantizes a row of `count` weights into target. The count is a multiple of the numbers in a block.
void lmpipe_dequantize(enum lmpipe_weight_type type, const void *row, size_t count, float *target);

#endif

// Horizontal sums of 16 vectors at a time.
#ifndef LMPIPE_HORIZONTAL_SUMS_H
#define LMPIPE_HORIZONTAL_SUMS_H

#include <stddef.h>
#include <string.h>

#include "Lanes.h"

// Returns the lanes of two vectors at the given 16 indices plus those at the indices plus `distance`.
#define LMPIPE_FOLDED(a, b, distance, i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14, i15) \
    (__builtin_shufflevector(a, b, i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14, i15) +  \
     __builtin_shufflevector(                                                                               \
         a, b, i0 + distance, i1 + distance, i2 + distance, i3 + distance, i4 + distance, i5 + distance,    \
         i6 + distance, i7 + distance, i8 + distance, i9 + distance, i10 + distance, i11 + distance,        \
         i12 + distance, i13 + distance, i14 + distance, i15 + distance))

// Returns the horizontal sums of 16 vectors: four groups, `stride` numbers apart, of four adjacent vectors. Each sum
// adds halves, quarters and pairs of lanes, in the order of `horizontalSum` in Swift; each fold does this for two
// vectors.
__attribute__((always_inline)) static inline lmpipe_lanes lmpipe_horizontal_sums(const float *vectors, size_t stride) {
    lmpipe_lanes v[16];
    for (int index = 0; index < 16; index++)
        memcpy(&v[index], vectors + index / 4 * stride + index % 4 * 16, sizeof *v);
    for (int index = 0; index < 8; index++)
        v[index] = LMPIPE_FOLDED(
            v[index * 2], v[index * 2 + 1], 8, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    for (int index = 0; index < 4; index++)
        v[index] = LMPIPE_FOLDED(
            v[index * 2], v[index * 2 + 1], 4, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    for (int index = 0; index < 2; index++)
        v[index] = LMPIPE_FOLDED(
            v[index * 2], v[index * 2 + 1], 2, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29);
    return LMPIPE_FOLDED(v[0], v[1], 1, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}

#undef LMPIPE_FOLDED

#endif

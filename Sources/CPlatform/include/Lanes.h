// Vectors of sixteen, and how stored numbers become such vectors of float32.
#ifndef LMPIPE_LANES_H
#define LMPIPE_LANES_H

#include <stdint.h>
#include <string.h>

// Sixteen numbers, as Swift's SIMD16 of the same.
typedef float lmpipe_lanes __attribute__((ext_vector_type(16)));

// Sixteen IEEE half-precision numbers at any address, widened. (Swift's own conversions of vectors are calls.)
#if !(defined(__APPLE__) && defined(__x86_64__))
__attribute__((always_inline)) static inline lmpipe_lanes lmpipe_widen_float16(const void *address) {
    typedef _Float16 halves __attribute__((ext_vector_type(16)));
    halves values;
    memcpy(&values, address, sizeof values);
    return __builtin_convertvector(values, lmpipe_lanes);
}
#endif

// Sixteen numbers that are the upper halves of float32, widened.
__attribute__((always_inline)) static inline lmpipe_lanes lmpipe_widen_bfloat16(const void *address) {
    typedef uint16_t halves __attribute__((ext_vector_type(16)));
    typedef uint32_t words __attribute__((ext_vector_type(16)));
    halves values;
    memcpy(&values, address, sizeof values);
    words bits = __builtin_convertvector(values, words) << 16;
    lmpipe_lanes lanes;
    memcpy(&lanes, &bits, sizeof lanes);
    return lanes;
}

typedef uint8_t lmpipe_bytes __attribute__((ext_vector_type(16)));

static inline lmpipe_bytes lmpipe_load_bytes(const void *address) {
    lmpipe_bytes bytes;
    memcpy(&bytes, address, sizeof bytes);
    return bytes;
}

#endif

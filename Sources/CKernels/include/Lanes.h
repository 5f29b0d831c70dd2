// Vectors of 16 numbers, and the conversion of float16, bfloat16 and float64 numbers to such vectors of float32.
#ifndef LMPIPE_LANES_H
#define LMPIPE_LANES_H

#include <stdint.h>
#include <string.h>

// 16 float32 numbers; Swift imports the type as SIMD16<Float>.
typedef float lmpipe_lanes __attribute__((ext_vector_type(16)));

// Converts 16 IEEE half-precision numbers at an address of any alignment. (Swift's own conversions of vectors are
// function calls.)
__attribute__((always_inline)) static inline lmpipe_lanes lmpipe_float16_to_float32(const void *address) {
    typedef _Float16 halves __attribute__((ext_vector_type(16)));
    halves values;
    memcpy(&values, address, sizeof values);
    return __builtin_convertvector(values, lmpipe_lanes);
}

// Converts 16 bfloat16 numbers, the upper halves of float32, at an address of any alignment.
__attribute__((always_inline)) static inline lmpipe_lanes lmpipe_bfloat16_to_float32(const void *address) {
    typedef uint16_t halves __attribute__((ext_vector_type(16)));
    typedef uint32_t words __attribute__((ext_vector_type(16)));
    halves values;
    memcpy(&values, address, sizeof values);
    words bits = __builtin_convertvector(values, words) << 16;
    lmpipe_lanes lanes;
    memcpy(&lanes, &bits, sizeof lanes);
    return lanes;
}

// Converts 16 float64 numbers at an address of any alignment; each is rounded to the nearest float32.
__attribute__((always_inline)) static inline lmpipe_lanes lmpipe_float64_to_float32(const void *address) {
    typedef double doubles __attribute__((ext_vector_type(16)));
    doubles values;
    memcpy(&values, address, sizeof values);
    return __builtin_convertvector(values, lmpipe_lanes);
}

#endif

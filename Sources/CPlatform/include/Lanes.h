// Vectors of sixteen elements, and conversions of stored numbers to float32.
#ifndef LMPIPE_LANES_H
#define LMPIPE_LANES_H

#include <stdint.h>
#include <string.h>

// Sixteen float32 numbers; Swift imports the type as SIMD16<Float>.
typedef float lmpipe_lanes __attribute__((ext_vector_type(16)));

// Converts sixteen float16 numbers to float32. The address may be unaligned. (In Swift, conversions of vectors compile
// to calls.)
#if !(defined(__APPLE__) && defined(__x86_64__))
__attribute__((always_inline)) static inline lmpipe_lanes lmpipe_widen_float16(const void *address) {
    typedef _Float16 halves __attribute__((ext_vector_type(16)));
    halves values;
    memcpy(&values, address, sizeof values);
    return __builtin_convertvector(values, lmpipe_lanes);
}
#endif

// Converts sixteen bfloat16 numbers, the upper halves of float32, to float32. The address may be unaligned.
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

// Base64 (RFC 4648) in blocks of 24 bytes and 32 letters. It needs byte shuffles, which Swift's SIMD types do not have.
// Written with clang's portable vector extensions, without instructions of a particular processor.
#ifndef LMPIPE_BASE64_H
#define LMPIPE_BASE64_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// A block is eight groups of three bytes or four letters, one group per 32-bit lane, with its first letter in the
// lowest byte.
typedef uint8_t lmpipe_letters __attribute__((ext_vector_type(32)));
typedef uint32_t lmpipe_groups __attribute__((ext_vector_type(8)));

// Encodes 24 bytes to 32 letters. Reads 8 bytes of padding after the 24.
static inline void lmpipe_base64_encode(const uint8_t *bytes, uint8_t *letters) {
    lmpipe_letters read;
    memcpy(&read, bytes, sizeof read);
    // The three bytes of a group as one number, the first byte in the highest place.
    lmpipe_groups group = (lmpipe_groups)__builtin_shufflevector(
        read, (lmpipe_letters)0, 2, 1, 0, 32, 5, 4, 3, 32, 8, 7, 6, 32, 11, 10, 9, 32, 14, 13, 12, 32, 17, 16, 15, 32, 20,
        19, 18, 32, 23, 22, 21, 32);
    lmpipe_letters value = (lmpipe_letters)((group >> 18) | (group >> 4 & 0x3F00) | (group << 10 & 0x3F0000) |
                                            (group << 24 & 0x3F000000));
    // letter - value is constant within each range of the alphabet A-Z, a-z, 0-9, +, /.
    lmpipe_letters letter = value + 'A';
    letter += (lmpipe_letters)(value > 25) & ('a' - 'Z' - 1);
    letter -= (lmpipe_letters)(value > 51) & ('z' - '0' + 1);
    letter -= (lmpipe_letters)(value > 61) & ('9' - '+' + 1);
    letter += (lmpipe_letters)(value > 62) & ('/' - '+' - 1);
    memcpy(letters, &letter, sizeof letter);
}

// Decodes 32 letters to 24 bytes. Overwrites 8 bytes of padding after the 24. Returns false if a letter is not in the
// alphabet.
static inline bool lmpipe_base64_decode(const uint8_t *letters, uint8_t *bytes) {
    lmpipe_letters letter;
    memcpy(&letter, letters, sizeof letter);
    lmpipe_letters upper = (lmpipe_letters)(letter - 'A' < 26);
    lmpipe_letters lower = (lmpipe_letters)(letter - 'a' < 26);
    lmpipe_letters digit = (lmpipe_letters)(letter - '0' < 10);
    lmpipe_letters plus = (lmpipe_letters)(letter == '+');
    lmpipe_letters slash = (lmpipe_letters)(letter == '/');
    lmpipe_letters value = (upper & (letter - 'A')) | (lower & (letter - 'a' + 26)) | (digit & (letter - '0' + 52)) |
                           (plus & 62) | (slash & 63);
    lmpipe_groups quad = (lmpipe_groups)value;
    lmpipe_letters group = (lmpipe_letters)((quad << 18) | (quad << 4 & 0x3F000) | (quad >> 10 & 0xFC0) | quad >> 24);
    group = __builtin_shufflevector(group, group, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 18, 17, 16, 22, 21, 20, 26, 25,
                                    24, 30, 29, 28, 0, 0, 0, 0, 0, 0, 0, 0);
    memcpy(bytes, &group, sizeof group);
    lmpipe_letters known = upper | lower | digit | plus | slash;
    return __builtin_reduce_and(known) == 0xFF;
}

#endif

#include "Hashes.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#elif defined(__ARM_FEATURE_SHA2)
#include <arm_neon.h>
#endif

// The constants of SHA-256, section 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64
// primes.
static const uint32_t k256[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotated(uint32_t x, int count) { return x >> count | x << (32 - count); }

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// Section 6.2.2.
static void sha256_portable(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    for (; blocks > 0; blocks--, bytes += 64) {
        uint32_t w[64];
        for (int t = 0; t < 16; t++) w[t] = big_endian(bytes + 4 * t);
        for (int t = 16; t < 64; t++) {
            uint32_t s0 = rotated(w[t - 15], 7) ^ rotated(w[t - 15], 18) ^ w[t - 15] >> 3;
            uint32_t s1 = rotated(w[t - 2], 17) ^ rotated(w[t - 2], 19) ^ w[t - 2] >> 10;
            w[t] = s1 + w[t - 7] + s0 + w[t - 16];
        }
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
#pragma clang loop unroll_count(8)
        for (int t = 0; t < 64; t++) {
            uint32_t s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
            uint32_t t1 = h + s1 + (g ^ (e & (f ^ g))) + k256[t] + w[t];
            uint32_t s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
            uint32_t t2 = s0 + ((a & b) | (c & (a | b)));
            h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
    }
}

// Section 6.1.2. Only small files of git repositories have SHA-1 digests.
static void sha1(uint32_t state[5], const uint8_t *bytes, size_t blocks) {
    for (; blocks > 0; blocks--, bytes += 64) {
        uint32_t w[80];
        for (int t = 0; t < 16; t++) w[t] = big_endian(bytes + 4 * t);
        for (int t = 16; t < 80; t++) w[t] = rotated(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 31);
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
        for (int t = 0; t < 80; t++) {
            uint32_t f, k;
            if (t < 20) f = (b & c) ^ (~b & d), k = 0x5a827999;
            else if (t < 40) f = b ^ c ^ d, k = 0x6ed9eba1;
            else if (t < 60) f = (b & c) ^ (b & d) ^ (c & d), k = 0x8f1bbcdc;
            else f = b ^ c ^ d, k = 0xca62c1d6;
            uint32_t sum = rotated(a, 27) + f + e + k + w[t];
            e = d, d = c, c = rotated(b, 2), b = a, a = sum;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
    }
}

#if defined(__x86_64__)

static bool has_sha_instructions(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3)) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29);
}

// Four rounds at a time (Intel, "Intel SHA Extensions", 2013). The instructions take the state as the words ABEF and
// CDGH.
__attribute__((target("sha,sse4.1,ssse3")))
static void sha256_x86(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);
    for (; blocks > 0; blocks--, bytes += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];  // the last 16 words of the message schedule
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bytes + 16 * i)), big_endian);
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) {
            __m128i *new = &w[i & 3];
            if (i >= 4) {
                __m128i last = w[(i + 3) & 3];
                __m128i sum = _mm_add_epi32(
                    _mm_sha256msg1_epu32(*new, w[(i + 1) & 3]), _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
                *new = _mm_sha256msg2_epu32(sum, last);
            }
            __m128i words = _mm_add_epi32(*new, _mm_loadu_si128((const __m128i *)(k256 + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, words);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(words, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    low = _mm_shuffle_epi32(abef, 0x1b);
    high = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

static void sha256(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    static int is_fast = -1;  // writing the same value twice is harmless
    if (is_fast < 0) is_fast = has_sha_instructions();
    if (is_fast) sha256_x86(state, bytes, blocks);
    else sha256_portable(state, bytes, blocks);
}

#elif defined(__ARM_FEATURE_SHA2)

static void sha256(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    (void)sha256_portable;
    uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);
    for (; blocks > 0; blocks--, bytes += 64) {
        const uint32x4_t abcd_before = abcd, efgh_before = efgh;
        uint32x4_t w[4];  // the last 16 words of the message schedule
        for (int i = 0; i < 4; i++) w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(bytes + 16 * i)));
        for (int i = 0; i < 16; i++) {
            uint32x4_t *new = &w[i & 3];
            if (i >= 4)
                *new = vsha256su1q_u32(vsha256su0q_u32(*new, w[(i + 1) & 3]), w[(i + 2) & 3], w[(i + 3) & 3]);
            uint32x4_t words = vaddq_u32(*new, vld1q_u32(k256 + 4 * i)), old = abcd;
            abcd = vsha256hq_u32(abcd, efgh, words);
            efgh = vsha256h2q_u32(efgh, old, words);
        }
        abcd = vaddq_u32(abcd, abcd_before);
        efgh = vaddq_u32(efgh, efgh_before);
    }
    vst1q_u32(state, abcd);
    vst1q_u32(state + 4, efgh);
}

#else

static void sha256(uint32_t state[8], const uint8_t *bytes, size_t blocks) { sha256_portable(state, bytes, blocks); }

#endif

static void process(struct lmpipe_hash *hash, const uint8_t *bytes, size_t blocks) {
    if (hash->is_sha256) sha256(hash->state, bytes, blocks);
    else sha1(hash->state, bytes, blocks);
}

void lmpipe_hash_begin(struct lmpipe_hash *hash, bool is_sha256) {
    // Sections 5.3.1 and 5.3.3.
    static const uint32_t initial256[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    static const uint32_t initial1[8] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    memset(hash, 0, sizeof *hash);
    memcpy(hash->state, is_sha256 ? initial256 : initial1, sizeof hash->state);
    hash->is_sha256 = is_sha256;
}

void lmpipe_hash_add(struct lmpipe_hash *hash, const void *start, size_t count) {
    if (count == 0) return;
    const uint8_t *bytes = start;
    size_t held = hash->count % 64;
    hash->count += count;
    if (held > 0) {
        size_t part = count < 64 - held ? count : 64 - held;
        memcpy(hash->block + held, bytes, part);
        bytes += part, count -= part;
        if (held + part < 64) return;
        process(hash, hash->block, 1);
    }
    process(hash, bytes, count / 64);
    memcpy(hash->block, bytes + count / 64 * 64, count % 64);
}

void lmpipe_hash_end(struct lmpipe_hash *hash, uint8_t *digest) {
    uint64_t bits = hash->count * 8;
    uint8_t padding[128] = {0x80};
    size_t held = hash->count % 64, length = (held < 56 ? 56 : 120) - held;
    for (int i = 0; i < 8; i++) padding[length + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
    lmpipe_hash_add(hash, padding, length + 8);
    int size = hash->is_sha256 ? 32 : 20;
    for (int i = 0; i < size; i++) digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

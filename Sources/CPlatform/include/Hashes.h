// SHA-256 and SHA-1 (FIPS 180-4), computed while bytes arrive. SHA-256 uses the SHA instructions of x86-64 if the
// processor has them, and those of arm64 if the target has them.
#ifndef LMPIPE_HASHES_H
#define LMPIPE_HASHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lmpipe_hash {
    uint32_t state[8];
    uint64_t count;      // the number of bytes so far
    uint8_t block[64];   // the bytes after the last whole block
    bool is_sha256;      // otherwise SHA-1
};

void lmpipe_hash_begin(struct lmpipe_hash *hash, bool is_sha256);

// Adds `count` bytes.
void lmpipe_hash_add(struct lmpipe_hash *hash, const void *bytes, size_t count);

// Writes the digest: 32 bytes, or 20 for SHA-1.
void lmpipe_hash_end(struct lmpipe_hash *hash, uint8_t *digest);

#endif

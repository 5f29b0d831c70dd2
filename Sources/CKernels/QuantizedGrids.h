// The grids of the IQ formats (SuperBlocks.h describes them).
#ifndef LMPIPE_QUANTIZED_GRIDS_H
#define LMPIPE_QUANTIZED_GRIDS_H

#include <stdint.h>

extern const uint64_t lmpipe_iq2_xxs_grid[256];
extern const uint64_t lmpipe_iq2_xs_grid[512];
extern const uint64_t lmpipe_iq2_s_grid[1024];
extern const uint64_t lmpipe_iq1_grid[2048];
extern const uint32_t lmpipe_iq3_xxs_grid[256];
extern const uint32_t lmpipe_iq3_s_grid[512];

#endif

// The grids of the IQ formats (SuperBlocks.h), as bytes: the compiler unpacks the codes of GridCodes.h.
//
// A code has a digit for each number of a grid point: two bits of a code are 0, 1 or 2, and four bits are 0 to 7. The
// numbers for the digits are grid_map in gguf-py.
#include "QuantizedGrids.h"

#define EACH(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)                                                        \
    POINT(0x##a), POINT(0x##b), POINT(0x##c), POINT(0x##d), POINT(0x##e), POINT(0x##f), POINT(0x##g), POINT(0x##h), \
        POINT(0x##i), POINT(0x##j), POINT(0x##k), POINT(0x##l), POINT(0x##m), POINT(0x##n), POINT(0x##o), POINT(0x##p),
#define ROW(...) EACH(__VA_ARGS__)

#define PLACE_OF_8(code, index) ((uint64_t)NUMBER((code) >> 2 * (index) & 3) << 8 * (index))
#define POINT_OF_8(code)                                                                    \
    PLACE_OF_8(code, 0) | PLACE_OF_8(code, 1) | PLACE_OF_8(code, 2) | PLACE_OF_8(code, 3) | \
        PLACE_OF_8(code, 4) | PLACE_OF_8(code, 5) | PLACE_OF_8(code, 6) | PLACE_OF_8(code, 7)
#define PLACE_OF_4(code, index) ((uint32_t)NUMBER((code) >> 4 * (index) & 7) << 8 * (index))
#define POINT_OF_4(code) PLACE_OF_4(code, 0) | PLACE_OF_4(code, 1) | PLACE_OF_4(code, 2) | PLACE_OF_4(code, 3)

#include "GridCodes.h"

// IQ2: 8, 25, 43
#define POINT POINT_OF_8
#define NUMBER(digit) (8 + 17 * (digit) + ((digit) == 2))
const uint64_t lmpipe_iq2_xxs_grid[256] = {LMPIPE_IQ2_XXS_CODES};
const uint64_t lmpipe_iq2_xs_grid[512] = {LMPIPE_IQ2_XS_CODES};
const uint64_t lmpipe_iq2_s_grid[1024] = {LMPIPE_IQ2_S_CODES};
#undef NUMBER

// IQ1: -1, 0, 1, as 8 × (number + 1)
#define NUMBER(digit) (8 * (digit))
const uint64_t lmpipe_iq1_grid[2048] = {LMPIPE_IQ1_S_CODES};
#undef NUMBER
#undef POINT

// IQ3_XXS: 4, 12, 20, 28, 36, 44, 52, 62
#define POINT POINT_OF_4
#define NUMBER(digit) (4 + 8 * (digit) + ((digit) == 7) * 2)
const uint32_t lmpipe_iq3_xxs_grid[256] = {LMPIPE_IQ3_XXS_CODES};
#undef NUMBER

// IQ3_S: 1, 3, 5, 7, 9, 11, 13, 15
#define NUMBER(digit) (1 + 2 * (digit))
const uint32_t lmpipe_iq3_s_grid[512] = {LMPIPE_IQ3_S_CODES};

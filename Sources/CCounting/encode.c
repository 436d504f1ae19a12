#include "kernels.h"

// Values outside the cells, which are rare by construction, and rows without a value.
static RARE uint16_t unusual(const hf_block *block, int lane, double value) {
    if (value != value) {
        uint64_t pattern;
        memcpy(&pattern, &value, sizeof pattern);
        uint64_t payload = pattern & UINT16_MAX;
        return block->holes[lane][payload < HF_HOLES ? payload : 0];
    }
    const double *edges = block->edges[lane];
    int64_t base = 0, length = block->edge_count[lane];
    while (length > 0) {
        int64_t half = length >> 1;
        if (edges[base + half] < value) {
            base += half + 1;
            length -= half + 1;
        } else {
            length = half;
        }
    }
    return (uint16_t)base;
}

// Counts on from `base` the edges below the value, four at a time; hardly any cell has more. Looking past the cell's own edges does no
// harm: none of those is below.
INLINE uint16_t search(const double *edges, uint64_t base, double value) {
    doubles all = {value, value, value, value};
    for (;;) {
        uint64_t below = (uint64_t)__builtin_popcountll(BITS(*(const array *)(edges + base) < all));
        base += below;
        if (__builtin_expect(below < HF_LANES, 1)) return (uint16_t)base;
    }
}

_Static_assert(HF_PADDING >= HF_LANES, "a search ends at the infinities and reads no further");

INLINE uint16_t usual(const hf_block *block, int lane, uint64_t cell, double value) {
    return search(block->edges[lane], block->below[lane][cell], value);
}

// The codes of four rows.
typedef uint16_t quad __attribute__((vector_size(HF_LANES * HF_LANES * sizeof(uint16_t))));
typedef uint32_t wide_quad __attribute__((vector_size(HF_LANES * HF_LANES * sizeof(uint32_t))));

// Codes as `Windows.CodeRanks.tag` has it, in the lanes that have ranks. Dividing by 48 this way is exact for 16 bits.
INLINE void tag(const hf_block *block, uint16_t *codes, int64_t rows) {
    uint16_t chosen[HF_LANES] = {0};
    for (int64_t i = 0; i < block->ranked.count; i++) chosen[block->ranked.lane[i]] = UINT16_MAX;
    uint64_t row_mask;
    memcpy(&row_mask, chosen, sizeof row_mask);
    quad mask = (quad)((words){} + row_mask);
    for (int64_t row = 0; row < rows; row += HF_LANES) {
        quad code;
        memcpy(&code, codes + row * HF_LANES, sizeof code);
        quad word = __builtin_convertvector(__builtin_convertvector(code, wide_quad) * 43691u >> 21, quad);
        code = (mask & (word << 8 | (code - 48 * word))) | (~mask & code);
        memcpy(codes + row * HF_LANES, &code, sizeof code);
    }
}

INLINE void encode(
    const hf_block *block, const double *values, int64_t stride, int64_t rows, uint16_t *codes, double *copy) {
    doubles low, high, offset;
    signs origin;
    words shift;
    memcpy(&low, block->low, sizeof low);
    memcpy(&high, block->high, sizeof high);
    memcpy(&offset, block->offset, sizeof offset);
    memcpy(&origin, block->origin, sizeof origin);
    memcpy(&shift, block->shift, sizeof shift);
    uint16_t *code = codes;
    for (int64_t row = 0; row < rows; row++, code += HF_LANES) {
        doubles value = *(const array *)(values + row * stride);
        *(array *)(copy + row * HF_LANES) = value;
        signs has_cell = (value >= low) & (value <= high);
        // Whole numbers in the order of the doubles; the sum is never −0, for no offset is.
        signs key = (signs)(value + offset);
        key ^= (signs)((words)(key < 0) >> 1);
        words cell = (words)(key - origin) >> shift;
        if (__builtin_expect(BITS(has_cell) == (1 << HF_LANES) - 1, 1)) {
#pragma clang loop unroll(full)
            for (int lane = 0; lane < HF_LANES; lane++) code[lane] = usual(block, lane, cell[lane], value[lane]);
        } else {
            for (int lane = 0; lane < HF_LANES; lane++)
                code[lane] = has_cell[lane] ? usual(block, lane, cell[lane], value[lane]) : unusual(block, lane, value[lane]);
        }
    }
    if (block->ranked.count) tag(block, codes, rows);
}

FORMS(
    encode, (const hf_block *block, const double *values, int64_t stride, int64_t rows, uint16_t *codes, double *copy), block, values,
    stride, rows, codes, copy)

void hf_encode(
    const hf_block *block, const double *values, int64_t stride, int64_t rows, uint16_t *codes, double *copy, hf_form form) {
    CALL(form, encode, block, values, stride, rows, codes, copy);
}

void hf_block_start(hf_block *block, int64_t place) {
    static const uint16_t below[1] = {0};
    static const double edges[HF_PADDING] = {[0 ... HF_PADDING - 1] = __builtin_inf()};
    static const uint16_t holes[HF_HOLES] = {0};
    memset(block, 0, sizeof *block);
    block->place = place;
    // A lane without a column: 0 is its only value with a cell.
    for (int lane = 0; lane < HF_LANES; lane++) {
        block->below[lane] = below;
        block->edges[lane] = edges;
        block->holes[lane] = holes;
    }
}

void hf_block_append(hf_block *block, const hf_column *column) {
    int64_t lane = block->columns++;
    block->low[lane] = column->low;
    block->high[lane] = column->high;
    block->offset[lane] = column->offset;
    block->scale[lane] = column->scale;
    block->origin[lane] = column->origin;
    block->shift[lane] = column->shift;
    block->below[lane] = column->below;
    block->edges[lane] = column->edges;
    block->edge_count[lane] = column->edge_count;
    block->holes[lane] = column->holes;
    hf_lanes_append(column->word < 0 ? &block->plain : &block->ranked, lane, column->column, column->word);
}

void hf_lanes_append(hf_lanes *lanes, int64_t lane, int64_t column, int64_t word) {
    int64_t i = lanes->count++;
    lanes->lane[i] = lane;
    lanes->column[i] = column;
    lanes->word[i] = word;
}

hf_form hf_best_form(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt")) return HF_WIDE;
#endif
    return HF_PORTABLE;
}

#include "kernels.h"

#include <stddef.h>

// The layout of Windows.HotMoments; a test compares what comes of both.
typedef struct {
    __int128 sum;
    unsigned __int128 squares;
    double minimum, maximum;
} sums;

_Static_assert(sizeof(sums) == 48 && offsetof(sums, maximum) == 40, "as in Swift");

// A double of 1.5 · 2^52 more than x, where |x| is below 2^51, has the nearest whole number to x, the even one of two, in its lowest bits;
// so has one of 2^52 more where x is not negative. The exponents of either stand above bit 51.
#define SIGNED 0x1.8p52
#define SIGNED_BITS UINT64_C(0x4338000000000000)
#define UNSIGNED 0x1p52
#define USUAL 0x1p51

enum {
    // Halves of a multiple: each product of two of them is below 2^52 …
    HALF = 26,
    // … so that those of so many rows add up in 64 bits.
    PART_ROWS = 1 << (64 - 2 * HALF),
};

// Rows of a run, `PART_ROWS` at most.
typedef struct {
    const uint16_t *rows;
    int64_t count;
    sums *sums;
} part;

// Sums of multiples too large for that, value by value: `Sketches.Moments.quantum` says what becomes of them.
static RARE void add_large(const part *part, const double *values, double scale, sums *s) {
    for (int64_t i = 0; i < part->count; i++) {
        double scaled = values[part->rows[i] * HF_LANES] * scale;
        if (scaled != scaled) continue;
        double size = scaled < 0 ? -scaled : scaled;
        if (size < UNSIGNED) size = (size + UNSIGNED) - UNSIGNED;
        if (size > 0x1p55) size = 0x1p55;
        uint64_t multiple = (uint64_t)size;
        s->sum += scaled < 0 ? -(__int128)multiple : (__int128)multiple;
        s->squares += (unsigned __int128)multiple * multiple;
    }
}

// What the rows add to the sums, lane by lane.
typedef struct {
    double minimum[HF_LANES], maximum[HF_LANES];
    uint64_t sum[HF_LANES], low_squares[HF_LANES], products[HF_LANES], high_squares[HF_LANES];
} addition;

INLINE void fold(const hf_block *block, const double *values, const part *part, const addition *found) {
    sums *s = part->sums;
    for (int64_t lane = 0; lane < block->columns; lane++, s++) {
        if (found->minimum[lane] < s->minimum) s->minimum = found->minimum[lane];
        if (found->maximum[lane] > s->maximum) s->maximum = found->maximum[lane];
        double scale = block->scale[lane];
        if (__builtin_expect(found->maximum[lane] * scale >= USUAL || found->minimum[lane] * scale <= -USUAL, 0)) {
            add_large(part, values + lane, scale, s);
            continue;
        }
        s->sum += (int64_t)(found->sum[lane] - (uint64_t)part->count * SIGNED_BITS);
        s->squares += found->low_squares[lane] + ((unsigned __int128)found->products[lane] << (HALF + 1)) +
                      ((unsigned __int128)found->high_squares[lane] << (2 * HALF));
    }
}

INLINE void add_part(const hf_block *block, const double *values, const part *part) {
    doubles scale;
    memcpy(&scale, block->scale, sizeof scale);
    const words half = (words){} + ((UINT64_C(1) << HALF) - 1);
    words sum = {}, low_squares = {}, products = {}, high_squares = {};
    doubles minimum = (doubles){} + __builtin_inf(), maximum = -minimum;
    for (const uint16_t *row = part->rows, *end = row + part->count; row < end; row++) {
        doubles value = *(const array *)(values + (int64_t)*row * HF_LANES);
        // NaN is neither less nor greater, and adds nothing.
        minimum = PICK(value < minimum, value, minimum);
        maximum = PICK(value > maximum, value, maximum);
        doubles scaled = value * scale;
        scaled = (doubles)((signs)scaled & (scaled == scaled));
        sum += (words)(scaled + SIGNED);
        doubles size = (doubles)((words)scaled & ~(UINT64_C(1) << 63));
        words multiple = (words)(size + UNSIGNED);
        words low = multiple & half, high = multiple >> HALF & half;
        low_squares += low * low;
        products += low * high;
        high_squares += high * high;
    }
    // Lane by lane from memory: taking lanes out of registers by number costs more.
    addition found;
    memcpy(found.minimum, &minimum, sizeof minimum);
    memcpy(found.maximum, &maximum, sizeof maximum);
    memcpy(found.sum, &sum, sizeof sum);
    memcpy(found.low_squares, &low_squares, sizeof low_squares);
    memcpy(found.products, &products, sizeof products);
    memcpy(found.high_squares, &high_squares, sizeof high_squares);
    fold(block, values, part, &found);
}

INLINE void add(const hf_block *block, const double *values, const hf_run *runs, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        if (i + 1 < count && runs[i + 1].sums) {
            // A batch has hundreds of groups, and it is known which is next.
            const char *next = (const char *)((sums *)runs[i + 1].sums + block->place);
            for (unsigned at = 0; at < HF_LANES * sizeof(sums); at += LINE) __builtin_prefetch(next + at, 1);
        }
        if (!runs[i].sums) continue;
        for (int64_t row = 0; row < runs[i].count; row += PART_ROWS) {
            int64_t rest = runs[i].count - row;
            part part = {runs[i].rows + row, rest < PART_ROWS ? rest : PART_ROWS, (sums *)runs[i].sums + block->place};
            add_part(block, values, &part);
        }
    }
}

FORMS(add, (const hf_block *block, const double *values, const hf_run *runs, int64_t count), block, values, runs, count)

void hf_add(const hf_block *block, const double *values, const hf_run *runs, int64_t count, hf_form form) {
    CALL(form, add, block, values, runs, count);
}

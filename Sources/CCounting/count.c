#include "kernels.h"

// The group's own code of a tag (`Windows.CodeRanks`).
INLINE uint64_t own(uint64_t tag, const uint64_t *ranks) {
    uint64_t word = ranks[tag >> 8];
    return (word >> 48) + (uint64_t)__builtin_popcountll(word & (((uint64_t)1 << (tag & UINT8_MAX)) - 1));
}

enum {
    // Lines of a column's counters and of its ranks that are asked for ahead: what a usual column has.
    COUNTER_LINES = 8,
    RANK_LINES = 6,
    // Of fewer rows, most of those lines would not be needed.
    ROWS_WORTH_AN_ADVANCE = 4,
};

// A batch counts in hundreds of groups, more than the nearer caches hold, and it is known which is next.
INLINE void advance(const hf_run *run, const hf_lanes *lanes, int is_ranked, int columns) {
    for (int i = 0; i < columns; i++) {
        const char *counters = (const char *)(run->counts + run->bases[lanes->column[i]]);
        for (int line = 0; line < COUNTER_LINES; line++) __builtin_prefetch(counters + line * LINE, 1);
        if (!is_ranked) continue;
        const char *ranks = (const char *)(run->ranks + lanes->word[i]);
        for (int line = 0; line < RANK_LINES; line++) __builtin_prefetch(ranks + line * LINE);
    }
}

// `is_ranked` and `columns` are constants in every call.
INLINE void lanes_of(
    const hf_run *runs, int64_t count, const hf_lanes *lanes, const uint16_t *codes, int is_ranked, int columns) {
    for (int64_t i = 0; i < count; i++) {
        const uint16_t *row = runs[i].rows, *end = row + runs[i].count;
        const uint16_t *column[HF_LANES];
        const uint64_t *ranks[HF_LANES];
        uint16_t *counters[HF_LANES];
        for (int k = 0; k < columns; k++) {
            column[k] = codes + lanes->lane[k] * HF_ROWS;
            counters[k] = runs[i].counts + runs[i].bases[lanes->column[k]];
            if (is_ranked) ranks[k] = runs[i].ranks + lanes->word[k];
        }
        if (i + 1 < count && runs[i + 1].count >= ROWS_WORTH_AN_ADVANCE) advance(runs + i + 1, lanes, is_ranked, columns);
        for (; row < end; row++) {
            uint64_t at = *row;
#pragma clang loop unroll(full)
            for (int k = 0; k < columns; k++) {
                uint64_t code = column[k][at];
                counters[k][is_ranked ? own(code, ranks[k]) : code]++;
            }
        }
    }
}

INLINE void count(const hf_run *runs, int64_t number, const hf_lanes *lanes, const uint16_t *codes) {
    int is_ranked = lanes->word[0] >= 0;
    switch (is_ranked ? lanes->count : -lanes->count) {
    case 1: return lanes_of(runs, number, lanes, codes, 1, 1);
    case 2: return lanes_of(runs, number, lanes, codes, 1, 2);
    case 3: return lanes_of(runs, number, lanes, codes, 1, 3);
    case 4: return lanes_of(runs, number, lanes, codes, 1, 4);
    case -1: return lanes_of(runs, number, lanes, codes, 0, 1);
    case -2: return lanes_of(runs, number, lanes, codes, 0, 2);
    case -3: return lanes_of(runs, number, lanes, codes, 0, 3);
    case -4: return lanes_of(runs, number, lanes, codes, 0, 4);
    }
}

FORMS(count, (const hf_run *runs, int64_t number, const hf_lanes *lanes, const uint16_t *codes), runs, number, lanes, codes)

void hf_count(const hf_run *runs, int64_t number, const hf_lanes *lanes, const uint16_t *codes, hf_form form) {
    CALL(form, count, runs, number, lanes, codes);
}

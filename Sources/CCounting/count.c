#include "kernels.h"

// The group's own code of a tag (`Windows.CodeRanks`).
INLINE uint64_t own(uint64_t tag, const uint64_t *ranks) {
    uint64_t word = ranks[tag >> 8];
    return (word >> 48) + (uint64_t)__builtin_popcountll(word & (((uint64_t)1 << (tag & UINT8_MAX)) - 1));
}

// A batch counts in hundreds of groups, more than the nearer caches hold, and it is known which is next. So three runs are in work at a
// time: of the last one the ranks are asked for, of the one before it the counters, and the first is counted.
enum {
    // Lines of a column's ranks and of its counters that are asked for ahead: what a usual column has.
    RANK_LINES = 6,
    COUNTER_LINES = 8,
    // A run of so many rows at most needs few of a group's counters: these are found, and asked for, one by one.
    SHORT = 128,
};

// What a run counts in.
typedef struct {
    const uint64_t *ranks[HF_LANES];
    uint16_t *counters[HF_LANES];
} places;

INLINE places places_of(const hf_run *run, const hf_lanes *lanes, int is_ranked, int columns) {
    places found;
    for (int i = 0; i < columns; i++) {
        found.counters[i] = run->counts + run->bases[lanes->column[i]];
        if (is_ranked) found.ranks[i] = run->ranks + lanes->word[i];
    }
    return found;
}

INLINE void ask_for_ranks(const hf_run *run, const hf_lanes *lanes, int is_ranked, int columns) {
    for (int i = 0; i < columns; i++) {
        __builtin_prefetch(run->bases + lanes->column[i]);
        if (!is_ranked) continue;
        const char *ranks = (const char *)(run->ranks + lanes->word[i]);
        for (int line = 0; line < RANK_LINES; line++) __builtin_prefetch(ranks + line * LINE);
    }
}

INLINE void ask_for_counters(const places *places, int columns) {
    for (int i = 0; i < columns; i++) {
        const char *counters = (const char *)places->counters[i];
        for (int line = 0; line < COUNTER_LINES; line++) __builtin_prefetch(counters + line * LINE, 1);
    }
}

// The loops over a run's rows. `is_ranked` and `columns` are constants in every call, `column` has a pointer for each lane.
INLINE void find(
    const hf_run *run, const places *places, const uint16_t *const *column, int is_ranked, int columns, uint16_t **slot) {
    for (const uint16_t *row = run->rows, *end = row + run->count; row < end; row++, slot += columns) {
        uint64_t at = (uint64_t)*row * HF_LANES;
#pragma clang loop unroll(full)
        for (int k = 0; k < columns; k++) {
            uint64_t code = column[k][at];
            slot[k] = places->counters[k] + (is_ranked ? own(code, places->ranks[k]) : code);
            __builtin_prefetch(slot[k], 1);
        }
    }
}

INLINE void count_found(const hf_run *run, int columns, uint16_t *const *slot) {
    for (uint16_t *const *end = slot + run->count * columns; slot < end; slot += columns) {
#pragma clang loop unroll(full)
        for (int k = 0; k < columns; k++) ++*slot[k];
    }
}

INLINE void count_rows(const hf_run *run, const places *places, const uint16_t *const *column, int is_ranked, int columns) {
    for (const uint16_t *row = run->rows, *end = row + run->count; row < end; row++) {
        uint64_t at = (uint64_t)*row * HF_LANES;
#pragma clang loop unroll(full)
        for (int k = 0; k < columns; k++) {
            uint64_t code = column[k][at];
            places->counters[k][is_ranked ? own(code, places->ranks[k]) : code]++;
        }
    }
}

INLINE void lanes_of(
    const hf_run *runs, int64_t count, const hf_lanes *lanes, const uint16_t *codes, int is_ranked, int columns) {
    // Of this run and of the next one.
    uint16_t *slots[2][SHORT * HF_LANES];
    places now = {0}, next = {0};
    const uint16_t *column[HF_LANES];
    for (int k = 0; k < columns; k++) column[k] = codes + lanes->lane[k];
    for (int64_t i = -1; i < count; i++) {
        if (i + 2 < count) ask_for_ranks(runs + i + 2, lanes, is_ranked, columns);
        if (i + 1 < count) {
            next = places_of(runs + i + 1, lanes, is_ranked, columns);
            if (runs[i + 1].count <= SHORT) {
                find(runs + i + 1, &next, column, is_ranked, columns, slots[(i + 1) & 1]);
            } else {
                ask_for_counters(&next, columns);
            }
        }
        if (i >= 0 && runs[i].count <= SHORT) {
            count_found(runs + i, columns, slots[i & 1]);
        } else if (i >= 0) {
            count_rows(runs + i, &now, column, is_ranked, columns);
        }
        now = next;
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

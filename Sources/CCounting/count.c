#include "ccounting.h"

#include <stddef.h>

// The layouts of Sketches.MomentSample and Windows.HotMoments; a test compares them.
typedef struct {
    unsigned __int128 square;
    int64_t multiple;
    uint64_t tag;
} sample;

typedef struct {
    __int128 sum;
    unsigned __int128 squares;
    double minimum, maximum;
    int64_t least, most;
} sums;

_Static_assert(sizeof(sample) == 32 && offsetof(sample, tag) == 24, "as in Swift");
_Static_assert(sizeof(sums) == 64 && offsetof(sums, least) == 48, "as in Swift");

// Multiples are at most 2^55, so as many add up in 64 bits.
enum { SAFE = 128 };

#define INLINE static inline __attribute__((always_inline))
// Called so seldom that the caller must not make room for it in its registers.
#define RARE __attribute__((noinline, cold, preserve_most))

INLINE uint64_t own(uint64_t tag, const uint64_t *words) {
    uint64_t word = words[tag >> 48];
    return (word >> 48) + (uint64_t)__builtin_popcountll((word & tag) << 16);
}

static RARE void widen(sums *s, double value, int64_t multiple) {
    if (value < s->minimum) {
        s->minimum = value;
        s->least = multiple;
    }
    if (value > s->maximum) {
        s->maximum = value;
        s->most = multiple;
    }
}

// How many multiples lie strictly between the least and the greatest: a value with one of these is no new extreme.
INLINE uint64_t inner(const sums *s) {
    uint64_t distance = (uint64_t)s->most - (uint64_t)s->least;
    return distance == 0 ? 0 : distance - 1;
}

// `is_ranked` is a constant in every call, unlike a comparison of the words with null.
INLINE void with_sums(const hf_run *run, const hf_numeric *column, int is_ranked, const uint64_t *words) {
    const uint16_t *row = run->rows, *end = row + run->count;
    const sample *samples = column->samples;
    uint16_t *counts = run->counts + run->bases[column->column];
    sums *s = (sums *)run->sums + column->place;
    unsigned __int128 squares = s->squares;
    uint64_t first = (uint64_t)s->least + 1, between = inner(s);
    while (row < end) {
        const uint16_t *pause = end - row > SAFE ? row + SAFE : end;
        int64_t part = 0;
        do {
            const sample *one = samples + *row;
            counts[is_ranked ? own(one->tag, words) : one->tag]++;
            int64_t multiple = one->multiple;
            part += multiple;
            squares += one->square;
            if (__builtin_expect((uint64_t)multiple - first >= between, 0)) {
                widen(s, column->numbers[*row * column->stride], multiple);
                first = (uint64_t)s->least + 1;
                between = inner(s);
            }
        } while (++row < pause);
        s->sum += part;
    }
    s->squares = squares;
}

INLINE void without_sums(const hf_run *run, int64_t column, const uint64_t *tags, int is_ranked, const uint64_t *words) {
    const uint16_t *row = run->rows, *end = row + run->count;
    uint16_t *counts = run->counts + run->bases[column];
#pragma clang loop unroll_count(4)
    for (; row < end; row++) counts[is_ranked ? own(tags[*row], words) : tags[*row]]++;
}

void hf_count_plain(const hf_run *runs, int64_t count, int64_t column, const uint64_t *tags) {
    for (int64_t i = 0; i < count; i++) without_sums(runs + i, column, tags, 0, NULL);
}

static void unranked(const hf_run *runs, int64_t count, const hf_numeric *column) {
    for (int64_t i = 0; i < count; i++) {
        if (runs[i].sums) with_sums(runs + i, column, 0, NULL);
        else without_sums(runs + i, column->column, column->tags, 0, NULL);
    }
}

INLINE void ranked(const hf_run *runs, int64_t count, const hf_numeric *column) {
    for (int64_t i = 0; i < count; i++) {
        const uint64_t *words = runs[i].ranks + column->word;
        if (runs[i].sums) with_sums(runs + i, column, 1, words);
        else without_sums(runs + i, column->column, column->tags, 1, words);
    }
}

#if defined(__x86_64__)
static __attribute__((target("popcnt"))) void ranked_popcnt(const hf_run *runs, int64_t count, const hf_numeric *column) {
    ranked(runs, count, column);
}
#endif

static void ranked_anywhere(const hf_run *runs, int64_t count, const hf_numeric *column) { ranked(runs, count, column); }

void hf_count_numeric(const hf_run *runs, int64_t count, const hf_numeric *column) {
    if (column->word < 0) {
        unranked(runs, count, column);
        return;
    }
#if defined(__x86_64__)
    if (__builtin_cpu_supports("popcnt")) {
        ranked_popcnt(runs, count, column);
        return;
    }
#endif
    ranked_anywhere(runs, count, column);
}

// The two loops that count rows, in C because they need an instruction that not every processor of the baseline has and Swift cannot
// ask for in one function: counting the bits of a word. Which form runs is decided when the program runs.
#ifndef HOLDFAST_CCOUNTING_H
#define HOLDFAST_CCOUNTING_H

#include <stdint.h>

/// The rows of a batch that belong to one group, and where they are counted.
typedef struct {
    const uint16_t *rows;
    int64_t count;
    /// The plan's `CodeRanks` words.
    const uint64_t *ranks;
    /// By column, the place of its first counter in `counts`.
    const uint32_t *bases;
    uint16_t *counts;
    /// `HotMoments` by numeric column; null where no sums are kept.
    void *sums;
} hf_run;

/// A numeric column of a batch.
typedef struct {
    int64_t column;
    /// By row: `MomentSample`, and its tag once more, for runs without sums.
    const void *samples;
    const uint64_t *tags;
    /// The column's first word among each run's `ranks`; negative where tags are codes.
    int64_t word;
    /// The column's place among the numeric ones.
    int64_t place;
    /// By row, `stride` apart; only looked at for a new minimum or maximum.
    const double *numbers;
    int64_t stride;
} hf_numeric;

/// Counts a column whose tags are codes in every group.
void hf_count_plain(const hf_run *runs, int64_t count, int64_t column, const uint64_t *tags);

/// Counts a numeric column and adds up its sums.
void hf_count_numeric(const hf_run *runs, int64_t count, const hf_numeric *column);

#endif

// The loops of counting: which bin a value lies in, a group's counters, its sums. In C because they want vectors and instructions that not
// every processor of the baseline has and Swift cannot ask for in one function. Every loop has two forms of the same text, one for any
// processor and one for those of x86-64-v3; they give the same bits.
#ifndef HOLDFAST_CCOUNTING_H
#define HOLDFAST_CCOUNTING_H

#include <stdint.h>

enum {
    /// Columns that are worked on at a time.
    HF_LANES = 4,
    /// Rows of a batch, at most. Many rows at once are what makes counting cheap: a group's counters come from the outer caches once for
    /// all its rows.
    HF_ROWS = 8192,
    /// Infinities that have to follow a column's edges.
    HF_PADDING = 4,
    /// What a NaN's payload may say: smaller ones than this have a code of their own.
    HF_HOLES = 8,
};

/// Which form of the loops runs.
typedef enum { HF_PORTABLE, HF_WIDE } hf_form;

/// The faster form that this processor can run.
hf_form hf_best_form(void);

/// A numeric column: its edges, its cells (`Sketches.BinIndex`) and what its codes and sums mean.
typedef struct {
    /// The values that have a cell lie from `low` to `high`; of these `(key(value + offset) − origin) >> shift` is the cell.
    double low, high, offset;
    int64_t origin;
    uint64_t shift;
    /// By cell, the edges in lower ones.
    const uint16_t *below;
    /// `edge_count` and `HF_PADDING` infinities.
    const double *edges;
    int64_t edge_count;
    /// By a NaN's payload, its code; the first for payloads without one.
    const uint16_t *holes;
    /// 2^exponent: a value times this is a multiple of the column's quantum, but for rounding.
    double scale;
    /// Its number among a batch's columns, by which a run has its counters.
    int64_t column;
    /// Its first word among each run's `ranks`; negative where codes are every group's own.
    int64_t word;
} hf_column;

/// Lanes of a batch's codes that are counted alike, and the columns they hold.
typedef struct {
    int64_t count;
    int64_t lane[HF_LANES];
    int64_t column[HF_LANES];
    int64_t word[HF_LANES];
} hf_lanes;

/// Numeric columns that stand side by side in a row.
typedef struct {
    double low[HF_LANES], high[HF_LANES], offset[HF_LANES], scale[HF_LANES];
    int64_t origin[HF_LANES];
    uint64_t shift[HF_LANES];
    const uint16_t *below[HF_LANES];
    const double *edges[HF_LANES];
    int64_t edge_count[HF_LANES];
    const uint16_t *holes[HF_LANES];
    /// Columns there are: fewer than `HF_LANES` only in a model's last block.
    int64_t columns;
    /// Place of the first among the numeric columns.
    int64_t place;
    hf_lanes ranked, plain;
} hf_block;

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

/// A block without columns, the first of which is to be the numeric column of that number.
void hf_block_start(hf_block *block, int64_t place);

/// Appends a column. What it points to has to outlive the block.
void hf_block_append(hf_block *block, const hf_column *column);

/// Appends a lane that holds a column.
void hf_lanes_append(hf_lanes *lanes, int64_t lane, int64_t column, int64_t word);

/// Writes the codes of some rows, `HF_LANES` for each: `CodeRanks` tags where the column has ranks, else codes. Rows lie `stride` values
/// apart, and all lanes are read of each; `copy` gets them side by side, and may be where they are. Both have room for a multiple of
/// `HF_LANES` rows.
void hf_encode(
    const hf_block *block, const double *values, int64_t stride, int64_t rows, uint16_t *codes, double *copy, hf_form form);

/// Counts columns in every run.
void hf_count(const hf_run *runs, int64_t count, const hf_lanes *lanes, const uint16_t *codes, hf_form form);

/// Adds a block's values, `HF_LANES` for each row, to the sums of every run that keeps some.
void hf_add(const hf_block *block, const double *values, const hf_run *runs, int64_t count, hf_form form);

#endif

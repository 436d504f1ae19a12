// What the loops share: vectors of four, and how both forms of a loop are made.
#ifndef HOLDFAST_KERNELS_H
#define HOLDFAST_KERNELS_H

#include "ccounting.h"

#include <string.h>

typedef double doubles __attribute__((vector_size(32)));
typedef uint64_t words __attribute__((vector_size(32)));
typedef int64_t signs __attribute__((vector_size(32)));
// Four doubles of an array: no better aligned than one.
typedef double array __attribute__((vector_size(32), aligned(8)));
typedef _Bool bits __attribute__((ext_vector_type(HF_LANES)));

_Static_assert(sizeof(doubles) == HF_LANES * sizeof(double), "a vector has a lane for each column");

enum {
    // Bytes that the cache takes at a time.
    LINE = 64,
};

#define INLINE static inline __attribute__((always_inline))
// Called so seldom that the caller must not make room for it in its registers.
#define RARE __attribute__((noinline, cold))

// Of two vectors, by the lanes of a comparison.
#define PICK(mask, a, b) ((doubles)(((mask) & (signs)(a)) | (~(mask) & (signs)(b))))

// The lanes of a comparison as bits of a number.
#define BITS(mask) ({ \
    bits each = __builtin_convertvector((mask), bits); \
    uint8_t all; \
    memcpy(&all, &each, 1); \
    (uint64_t)(all & ((1 << HF_LANES) - 1)); \
})

// `CALL(name)` calls the wide form of an inlined function or its portable one.
#if defined(__x86_64__)
#define WIDE __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#define FORMS(name, parameters, ...) \
    static WIDE void name##_wide parameters { name(__VA_ARGS__); } \
    static void name##_portable parameters { name(__VA_ARGS__); }
#define CALL(form, name, ...) ((form) == HF_WIDE ? name##_wide(__VA_ARGS__) : name##_portable(__VA_ARGS__))
#else
#define FORMS(name, parameters, ...) \
    static void name##_portable parameters { name(__VA_ARGS__); }
#define CALL(form, name, ...) ((void)(form), name##_portable(__VA_ARGS__))
#endif

#endif

/* What every generated file and kernel shares: status codes, memory regions, compiler differences.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_COMMON_H
#define TE_COMMON_H

#include <stddef.h>
#include <stdint.h>

/* Negative values are errors. */
typedef enum {
    TE_OK = 0,
    TE_MORE = 1,          /* push_rows: give me more rows */
    TE_DONE = 2,          /* push_rows: the outputs are ready */
    TE_BAD_ARGUMENT = -1, /* a null pointer, too few regions */
    TE_TOO_SMALL = -2,    /* a region has too few bytes */
    TE_MISALIGNED = -3,   /* a region does not start at a multiple of <MODEL>_ARENA_ALIGN */
    TE_CORRUPT = -4,      /* the weights in flash are not those that were compiled */
    TE_MISMATCH = -5      /* self-test: a wrong result */
} te_status;

/* One piece of working memory that the caller provides. */
typedef struct {
    void *data;
    size_t size;
} te_region;

/* Kernels are inlined into one function per operator, where all shapes are constants. That function
 * itself stays whole under its own name, so that debuggers, profilers and simulators find it. */
#if defined(__clang__)
#define TE_INLINE static inline __attribute__((always_inline))
#define TE_NOINLINE __attribute__((noinline, used))
#define TE_COLD static __attribute__((noinline, cold, unused))
#define TE_ALIGNED(n) __attribute__((aligned(n)))
#define TE_UNROLL
#elif defined(__GNUC__)
#define TE_INLINE static inline __attribute__((always_inline))
#define TE_NOINLINE __attribute__((noinline, noclone, no_icf))
#define TE_COLD static __attribute__((noinline, cold, unused))
#define TE_ALIGNED(n) __attribute__((aligned(n)))
#define TE_UNROLL _Pragma("GCC unroll 8")
#else
#define TE_INLINE static inline
#define TE_NOINLINE
#define TE_COLD static inline
#define TE_ALIGNED(n)
#define TE_UNROLL
#endif

/* "Memory has changed": at the end of an operator's function, without an instruction. gcc 12 takes some
 * of them for pure otherwise (small loops, whose addresses it rewrites) and drops their calls. */
#if defined(__GNUC__)
#define TE_WRITTEN() __asm__ volatile("" ::: "memory")
#else
#define TE_WRITTEN() ((void)0)
#endif

/* "These arguments matter": where clang would pass nothing for what a kernel ignores. Debuggers and
 * simulators read them. */
#if defined(__clang__)
#define TE_ARGUMENT(value) __asm__ volatile("" : : "r"(value))
#else
#define TE_ARGUMENT(value) ((void)(value))
#endif

/* One 32-bit access at any address. The builtins stay single instructions under -ffreestanding. */
TE_INLINE uint32_t te_load32(const void *from)
{
#if defined(__GNUC__)
    uint32_t word;
    __builtin_memcpy(&word, from, sizeof word);
    return word;
#else
    const uint8_t *b = (const uint8_t *)from;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
#endif
}

TE_INLINE void te_store32(void *to, uint32_t word)
{
#if defined(__GNUC__)
    __builtin_memcpy(to, &word, sizeof word);
#else
    uint8_t *b = (uint8_t *)to;
    b[0] = (uint8_t)word;
    b[1] = (uint8_t)(word >> 8);
    b[2] = (uint8_t)(word >> 16);
    b[3] = (uint8_t)(word >> 24);
#endif
}

TE_INLINE void te_copy(int8_t *to, const int8_t *from, int32_t count)
{
    int32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        te_store32(to + i, te_load32(from + i));
    }
    for (; i < count; i++) {
        to[i] = from[i];
    }
}

TE_INLINE void te_fill(int8_t *to, int32_t value, int32_t count)
{
    const uint32_t word = 0x01010101u * (uint8_t)value;
    int32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        te_store32(to + i, word);
    }
    for (; i < count; i++) {
        to[i] = (int8_t)value;
    }
}

TE_INLINE int32_t te_min(int32_t a, int32_t b) { return a < b ? a : b; }

TE_INLINE int32_t te_max(int32_t a, int32_t b) { return a > b ? a : b; }

TE_INLINE int32_t te_clamp(int32_t value, int32_t low, int32_t high)
{
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
    if (low == -128 && high == 127) {
        __asm__("ssat %0, #8, %1" : "=r"(value) : "r"(value)); /* gcc does not always find it */
        return value;
    }
#endif
    return value < low ? low : value > high ? high : value;
}

/* Accumulators are unsigned: sums wrap as the reference's do, and no compiler may assume otherwise.
 * The empty statement keeps gcc from regrouping the sum, which would cost a multiply-add its add. */
TE_INLINE uint32_t te_mac(uint32_t acc, int32_t a, int32_t b)
{
    acc += (uint32_t)(a * b);
#if defined(__GNUC__) && defined(__arm__)
    __asm__("" : "+r"(acc));
#endif
    return acc;
}

#endif

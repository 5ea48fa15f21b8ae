/* What the STM32 families have in common: bounded waits, a pin, a transmitter, cycle counter, caches.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef STM32_H
#define STM32_H

#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define CLEAR_SET(address, clear, set) (REG(address) = (REG(address) & ~(uint32_t)(clear)) | (uint32_t)(set))

/* A missing crystal, a broken PLL or a simulator must never hang the firmware: every wait gives up. */
static inline int wait_for(uint32_t address, uint32_t mask, uint32_t value)
{
    for (uint32_t tries = 0; tries < 100000; tries++) {
        if ((REG(address) & mask) == value) {
            return 1;
        }
    }
    return 0;
}

/* Give a pin to its alternate function. */
static inline void connect_pin(uint32_t port, uint32_t pin, uint32_t function)
{
    CLEAR_SET(port + 0x00, 3u << (2 * pin), 2u << (2 * pin));                                       /* MODER */
    CLEAR_SET(port + 0x20 + 4 * (pin / 8), 15u << (4 * (pin % 8)), function << (4 * (pin % 8)));    /* AFR */
}

static inline void cycle_counter_on(void)
{
    REG(0xE000EDFC) |= 1u << 24;  /* DEMCR: TRCENA */
    REG(0xE0001FB0) = 0xC5ACCE55; /* DWT_LAR: the M7's lock; no effect elsewhere */
    REG(0xE0001004) = 0;          /* DWT_CYCCNT */
    REG(0xE0001000) |= 1u;        /* DWT_CTRL */
}

/* Cortex-M7 only. Caches hold rubbish after reset, so they are invalidated first. */
static inline void caches_on(void)
{
    uint32_t size, sets, ways;

    REG(0xE000EF50) = 0; /* ICIALLU */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    REG(0xE000ED14) |= 1u << 17; /* CCR: I-cache */
    __asm__ volatile("dsb\n\tisb" ::: "memory");

    REG(0xE000ED84) = 0; /* CSSELR: level 1 data */
    __asm__ volatile("dsb" ::: "memory");
    size = REG(0xE000ED80); /* CCSIDR */
    sets = (size >> 13) & 0x7FFF;
    ways = (size >> 3) & 0x3FF;
    for (uint32_t set = 0; set <= sets; set++) {
        for (uint32_t way = 0; way <= ways; way++) {
            REG(0xE000EF60) = set << 5 | way << 30; /* DCISW */
        }
    }
    __asm__ volatile("dsb" ::: "memory");
    REG(0xE000ED14) |= 1u << 16; /* CCR: D-cache */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

#endif

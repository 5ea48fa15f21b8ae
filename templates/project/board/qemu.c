/* Any Cortex-M in QEMU (or with a debugger that does semihosting): console and exit are the host's.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#include "board.h"

#define SYS_WRITE0 0x04
#define SYS_EXIT_EXTENDED 0x20
#define APPLICATION_EXIT 0x20026u

static void semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void board_init(void)
{
}

void board_puts(const char *text)
{
    semihosting(SYS_WRITE0, text);
}

/* QEMU has no cycle counter (it reads as 0); simulators that count instructions answer here. */
uint32_t board_cycles(void)
{
    return *(volatile uint32_t *)0xE0001004u;
}

uint32_t board_hz(void)
{
    return 0;
}

void board_exit(int status)
{
    const uint32_t block[2] = {APPLICATION_EXIT, (uint32_t)status};

    semihosting(SYS_EXIT_EXTENDED, block);
    for (;;) {
    }
}

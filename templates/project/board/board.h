/* What main.c needs from the board.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

void board_init(void);             /* clocks, caches, console, cycle counter */
void board_puts(const char *text); /* console: UART, semihosting or standard output */
uint32_t board_cycles(void);       /* free-running; 0 where there is no counter */
uint32_t board_hz(void);           /* what board_cycles counts per second; 0 if unknown */
void board_exit(int status);       /* simulators end here, hardware sleeps */

/* Puts working memory where link.ld wants it. */
#if defined(__arm__)
#define BOARD_ARENA(region) __attribute__((section(".bss..te_arena." #region)))
#else
#define BOARD_ARENA(region)
#endif

#endif

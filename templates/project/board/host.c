/* The computer this was built on.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void board_init(void)
{
}

void board_puts(const char *text)
{
    fputs(text, stdout);
}

uint32_t board_cycles(void)
{
    return (uint32_t)clock();
}

uint32_t board_hz(void)
{
    return (uint32_t)CLOCKS_PER_SEC;
}

void board_exit(int status)
{
    exit(status);
}

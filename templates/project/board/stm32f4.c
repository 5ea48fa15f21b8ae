/* STM32F4: 16 MHz HSI -> PLL -> full speed.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#include "board.h"
#include "chip.h"
#include "stm32.h"

#define RCC 0x40023800u
#define PWR 0x40007000u
#define FLASH_ACR 0x40023C00u
#define GPIOA 0x40020000u
#define HSI_HZ 16000000u

#define APB_BITS(divider) ((divider) == 1 ? 0u : (divider) == 2 ? 4u : 5u)

static uint32_t core_hz = HSI_HZ;

/* Whatever fails here, the core goes on from HSI. */
static void clock_up(void)
{
    REG(RCC + 0x40) |= 1u << 28; /* APB1ENR: PWR */
    (void)REG(RCC + 0x40);
    REG(PWR) |= 3u << 14; /* CR: VOS scale 1 */

    REG(RCC + 0x04) = CLOCK_M | CLOCK_N << 6 | (CLOCK_P / 2 - 1) << 16 | 8u << 24 | 2u << 28; /* PLLCFGR, from HSI */
    REG(RCC) |= 1u << 24;                                                                   /* CR: PLLON */
    if (!wait_for(RCC, 1u << 25, 1u << 25)) {
        return;
    }
    REG(FLASH_ACR) = CLOCK_LATENCY | 7u << 8; /* prefetch, instruction and data cache */
    if (!wait_for(FLASH_ACR, 15u, CLOCK_LATENCY)) {
        return;
    }
    CLEAR_SET(RCC + 0x08, 3u, 2u); /* CFGR: switch to the PLL */
    if (wait_for(RCC + 0x08, 3u << 2, 2u << 2)) {
        core_hz = CHIP_HZ;
    }
}

static void uart_on(void)
{
    uint32_t hz = core_hz / CLOCK_APB1;

    REG(RCC + 0x30) |= 1u << UART_PORT;       /* AHB1ENR */
    REG(RCC + 0x40) |= 1u << UART_ENABLE_BIT; /* APB1ENR */
    (void)REG(RCC + 0x40);
    connect_pin(GPIOA + 0x400u * UART_PORT, UART_PIN, UART_FUNCTION);
    REG(UART_BASE + 0x08) = (hz + UART_BAUD / 2) / UART_BAUD; /* BRR */
    REG(UART_BASE + 0x0C) = 1u << 13 | 1u << 3;               /* CR1: UE, TE */
}

void board_init(void)
{
    /* Before the clock goes up, and kept on HSI: the UART's clock is core_hz / CLOCK_APB1 either way. */
    CLEAR_SET(RCC + 0x08, 7u << 10 | 7u << 13, APB_BITS(CLOCK_APB1) << 10 | APB_BITS(CLOCK_APB2) << 13);
    clock_up();
    uart_on();
    cycle_counter_on();
}

void board_puts(const char *text)
{
    for (; *text; text++) {
        wait_for(UART_BASE + 0x00, 1u << 7, 1u << 7); /* SR: TXE */
        REG(UART_BASE + 0x04) = (uint8_t)*text;       /* DR */
    }
}

uint32_t board_cycles(void)
{
    return REG(0xE0001004);
}

uint32_t board_hz(void)
{
    return core_hz;
}

void board_exit(int status)
{
    (void)status;
    for (;;) {
        __asm__ volatile("wfi");
    }
}

/* STM32H742/743/753: 64 MHz HSI -> PLL1 -> 480 MHz (400 MHz on silicon revision Y).
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#include "board.h"
#include "chip.h"
#include "stm32.h"

#define RCC 0x58024400u
#define PWR 0x58024800u
#define FLASH_ACR 0x52002000u
#define SYSCFG_PWRCR 0x5800042Cu
#define DBGMCU_IDCODE 0x5C001000u
#define GPIOA 0x58020000u
#define HSI_HZ 64000000u

static uint32_t core_hz = HSI_HZ;

static int revision_y(void)
{
    return REG(DBGMCU_IDCODE) >> 16 < 0x2000;
}

/* Core voltage for the full clock: scale 1, and overdrive (VOS0) where the silicon has it. */
static int voltage_up(void)
{
    CLEAR_SET(PWR + 0x0C, 7u, 2u); /* CR3: supplied by the LDO */
    if (!wait_for(PWR + 0x04, 1u << 13, 1u << 13)) { /* CSR1: ACTVOSRDY */
        return 0;
    }
    REG(PWR + 0x18) |= 3u << 14; /* D3CR: VOS1 */
    if (!wait_for(PWR + 0x18, 1u << 13, 1u << 13)) {
        return 0;
    }
    if (revision_y()) {
        return 1;
    }
    REG(RCC + 0xF4) |= 1u << 1; /* APB4ENR: SYSCFG */
    (void)REG(RCC + 0xF4);
    REG(SYSCFG_PWRCR) |= 1u; /* ODEN */
    return wait_for(PWR + 0x18, 1u << 13, 1u << 13);
}

static int pll_up(uint32_t n)
{
    REG(RCC + 0x28) = CLOCK_M << 4;                                             /* PLLCKSELR: from HSI */
    REG(RCC + 0x2C) = 7u << 16 | 3u << 2;                                       /* PLLCFGR: 8..16 MHz in, P Q R out */
    REG(RCC + 0x30) = (n - 1) | (CLOCK_P - 1) << 9 | 3u << 16 | 1u << 24;       /* PLL1DIVR */
    REG(RCC) |= 1u << 24;                                                       /* CR: PLL1ON */
    return wait_for(RCC, 1u << 25, 1u << 25);
}

/* Whatever fails here, the core goes on from HSI. */
static void clock_up(void)
{
    uint32_t n = revision_y() ? CLOCK_N_REVISION_Y : CLOCK_N;

    if (!voltage_up()) {
        return;
    }
    REG(FLASH_ACR) = CLOCK_LATENCY;
    if (!wait_for(FLASH_ACR, 0x3F, CLOCK_LATENCY) || !pll_up(n)) {
        return;
    }
    REG(RCC + 0x18) = 8u | 4u << 4;      /* D1CFGR: AXI and AHB at half, APB3 at half of that */
    REG(RCC + 0x1C) = 4u << 4 | 4u << 8; /* D2CFGR */
    REG(RCC + 0x20) = 4u << 4;           /* D3CFGR */
    CLEAR_SET(RCC + 0x10, 7u, 3u);       /* CFGR: switch to PLL1 */
    if (wait_for(RCC + 0x10, 7u << 3, 3u << 3)) {
        core_hz = HSI_HZ / CLOCK_M * n / CLOCK_P;
    }
}

/* The baud rate comes from HSI, whatever the PLL does. */
static void uart_on(void)
{
    CLEAR_SET(RCC + 0x54, 7u, 3u);        /* D2CCIP2R: USART2,3,4,5,7,8 clocked from HSI */
    REG(RCC + 0xE0) |= 1u << UART_PORT;   /* AHB4ENR */
    REG(RCC + 0xE8) |= 1u << UART_ENABLE_BIT; /* APB1LENR */
    (void)REG(RCC + 0xE8);
    connect_pin(GPIOA + 0x400u * UART_PORT, UART_PIN, UART_FUNCTION);
    REG(UART_BASE + 0x0C) = (HSI_HZ + UART_BAUD / 2) / UART_BAUD; /* BRR */
    REG(UART_BASE + 0x00) = 1u << 3 | 1u;                         /* CR1: TE, UE */
}

void board_init(void)
{
    if (revision_y()) {
        REG(0x51008108) = 1; /* AXI SRAM may deliver wrong data otherwise: erratum of revision Y */
    }
    REG(RCC + 0xDC) |= 7u << 29; /* AHB2ENR: SRAM1..3, should you want to use them */
    clock_up();
    caches_on();
    uart_on();
    cycle_counter_on();
}

void board_puts(const char *text)
{
    for (; *text; text++) {
        wait_for(UART_BASE + 0x1C, 1u << 7, 1u << 7); /* ISR: TXE */
        REG(UART_BASE + 0x28) = (uint8_t)*text;       /* TDR */
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

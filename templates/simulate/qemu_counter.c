/* TCG plugin for QEMU: exact instruction counts of chosen functions, from entry to return, and of their blocks.
 *
 * The few prototypes it needs are declared here, so that it builds without QEMU's headers and for every
 * plugin API that QEMU has had (-DTE_PLUGIN_API=...). Arguments: `marks`, a file with one function address
 * per line; `out`, a file that gets calls and instructions of each, in that order, and then a line for each
 * block that was executed: the innermost of these functions (its place in `marks`), address, bytes, times.
 * The first function is the root: every call of it starts all counts anew, so that they tell about its last.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define FUNCTIONS 4096
#define DEPTH 256

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int, void *);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);

/* Until API 2 this returned a pointer and took one argument; now it fills a buffer and returns a size.
 * Called with all arguments, either kind does its work and leaves the other's alone. */
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *, void *, size_t);

EXPORT int qemu_plugin_version = TE_PLUGIN_API;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

struct block {
    uint64_t start, end, instructions;
    int function; /* that starts here, or -1 */
    int is_call;  /* ends with BL or BLX */
    uint64_t *times; /* that it was executed, by function */
    struct block *next;
};

struct frame {
    uint64_t back, begin; /* return address; count at entry */
    int function;
};

static uint64_t starts[FUNCTIONS], calls[FUNCTIONS], counts[FUNCTIONS];
static int functions;
static struct frame stack[DEPTH];
static int depth;
static uint64_t executed;
static int innermost = -1;
static struct block *blocks;
static const struct block *previous;
static char out[4096];

/* The instruction's bytes, highest halfword first, and how many they are: where QEMU looked ahead over the end of a
 * page, the size that it tells is larger. */
static unsigned read_code(const struct qemu_plugin_insn *insn, unsigned *size)
{
    uint8_t buffer[8] = {0};
    const uint8_t *code = qemu_plugin_insn_data(insn, buffer, sizeof buffer);
    unsigned first;

    if ((uintptr_t)code <= sizeof buffer) {
        code = buffer;
    }
    first = code[0] | (unsigned)code[1] << 8;
    *size = first >> 11 >= 0x1D ? 4 : 2;
    return *size == 2 ? first : first << 16 | code[2] | (unsigned)code[3] << 8;
}

static int is_call(unsigned code, unsigned size)
{
    return size == 2 ? (code & 0xFF87) == 0x4780 /* BLX register */ : (code & 0xF800D000) == 0xF000D000; /* BL */
}

static int function_at(uint64_t address)
{
    for (int i = 0; i < functions; i++) {
        if (starts[i] == address) {
            return i;
        }
    }
    return -1;
}

static void find_innermost(void)
{
    innermost = -1;
    for (int i = depth; i > 0 && innermost < 0; i--) {
        innermost = stack[i - 1].function;
    }
}

static void leave(void)
{
    const struct frame *frame = &stack[--depth];

    if (frame->function >= 0) {
        counts[frame->function] += executed - frame->begin;
        calls[frame->function]++;
    }
    find_innermost();
}

static void enter(uint64_t back, int function)
{
    if (function == 0) {
        memset(calls, 0, sizeof calls);
        memset(counts, 0, sizeof counts);
        for (struct block *block = blocks; block != NULL; block = block->next) {
            memset(block->times, 0, (size_t)functions * sizeof *block->times);
        }
    }
    if (depth < DEPTH) {
        stack[depth++] = (struct frame){back, executed, function};
    }
    find_innermost();
}

static void on_block(unsigned cpu, void *data)
{
    const struct block *block = data;

    (void)cpu;
    while (depth && stack[depth - 1].back == block->start) {
        leave();
    }
    if (previous != NULL && previous->is_call && block->start != previous->end) {
        enter(previous->end, block->function);
    } else if (block->function >= 0 && depth) {
        enter(stack[depth - 1].back, block->function); /* a tail call returns where its caller would */
    }
    executed += block->instructions;
    if (innermost >= 0) {
        block->times[innermost]++;
    }
    previous = block;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb);
    struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, n - 1);
    struct block *block = malloc(sizeof *block);
    unsigned size, code = read_code(last, &size);

    (void)id;
    if (block == NULL || (block->times = calloc((size_t)functions, sizeof *block->times)) == NULL) {
        abort();
    }
    block->next = blocks;
    blocks = block;
    block->start = qemu_plugin_tb_vaddr(tb);
    block->end = qemu_plugin_insn_vaddr(last) + size;
    block->instructions = n;
    block->function = function_at(block->start);
    block->is_call = is_call(code, size);
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, 0, block);
}

static void on_exit(qemu_plugin_id_t id, void *data)
{
    FILE *file = fopen(out, "w");

    (void)id;
    (void)data;
    if (file == NULL) {
        return;
    }
    for (int i = 0; i < functions; i++) {
        fprintf(file, "%" PRIu64 " %" PRIu64 "\n", calls[i], counts[i]);
    }
    for (const struct block *block = blocks; block != NULL; block = block->next) {
        for (int i = 0; i < functions; i++) {
            if (block->times[i]) {
                fprintf(file, "%d %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", i, block->start,
                        block->end - block->start, block->times[i]);
            }
        }
    }
    fclose(file);
}

static int read_marks(const char *path)
{
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        return 0;
    }
    while (functions < FUNCTIONS && fscanf(file, "%" SCNx64, &starts[functions]) == 1) {
        functions++;
    }
    fclose(file);
    return functions > 0;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "marks=", 6) == 0 && !read_marks(argv[i] + 6)) {
            return -1;
        }
        if (strncmp(argv[i], "out=", 4) == 0) {
            snprintf(out, sizeof out, "%s", argv[i] + 4);
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit, NULL);
    return 0;
}

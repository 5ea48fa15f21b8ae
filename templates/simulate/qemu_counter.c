/* TCG plugin for QEMU: exact instruction counts of chosen functions, from entry to return.
 *
 * The few prototypes it needs are declared here, so that it builds without QEMU's headers and for every
 * plugin API that QEMU has had (-DTE_PLUGIN_API=...). Arguments: `marks`, a file with one function address
 * per line; `out`, a file that gets calls and instructions of each, in that order. The first function is
 * the root: every call of it starts all counts anew, so that they tell about its last call.
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
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
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
static const struct block *previous;
static char out[4096];

static int is_call(const struct qemu_plugin_insn *insn)
{
    uint8_t buffer[4] = {0};
    const uint8_t *code = qemu_plugin_insn_data(insn, buffer, sizeof buffer);
    unsigned first, second;

    if ((uintptr_t)code <= sizeof buffer) {
        code = buffer;
    }
    first = code[0] | (unsigned)code[1] << 8;
    if (qemu_plugin_insn_size(insn) == 2) {
        return (first & 0xFF87) == 0x4780; /* BLX register */
    }
    second = code[2] | (unsigned)code[3] << 8;
    return (first & 0xF800) == 0xF000 && (second & 0xD000) == 0xD000; /* BL */
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

static void leave(void)
{
    const struct frame *frame = &stack[--depth];

    if (frame->function >= 0) {
        counts[frame->function] += executed - frame->begin;
        calls[frame->function]++;
    }
}

static void enter(uint64_t back, int function)
{
    if (function == 0) {
        memset(calls, 0, sizeof calls);
        memset(counts, 0, sizeof counts);
    }
    if (depth < DEPTH) {
        stack[depth++] = (struct frame){back, executed, function};
    }
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
    previous = block;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb);
    struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, n - 1);
    struct block *block = malloc(sizeof *block);

    (void)id;
    if (block == NULL) {
        abort();
    }
    block->start = qemu_plugin_tb_vaddr(tb);
    block->end = qemu_plugin_insn_vaddr(last) + qemu_plugin_insn_size(last);
    block->instructions = n;
    block->function = function_at(block->start);
    block->is_call = is_call(last);
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

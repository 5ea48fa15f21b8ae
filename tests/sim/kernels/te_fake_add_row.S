    .syntax unified
    .thumb
    .section .text.te_fake_add_row,"axG",%progbits,te_fake_add_row,comdat
    .weak te_fake_add_row
    .type te_fake_add_row, %function
    .p2align 2
te_fake_add_row: // (r0 out, r1 in, r2 count), count > 0
    ldrsb r3, [r1], #1
    adds r3, r3, #1
    strb r3, [r0], #1
    subs r2, r2, #1
    bne te_fake_add_row
    bx lr
    .size te_fake_add_row, . - te_fake_add_row

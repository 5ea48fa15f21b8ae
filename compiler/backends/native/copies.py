"""What copying pixels takes, for those kernels that hardly do anything else."""

from __future__ import annotations

LONGEST = 32  # bytes that are copied without a loop
PER_ACCESS = 2  # a load and a store of one or four bytes
LOOP, PER_BYTE_OF_LOOP = 10, 1.1


def copy_instructions(nbytes: int) -> float:
    """Of te_copy_pixel."""
    if nbytes > LONGEST:
        return LOOP + nbytes * PER_BYTE_OF_LOOP
    return sum(divmod(nbytes, 4)) * PER_ACCESS

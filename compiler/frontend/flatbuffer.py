"""Reading flatbuffers nobody has checked: every access stays inside the file, and work is bounded by its size."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidInput

Number = int | float | bool

# How often each byte may be read on average. Honest files share little; a hostile one can refer to the same
# vector from every table, and make a small file cost time and memory without bound.
_READS_PER_BYTE = 64
_FREE_READS = 1 << 16
_OFFSET, _SIGNED_OFFSET, _SHORT = "<I", "<i", "<H"


def damaged(where: str, what: str) -> InvalidInput:
    return InvalidInput(f"{where} {what}", "the file is damaged: download it or export it again")


class Source:
    """The bytes of a file, and how much may still be read of them."""

    def __init__(self, data: bytes) -> None:
        self.data = memoryview(data)
        self._left = _FREE_READS + _READS_PER_BYTE * len(data)

    def view(self, start: int, size: int, where: str) -> memoryview:
        if start < 0 or size < 0 or start + size > len(self.data):
            raise damaged(where, f"reaches beyond the file's {len(self.data)} bytes")
        return self.data[start : start + size]

    def charged(self, start: int, size: int, where: str) -> memoryview:
        """A view whose bytes will each be looked at."""
        self._left -= size
        if self._left < 0:
            raise damaged(where, "belongs to a file that refers to the same bytes over and over")
        return self.view(start, size, where)

    def number(self, layout: str, position: int, where: str) -> Number:
        size = struct.calcsize(layout)
        value: Number = struct.unpack(layout, self.charged(position, size, where))[0]
        return value

    def target(self, position: int, where: str) -> int:
        """Where the offset stored at `position` points to."""
        return position + int(self.number(_OFFSET, position, where))


@dataclass(frozen=True)
class Table:
    """One table; fields are numbered slots, as in the schema. `where` is its name in messages."""

    source: Source
    position: int
    where: str
    slots: memoryview

    @classmethod
    def at(cls, source: Source, position: int, where: str) -> Table:
        start = position - int(source.number(_SIGNED_OFFSET, position, where))
        size = int(source.number(_SHORT, start, where))
        if size < 4 or size % 2:
            raise damaged(where, "has no valid list of fields")
        return cls(source, position, where, source.charged(start, size, where)[4:])

    @classmethod
    def root(cls, data: bytes, where: str) -> Table:
        source = Source(data)
        return cls.at(source, source.target(0, where), where)

    def find(self, slot: int) -> int:
        """Where the field's value lies in the file, 0 if it is absent."""
        entry = self.slots[2 * slot : 2 * slot + 2]
        offset = int.from_bytes(entry, "little")
        return self.position + offset if offset else 0

    def number(self, slot: int, layout: str, default: Number) -> Number:
        position = self.find(slot)
        return self.source.number(layout, position, self.where) if position else default

    def integer(self, slot: int, layout: str = "<i", default: int = 0) -> int:
        return int(self.number(slot, layout, default))

    def vector(self, position: int, width: int) -> tuple[int, int]:
        """Start and number of the elements, each `width` bytes, of the vector field at `position`; none at 0."""
        if not position:
            return 0, 0
        start = self.source.target(position, self.where)
        count = int(self.source.number(_OFFSET, start, self.where))
        self.source.view(start + 4, count * width, self.where)
        return start + 4, count

    def content(self, slot: int) -> memoryview | None:
        """A vector of bytes, not copied; None if absent or empty."""
        start, count = self.vector(self.find(slot), 1)
        return self.source.view(start, count, self.where) if count else None

    def array(self, position: int, dtype: str) -> NDArray[Any]:
        """A vector of numbers."""
        width = np.dtype(dtype).itemsize
        start, count = self.vector(position, width)
        return np.frombuffer(self.source.charged(start, count * width, self.where), dtype)

    def integers(self, slot: int) -> tuple[int, ...]:
        """A vector of 32-bit integers, as most are."""
        return tuple(self.array(self.find(slot), "<i4").tolist())

    def text(self, position: int) -> str:
        start, count = self.vector(position, 1)
        return bytes(self.source.charged(start, count, self.where)).decode("utf-8", "replace")

    def child(self, slot: int, name: str) -> Table | None:
        position = self.find(slot)
        where = f"{self.where}: {name}"
        return Table.at(self.source, self.source.target(position, where), where) if position else None

    def children(self, slot: int) -> Children:
        start, count = self.vector(self.find(slot), 4)
        return Children(self.source, start, count)


@dataclass(frozen=True)
class Children:
    """A vector of tables, each checked when it is asked for."""

    source: Source
    start: int
    count: int

    def at(self, index: int, where: str) -> Table:
        """`where` names the table wanted; the caller has checked the index."""
        return Table.at(self.source, self.source.target(self.start + 4 * index, where), where)

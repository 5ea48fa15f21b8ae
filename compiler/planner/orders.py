"""Which of two blocks lies below the other: a search that learns from its dead ends.

Every pair has two orders, its literals: 2p says that its first block lies below its second, 2p + 1 the contrary.
Each block has a lowest and a highest offset. An order that a pair can no longer have decides for the other, which
moves further offsets; each knows the chain of orders that moved it. Where a block has no room left, two chains
are to blame: that not all of their orders hold together is kept as a clause, as SAT solvers do. When nothing is
in the way at the lowest offsets, they are a solution.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from typing import TypeAlias

import numpy as np

# (order, what held its other block, the offset it led to, the block): newest first, down to what always holds
Chain: TypeAlias = "tuple[int, Chain, int, int] | None"
Reason: TypeAlias = "list[int] | tuple[Chain, Chain, int] | None"  # a clause; or chains and bytes they are too long by

DECAY = 0.95  # of what older dead ends count
RESTART = 20  # dead ends, times Luby's sequence


class Pairs:
    """The blocks, and the least distances (i, j, j above i, i above j) of those that get in each other's way."""

    def __init__(self, tops: Sequence[int], alignments: Sequence[int], pairs: Sequence[tuple[int, int, int, int]]):
        self.tops, self.alignments, self.count = tops, alignments, len(pairs)
        self.step = lcm(*alignments)
        self.lower = [block for i, j, _, _ in pairs for block in (i, j)]  # by literal
        self.upper = [block for i, j, _, _ in pairs for block in (j, i)]
        self.gap = [gap for _, _, below, above in pairs for gap in (below, above)]
        self.near: list[list[tuple[int, int, int, int]]] = [[] for _ in tops]  # (literal, other, gap, other's gap)
        for p, (i, j, below, above) in enumerate(pairs):
            self.near[i].append((2 * p, j, below, above))
            self.near[j].append((2 * p + 1, i, above, below))
        self.columns = np.array(pairs, np.int64).reshape(-1, 4).T


class Orders:
    """One search, for ever smaller sizes."""

    def __init__(self, pairs: Pairs, like: Orders | None = None) -> None:
        blocks, self.pairs, self.size = len(pairs.tops), pairs, 1 << 62
        self.low, self.high = [0] * blocks, [self.size] * blocks
        self.low_why: list[Chain] = [None] * blocks
        self.high_why: list[Chain] = [None] * blocks
        self.true = [False] * (2 * pairs.count)
        self.level, self.reason = [0] * pairs.count, list[Reason]([None] * pairs.count)
        self.watched: list[list[list[int]]] = [[] for _ in self.true]  # clauses to look at when a literal gets true
        self.trail, self.undone, self.marks = list[int](), list[tuple[bool, int, int, Chain]](), list[tuple[int, int]]()
        self.decided, self.moved = list[int](), list[int]()  # literals, blocks: what follows is still to be found out
        self.blame, self.unit = np.zeros(pairs.count), 1.0
        self.last = [-1] * pairs.count
        self.failures, self.impossible = 0, False
        if like is not None:  # what is hard, not what was learnt
            self.blame, self.unit, self.last = like.blame, like.unit, like.last

    def fit(self, size: int, most: int) -> tuple[int, ...] | None:
        """Offsets within `size` bytes; None if there are none, or `impossible` is false: none after `most` failures."""
        self._shrink(size)
        end, restarts, restart = self.failures + most, 1, self.failures + RESTART
        while not self.impossible:
            wrong = self._propagate()
            if wrong is None:
                pair = self._in_the_way()
                if pair is None:
                    return self._solution()
                self._decide(pair)
            elif self._learnt(wrong):
                if self.failures >= end:
                    break
                if self.failures >= restart:
                    restarts += 1
                    restart = self.failures + RESTART * _luby(restarts)
                    self._back(0)
        return None

    def _solution(self) -> tuple[int, ...]:
        found = tuple(self.low)
        self._back(0)
        return found

    def _shrink(self, size: int) -> None:
        """Begin anew; what was learnt for a larger size holds for a smaller one."""
        self._back(0)
        limits = [(size - top) // a * a for top, a in zip(self.pairs.tops, self.pairs.alignments, strict=True)]
        self.size, self.high = size, [min(pair) for pair in zip(self.high, limits, strict=True)]
        self.decided, self.moved = [*self.trail], list(range(len(limits)))
        self._settle()
        room = all(low <= high for low, high in zip(self.low, self.high, strict=True))
        self.impossible |= not room or self._propagate() is not None
        self._settle()

    def _settle(self) -> None:
        """What holds now needs no explanation."""
        self.floor, self.ceiling = [*self.low], [*self.high]
        self.low_why, self.high_why = [None] * len(self.low), [None] * len(self.low)

    def _decide(self, pair: int) -> None:
        """As last time, else as there is more room."""
        below, above = 2 * pair, 2 * pair + 1
        if self.last[pair] >= 0:
            literal = below + self.last[pair]
        else:
            literal = below if self._room(below) >= self._room(above) else above
        self.marks.append((len(self.trail), len(self.undone)))
        self._assign(literal, None)

    def _room(self, literal: int) -> int:
        pairs = self.pairs
        return self.high[pairs.upper[literal]] - self.low[pairs.lower[literal]] - pairs.gap[literal]

    def _in_the_way(self) -> int | None:
        """Of the pairs that collide at the lowest offsets, the one with much blame and little room."""
        low, high = np.array(self.low), np.array(self.high)
        i, j, below, above = self.pairs.columns
        low_i, low_j = low[i], low[j]
        hits = np.flatnonzero((low_j < low_i + below) & (low_i < low_j + above))
        if not len(hits):
            return None
        room = np.maximum(high[j[hits]] - low_i[hits] - below[hits], high[i[hits]] - low_j[hits] - above[hits])
        return int(hits[np.argmax((1 + self.blame[hits] / self.unit) / (1 + room))])

    def _assign(self, literal: int, reason: Reason) -> None:
        pair = literal >> 1
        self.true[literal], self.level[pair], self.reason[pair] = True, len(self.marks), reason
        self.trail.append(literal)
        self.decided.append(literal)

    def _back(self, level: int) -> None:
        """Undo all decisions after this many."""
        if len(self.marks) <= level:
            return
        trail, undone = self.marks[level]
        for literal in self.trail[trail:]:
            self.true[literal], self.last[literal >> 1] = False, literal & 1
        for highest, block, value, why in reversed(self.undone[undone:]):
            if highest:
                self.high[block], self.high_why[block] = value, why
            else:
                self.low[block], self.low_why[block] = value, why
        del self.marks[level:], self.trail[trail:], self.undone[undone:]
        self.decided, self.moved = [], []

    def _propagate(self) -> list[int] | None:
        """Find all that follows; literals that can't all be true, if it comes to that."""
        wrong = None
        while wrong is None and (self.decided or self.moved):
            if self.decided:
                literal = self.decided.pop()
                wrong = self._order(literal) or self._clauses(literal)
            else:
                wrong = self._neighbours(self.moved.pop())
        return wrong

    def _order(self, literal: int) -> list[int] | None:
        """One block lies below another: move their offsets."""
        pairs, low, high = self.pairs, self.low, self.high
        lower, upper, gap = pairs.lower[literal], pairs.upper[literal], pairs.gap[literal]
        alignment = pairs.alignments[upper]
        value = -(-(low[lower] + gap) // alignment) * alignment
        if value > low[upper]:
            self.undone.append((False, upper, low[upper], self.low_why[upper]))
            low[upper], self.low_why[upper] = value, (literal, self.low_why[lower], value, upper)
            self.moved.append(upper)
            if value > high[upper]:
                return self._explain(self.low_why[upper], self.high_why[upper], value - high[upper] - 1)
        alignment = pairs.alignments[lower]
        value = (high[upper] - gap) // alignment * alignment
        if value < high[lower]:
            self.undone.append((True, lower, high[lower], self.high_why[lower]))
            high[lower], self.high_why[lower] = value, (literal, self.high_why[upper], value, lower)
            self.moved.append(lower)
            if value < low[lower]:
                return self._explain(self.low_why[lower], self.high_why[lower], low[lower] - value - 1)
        return None

    def _neighbours(self, i: int) -> list[int] | None:
        """An offset of a block has moved: push those in order with it, and decide where one order is left."""
        low, high, true = self.low, self.high, self.true
        low_i, high_i = low[i], high[i]
        for literal, j, below, above in self.pairs.near[i]:
            if true[literal]:
                wrong = self._order(literal) if low_i + below > low[j] or high[j] - below < high_i else None
            elif true[literal ^ 1]:
                wrong = self._order(literal ^ 1) if low[j] + above > low_i or high_i - above < high[j] else None
            else:
                if low_i + below > high[j]:
                    self._assign(literal ^ 1, (self.low_why[i], self.high_why[j], low_i + below - high[j] - 1))
                elif low[j] + above > high_i:
                    self._assign(literal, (self.low_why[j], self.high_why[i], low[j] + above - high_i - 1))
                continue
            if wrong:
                return wrong
            low_i, high_i = low[i], high[i]
        return None

    def _clauses(self, literal: int) -> list[int] | None:
        """Clauses of which one of the first two literals has got false: watch another, or that is the last one left."""
        true, false, clauses, kept = self.true, literal ^ 1, self.watched[literal], list[list[int]]()
        self.watched[literal] = kept
        for n, clause in enumerate(clauses):
            if clause[0] == false:
                clause[0], clause[1] = clause[1], false
            if not true[clause[0]]:
                other = next((k for k in range(2, len(clause)) if not true[clause[k] ^ 1]), 0)
                if other:
                    clause[1], clause[other] = clause[other], false
                    self.watched[clause[1] ^ 1].append(clause)
                    continue
                if true[clause[0] ^ 1]:
                    kept += clauses[n:]
                    return [x ^ 1 for x in clause]
                self._assign(clause[0], clause)
            kept.append(clause)
        return None

    def _explain(self, low: Chain, high: Chain, spare: int) -> list[int]:
        """The orders of two chains, but for ends of them that are not needed."""
        found, step = list[int](), self.pairs.step
        while low is not None:
            literal, rest, value, block = low
            gain = -(-(value - self.floor[block]) // step) * step  # in whole steps, so that rounding can't matter
            if gain <= spare:
                spare -= gain
                break
            found.append(literal)
            low = rest
        while high is not None:
            literal, rest, value, block = high
            if -(-(self.ceiling[block] - value) // step) * step <= spare:
                break
            found.append(literal)
            high = rest
        return found

    def _why(self, literal: int) -> list[int]:
        """True literals that imply it."""
        reason = self.reason[literal >> 1]
        if isinstance(reason, list):
            return [x ^ 1 for x in reason if x != literal]
        return [] if reason is None else self._explain(*reason)

    def _learnt(self, wrong: list[int]) -> bool:
        """Go back to where a new clause leaves one literal only; false if nothing is left to go back to."""
        self.failures += 1
        level = max((self.level[x >> 1] for x in wrong), default=0)
        self.impossible = level == 0
        if self.impossible:
            return False
        self._back(level)
        clause = self._clause(wrong)
        self._back(self.level[clause[1] >> 1] if len(clause) > 1 else 0)
        for literal in clause[:2] if len(clause) > 1 else ():
            self.watched[literal ^ 1].append(clause)
        self._assign(clause[0], clause)
        return True

    def _clause(self, wrong: list[int]) -> list[int]:
        """Resolve until one literal of the last level is left. It comes first, the newest of the others second."""
        seen, others, current, at = set[int](), list[int](), 0, len(self.trail)
        while True:
            for x in wrong:
                pair = x >> 1
                if pair in seen or not self.level[pair]:
                    continue
                seen.add(pair)
                self.blame[pair] += self.unit
                if self.level[pair] == len(self.marks):
                    current += 1
                else:
                    others.append(x)
            at = next(n for n in range(at - 1, -1, -1) if self.trail[n] >> 1 in seen)
            current -= 1
            if not current:
                break
            wrong = self._why(self.trail[at])
        self._age()
        needed = sorted(self._needed(others), key=lambda x: -self.level[x >> 1])
        return [self.trail[at] ^ 1, *(x ^ 1 for x in needed)]

    def _needed(self, literals: list[int]) -> list[int]:
        """Without those that the others imply."""
        given = {x >> 1 for x in literals}
        return [
            x
            for x in literals
            if self.reason[x >> 1] is None or any(y >> 1 not in given and self.level[y >> 1] for y in self._why(x))
        ]

    def _age(self) -> None:
        self.unit /= DECAY
        if self.unit > 1e100:
            self.blame, self.unit = self.blame / self.unit, 1.0


def _luby(n: int) -> int:
    """1 1 2 1 1 2 4 1 1 2 1 1 2 4 8 ..."""
    length = n.bit_length()
    return 1 << (length - 1) if n == (1 << length) - 1 else _luby(n - (1 << (length - 1)) + 1)

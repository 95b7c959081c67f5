"""Expiry: which slots end when, gathered by the minute, so that a million cost little.

Whole minutes wait as plain sets. Only those whose minute has begun to be due are put in order,
in a heap, out of which they leave by their exact ends.
"""

from __future__ import annotations

import heapq
from array import array

import numpy as np

from deconflict.geo.packed.table import Integers

MINUTE_US = 60_000_000
NEVER_US = -(2**63)
"""Stands in the place of an empty slot."""
LEAST_STALE = 64
"""So many outdated places in the heap are not worth clearing away."""


class Expiry:
    """The ends of numbered slots, microseconds since 1970 UTC."""

    def __init__(self) -> None:
        self._end = array("q")
        self._later: dict[int, set[int]] = {}
        self._minutes: list[int] = []
        self._opened = NEVER_US
        self._near: set[int] = set()
        self._heap: list[tuple[int, int]] = []

    @classmethod
    def of(cls, ends_us: Integers) -> Expiry:
        """Return the expiry of the slots 0, 1, 2, ..., all of them in use."""
        made = cls()
        made._end = array("q", np.ascontiguousarray(ends_us, np.int64).tobytes())
        minutes = ends_us // MINUTE_US
        order = np.argsort(minutes, kind="stable")
        different, first = np.unique(minutes[order], return_index=True)
        for minute, slots in zip(
            different.tolist(), np.split(order, first[1:]) if len(order) else (), strict=True
        ):
            made._later[minute] = set(slots.tolist())
        made._minutes = different.tolist()  # sorted, which is a heap
        return made

    def end_us(self, slot: int) -> int:
        """Return when a slot ends; `NEVER_US` if it is empty."""
        return self._end[slot]

    def put(self, slot: int, end_us: int) -> None:
        """Let a slot end then, a new one or the next one after the last."""
        if slot == len(self._end):
            self._end.append(NEVER_US)
        before_us = self._end[slot]
        if before_us == end_us:
            return
        if before_us != NEVER_US:
            self.discard(slot)
        self._end[slot] = end_us
        minute = end_us // MINUTE_US
        if minute <= self._opened:
            self._near.add(slot)
            heapq.heappush(self._heap, (end_us, slot))
            if len(self._heap) > 2 * len(self._near) + LEAST_STALE:
                self._heap = [(self._end[one], one) for one in self._near]
                heapq.heapify(self._heap)
        elif (waiting := self._later.get(minute)) is not None:
            waiting.add(slot)
        else:
            self._later[minute] = {slot}
            heapq.heappush(self._minutes, minute)

    def discard(self, slot: int) -> None:
        """Empty a slot."""
        if slot in self._near:
            self._near.discard(slot)
        else:
            self._later[self._end[slot] // MINUTE_US].discard(slot)
        self._end[slot] = NEVER_US

    def due(self, before_us: int) -> list[int]:
        """Return the slots that end before an instant, and empty them."""
        while self._minutes and self._minutes[0] * MINUTE_US < before_us:
            self._open()
        found: list[int] = []
        while self._heap and self._heap[0][0] < before_us:
            end_us, slot = heapq.heappop(self._heap)
            if slot in self._near and self._end[slot] == end_us:
                found.append(slot)
                self.discard(slot)
        return found

    def next_us(self) -> int | None:
        """Return the earliest end; ``None`` if every slot is empty."""
        while True:
            while self._heap:
                end_us, slot = self._heap[0]
                if slot in self._near and self._end[slot] == end_us:
                    return end_us
                heapq.heappop(self._heap)
            if not self._minutes:
                return None
            self._open()

    def _open(self) -> None:
        minute = heapq.heappop(self._minutes)
        self._opened = max(self._opened, minute)
        slots = self._later.pop(minute)
        self._near |= slots
        self._heap += [(self._end[slot], slot) for slot in slots]
        heapq.heapify(self._heap)

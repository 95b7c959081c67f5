"""An overlay: the records of one kind that a draft changes, over a shelf that it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic

import numpy as np

from deconflict.geo.packed.prepared import Prepared
from deconflict.geo.packed.table import END, GROWTH, Floats, Rows
from deconflict.geo.sweep import parts_meet
from deconflict.geo.volume import parts
from deconflict.register.state.shelf import R, Shelf

LEAST_ROOM = 32
"""Rows that an overlay has room for at first."""
SLACK_M = 0.01
"""By how much boxes are larger than the spheres that they hold: sums are rounded."""


class Overlay(Generic[R]):
    """Records put or removed, by identifier.

    Parameters
    ----------
    shelf
        What lies underneath.
    """

    def __init__(self, shelf: Shelf[R]) -> None:
        self._shelf: Shelf[R] = shelf
        self._record: dict[str, R | None] = {}
        self._rows_of: dict[str, range] = {}
        self._row: list[tuple[str, Prepared, int]] = []
        self._box: Floats = np.empty((LEAST_ROOM, 8))
        self._scratch: Floats = np.empty((LEAST_ROOM, 2))
        self.hidden: set[int] = set()
        """Slots of the shelf that no longer say what is."""

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._record

    def get(self, identifier: str) -> R | None:
        """Return a record, from the shelf if it isn't changed."""
        if identifier in self._record:
            return self._record[identifier]
        return self._shelf.get(identifier)

    def put(self, record: R, ready: Sequence[Prepared]) -> None:
        """Put a record with its volumes."""
        self.remove(record.id)
        self._record[record.id] = record
        first = len(self._row)
        for volume in ready:
            for leg in range(len(volume.rows.real)):
                self._add(record.id, volume, leg)
        self._rows_of[record.id] = range(first, len(self._row))

    def rewrite(self, record: R) -> None:
        """Put another record in the place of one put before, whose volumes are the same."""
        self._record[record.id] = record

    def remove(self, identifier: str) -> None:
        """Remove a record, whether it is underneath or was put before."""
        slot = self._shelf.slot(identifier)
        if slot is not None:
            self.hidden.add(slot)
        for row in self._rows_of.pop(identifier, ()):
            self._box[row] = np.inf
        self._record[identifier] = None

    def meeting(self, volumes: Sequence[Prepared], now_us: int) -> Iterator[R]:
        """Yield the records put that meet one of these volumes and have not ended."""
        if not self._rows_of:
            return
        met: set[str] = set()
        for volume in volumes:
            for leg in range(len(volume.rows.real)):
                self._meet(volume, leg, met)
        for identifier in met:
            record = self._record[identifier]
            if record is not None and record.end_us >= now_us:
                yield record

    def _meet(self, asked: Prepared, leg: int, met: set[str]) -> None:
        from deconflict.geo.packed.kernel import NO, YES, meet

        rows = asked.rows
        box: tuple[float, ...] = _box_of(rows, leg)
        beyond = -np.array((*box[4:], *box[:4]))
        near = (self._box[: len(self._row)] <= beyond).all(axis=1)
        for row in np.flatnonzero(near).tolist():
            identifier, other, other_leg = self._row[row]
            if identifier in met:
                continue
            vertices = max(len(rows.xyz), len(other.rows.xyz))
            if vertices > len(self._scratch):
                self._scratch = np.empty((vertices, 2))
            answer = meet(rows, leg, other.rows, other_leg, 0.0, 0.0, 0, self._scratch)
            if answer == YES or (
                answer != NO
                and parts_meet(parts(asked.volume)[leg], parts(other.volume)[other_leg])
            ):
                met.add(identifier)

    def _add(self, identifier: str, volume: Prepared, leg: int) -> None:
        count = len(self._row)
        if count == len(self._box):
            larger = np.empty((2 * count, 8))
            larger[:count] = self._box
            self._box = larger
        self._box[count] = _box_of(volume.rows, leg)
        self._row.append((identifier, volume, leg))


def _box_of(rows: Rows, leg: int) -> tuple[float, ...]:
    """Return a row's box: its lower corner, and its upper corner with the signs changed.

    Metres, Earth-centred Earth-fixed, and microseconds. To round an instant to a float keeps the
    order of two, or makes them equal: none is missed.
    """
    x, y, z, radius, growth = rows.real[leg, : GROWTH + 1].tolist()
    begin, end = rows.whole[leg, : END + 1].tolist()
    reach = radius + growth + SLACK_M
    return (
        x - reach,
        y - reach,
        z - reach,
        float(begin),
        -x - reach,
        -y - reach,
        -z - reach,
        -float(end),
    )

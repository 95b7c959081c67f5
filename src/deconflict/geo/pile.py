"""A pile: a few volumes in no order, each of which is looked at for every question.

For some hundred volumes that soon go, such as those of one group of commands, this costs less
than an `Index`, and as exact is the answer.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

import numpy as np

from deconflict.geo.index import Index
from deconflict.geo.packed.prepared import Prepared, prepared
from deconflict.geo.packed.table import (
    ALWAYS_US,
    BEGIN,
    END,
    Flags,
    Floats,
    Integers,
    Rows,
)
from deconflict.geo.sweep import parts_meet
from deconflict.geo.volume import Circle, Polygon, Volume4D, parts

K = TypeVar("K", bound=Hashable)

LEAST_ROWS = 64
LEAST_VERTICES = 512


class Pile(Generic[K]):
    """Volumes under keys; a key may have several, added at once."""

    def __init__(self) -> None:
        from deconflict.geo.packed.kernel import YES
        from deconflict.geo.packed.placing import copy_row
        from deconflict.geo.packed.search import scan

        # Kept here, since an import costs a microsecond a call.
        self._copy, self._scan, self._yes = copy_row, scan, YES
        self._places: list[tuple[K, Prepared, int]] = []
        self._rows_of: dict[K, range] = {}
        self._group: Integers = np.empty(LEAST_ROWS, np.int64)
        self._met: Flags = np.zeros(LEAST_ROWS, np.uint8)
        self._rings = self._vertices = 0
        self._rows = Rows(
            np.empty((LEAST_ROWS, 9)),
            np.empty((LEAST_ROWS, 7), np.int64),
            np.empty(2 * LEAST_ROWS, np.int64),
            np.empty((LEAST_VERTICES, 3)),
        )
        self._scratch: Floats = np.empty((LEAST_ROWS, 2))
        self._found: Integers = np.empty((LEAST_ROWS, 2), np.int64)

    def __len__(self) -> int:
        return len(self._rows_of)

    def add(self, key: K, volumes: Sequence[Prepared]) -> None:
        """Add a key's volumes; those that it had are forgotten."""
        self.remove(key)
        first = len(self._places)
        for volume in volumes:
            for leg in range(len(volume.rows.real)):
                self._add(volume, leg, first)
                self._places.append((key, volume, leg))
        self._rows_of[key] = range(first, len(self._places))

    def remove(self, key: K) -> None:
        """Forget a key's volumes, if it has any."""
        for row in self._rows_of.pop(key, ()):
            # In force at no time.
            self._rows.whole[row, BEGIN] = 2 * ALWAYS_US - 1
            self._rows.whole[row, END] = -2 * ALWAYS_US

    def query(self, volumes: Sequence[Prepared], *, most_exact: int | None = None) -> set[K]:
        """Return the keys of which a volume meets one of these.

        Parameters
        ----------
        volumes
            What is asked about.
        most_exact
            As in `Index.query_all`.
        """
        met: set[K] = set()
        if not self._rows_of:
            return met
        exact = 0
        try:
            for asked in volumes:
                self._make_scratch(len(asked.rows.xyz))
                left: list[tuple[int, int]] = []
                for leg in range(len(asked.rows.real)):
                    count = self._scan(
                        self._rows,
                        len(self._places),
                        self._group,
                        self._met,
                        asked.rows,
                        leg,
                        self._scratch,
                        self._found,
                    )
                    if not count:
                        continue
                    for row, answer in self._found[:count].tolist():
                        if answer == self._yes:
                            met.add(self._places[row][0])
                        else:
                            left.append((leg, row))
                for leg, row in left:
                    key, other, other_leg = self._places[row]
                    if key in met:
                        continue
                    exact += 1
                    if (most_exact is not None and exact > most_exact) or parts_meet(
                        parts(asked.volume)[leg], parts(other.volume)[other_leg]
                    ):
                        met.add(key)
                        self._met[self._group[row]] = 1
        finally:
            self._met[:] = 0
        return met

    def _add(self, volume: Prepared, leg: int, group: int) -> None:
        rings, vertices = volume.size(leg)
        row, ring, vertex = len(self._places), self._rings, self._vertices
        rows = self._rows
        if (
            row == len(rows.real)
            or ring + rings >= len(rows.ring)
            or vertex + vertices > len(rows.xyz)
        ):
            rows = self._rows = Rows(
                _roomy(rows.real, row + 1),
                _roomy(rows.whole, row + 1),
                _roomy(rows.ring, ring + rings + 1),
                _roomy(rows.xyz, vertex + vertices),
            )
        if row == len(self._group):
            self._group = _roomy(self._group, row + 1)
            self._met = np.zeros(len(self._group), np.uint8)
            self._found = np.empty((len(self._group), 2), np.int64)  # it can't find more
        self._group[row] = group  # of all volumes of a key: its first row
        self._copy(rows, row, ring, vertex, volume.rows, leg)
        self._rings += rings + 1
        self._vertices += vertices
        self._make_scratch(vertices)

    def _make_scratch(self, vertices: int) -> None:
        if vertices > len(self._scratch):
            self._scratch = np.empty((2 * vertices, 2))


def load_compiled() -> None:
    """Load all that an index and a pile are compiled to, so that no later call waits for it.

    Half a second; ten in the first run after an installation.
    """
    shapes = (Circle((0.0, 0.0), 1.0), Polygon(((0.0, 0.0), (0.0, 0.001), (0.001, 0.0))))
    ready = [prepared(Volume4D(footprint=shape)) for shape in shapes]
    index: Index[int] = Index()
    pile: Pile[int] = Pile()
    for key, volume in enumerate(ready):
        index.insert(key, volume)
        pile.add(key, [volume])
    for volume in ready:
        index.query(volume)
    pile.query(ready)
    for key in range(len(ready)):
        index.remove(key)


_Array = TypeVar("_Array", Floats, Integers)


def _roomy(array: _Array, least: int) -> _Array:
    """Return a copy with room for twice as much, and for what is wanted."""
    larger = np.empty((max(2 * len(array), least), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger

"""The index: volumes that come and go one at a time, and which of them a new one meets.

The grid of `cells` holds the rows, the compiled `kernel` decides, and what it leaves open is
asked of `deconflict.geo.separation`, so an answer is exact. The first index of a process loads
numba (0.5 s; 10 s in the first run after an installation).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

import numpy as np

from deconflict.geo.errors import InputError
from deconflict.geo.packed.table import (
    BEGIN,
    GROWTH,
    RADIUS,
    RING,
    RING_STOP,
    Floats,
    Gathered,
    Integers,
    Rows,
    VolumeTable,
)
from deconflict.geo.sweep import parts_meet
from deconflict.geo.volume import Volume4D, parts

K = TypeVar("K", bound=Hashable)

LEAST_ROOM = 1024
"""Rows that an index has room for at first."""
MOST_QUICK_VERTICES = 4096
"""A volume with more vertices takes the way through `VolumeTable`."""


class Index(Generic[K]):
    """A changing set of volumes, each under a key.

    One thread at a time; a query changes buffers too.

    Parameters
    ----------
    keys, volumes
        What it holds at first, a key for each volume; quicker than one at a time.

    Raises
    ------
    InputError
        If a key comes twice, or there aren't as many keys as volumes.
    """

    def __init__(
        self, keys: Iterable[K] = (), volumes: VolumeTable | Iterable[Volume4D] = ()
    ) -> None:
        from deconflict.geo.packed.cells import search
        from deconflict.geo.packed.placing import place

        # Kept here, since an import costs a microsecond a query.
        self._find, self._place = search, place
        table = volumes if isinstance(volumes, VolumeTable) else VolumeTable.of(tuple(volumes))
        named = tuple(keys)
        if len(named) != table.count:
            raise InputError(
                f"{len(named)} keys were given for {table.count} volumes", "give each its key"
            )
        self._volume: dict[K, tuple[Callable[[int], Volume4D], int]] = {
            key: (table.volume_of, number) for number, key in enumerate(named)
        }
        if len(self._volume) != len(named):
            raise InputError("a key was given twice", "give each volume its own key")
        first = np.searchsorted(table.owner, np.arange(table.count))
        self._name: list[tuple[K, int] | None] = [
            (named[owner], row - int(first[owner]))
            for row, owner in enumerate(table.owner.tolist())
        ]
        self._rows_of: dict[K, list[int]] = {}
        self._free: list[int] = []
        self._scratch: Floats = np.empty((MOST_QUICK_VERTICES, 2))
        self._rebuild(table.rows, np.arange(len(table.owner)))
        self._asked = Rows(
            np.zeros((1, 9)),
            np.zeros((1, 7), np.int64),
            np.zeros(MOST_QUICK_VERTICES + 1, np.int64),
            np.zeros((MOST_QUICK_VERTICES, 3)),
        )

    def __len__(self) -> int:
        return len(self._volume)

    def __contains__(self, key: K) -> bool:
        return key in self._volume

    def insert(self, key: K, volume: Volume4D) -> None:
        """Add a volume.

        Raises
        ------
        InputError
            If there is one under this key.
        """
        if key in self._volume:
            raise InputError(f"there is a volume under {key!r} already", "remove that one first")
        self._volume[key] = ((volume,).__getitem__, 0)
        self._rows_of[key] = []
        new = self._placed(volume)
        for leg in range(len(new.real)):
            self._add(key, leg, new)

    def remove(self, key: K) -> None:
        """Take a volume out.

        Raises
        ------
        KeyError
            If there is none under this key.
        """
        from deconflict.geo.packed.cells import take

        del self._volume[key]
        for row in self._rows_of.pop(key):
            if not take(self._cells, self._rows, row, self._reach(row)):
                raise RuntimeError(f"the index has lost {key!r}")
            self._name[row] = None
            self._free.append(row)

    def query(self, volume: Volume4D) -> list[K]:
        """Return the keys of the volumes that a volume meets, exactly; touching is meeting.

        In no particular order, each once.
        """
        from deconflict.geo.packed.kernel import YES

        found: dict[K, None] = {}
        for leg, row, answer in self._search(volume, decide=True):
            name = self._name[row]
            if name is None:
                raise RuntimeError("the index has found what was removed")
            key, other_leg = name
            if key in found:
                continue
            if answer == YES or parts_meet(parts(volume)[leg], self._part(key, other_leg)):
                found[key] = None
        return list(found)

    def candidates(self, volume: Volume4D) -> list[K]:
        """Return the keys of all volumes that a volume may meet: their spheres and windows do.

        Every one that meets is among them. In no particular order, each once.
        """
        names = (self._name[row] for _, row, _ in self._search(volume, decide=False))
        return list(dict.fromkeys(name[0] for name in names if name is not None))

    def _search(self, volume: Volume4D, *, decide: bool) -> list[tuple[int, int, int]]:
        asked = self._placed(volume)
        if len(asked.xyz) > len(self._scratch):
            self._scratch = np.empty((2 * len(asked.xyz), 2))
        hits: list[tuple[int, int, int]] = []
        for leg in range(len(asked.real)):
            count, found = self._find(
                self._cells, self._rows, asked, leg, 0.0, 0.0, 0, decide, self._scratch
            )
            hits.extend((leg, row, answer) for row, answer in found[:count].tolist())
        return hits

    def _part(self, key: K, leg: int) -> Volume4D:
        volume_of, number = self._volume[key]
        return parts(volume_of(number))[leg]

    def _reach(self, row: int) -> float:
        return float(self._rows.real[row, RADIUS] + self._rows.real[row, GROWTH])

    def _placed(self, volume: Volume4D) -> Rows:
        """Return a volume's rows; valid until the next call."""
        gathered = Gathered()
        gathered.add(volume, 0)
        rings = len(gathered.ring) - 1
        if len(gathered.kind) > 1 or rings > MOST_QUICK_VERTICES:
            return gathered.rows()
        asked = self._asked
        kind = gathered.kind[0]
        asked.ring[: rings + 1] = gathered.ring
        lat_lon = np.array([gathered.lat_deg, gathered.lon_deg])
        if not self._place(asked, rings, lat_lon[0], lat_lon[1], kind):
            return gathered.rows()
        asked.real[0, GROWTH:] = (gathered.growth[0], *gathered.limit[0], *gathered.ellipsoid[0])
        asked.whole[0] = (*gathered.time[0], kind, *gathered.reference[0], 0, rings)
        return asked

    def _add(self, key: K, leg: int, new: Rows) -> None:
        from deconflict.geo.packed.cells import put

        first_ring, stop_ring = int(new.whole[leg, RING]), int(new.whole[leg, RING_STOP])
        start, stop = int(new.ring[first_ring]), int(new.ring[stop_ring])
        rings, vertices = stop_ring - first_ring, stop - start
        if (
            (not self._free and self._row_count == len(self._rows.real))
            or self._ring_count + rings >= len(self._rows.ring)
            or self._vertex_count + vertices > len(self._rows.xyz)
        ):
            self._make_room(1, rings, vertices)
        if self._free:
            row = self._free.pop()
        else:
            row = self._row_count
            self._row_count += 1
            self._name.append(None)
        rows, ring, vertex = self._rows, self._ring_count, self._vertex_count
        rows.real[row] = new.real[leg]
        rows.whole[row] = new.whole[leg]
        rows.whole[row, RING] = ring
        rows.whole[row, RING_STOP] = ring + rings
        rows.ring[ring : ring + rings + 1] = new.ring[first_ring : stop_ring + 1] + (vertex - start)
        rows.xyz[vertex : vertex + vertices] = new.xyz[start:stop]
        self._ring_count += rings
        self._vertex_count += vertices
        if vertices > len(self._scratch):
            self._scratch = np.empty((2 * vertices, 2))
        self._name[row] = (key, leg)
        self._rows_of[key].append(row)
        if not put(self._cells, rows, row, self._reach(row)):
            self._make_room(1, rings, vertices)

    def _make_room(self, rows: int, rings: int, vertices: int) -> None:
        """Put everything into larger arrays, without what removed volumes left behind."""
        live = np.array([row for row, name in enumerate(self._name) if name is not None], np.int64)
        self._rebuild(self._rows, live, rows, rings, vertices)

    def _rebuild(
        self, old: Rows, live: Integers, rows: int = 0, rings: int = 0, vertices: int = 0
    ) -> None:
        from deconflict.geo.packed.cells import empty_cells, load
        from deconflict.geo.packed.cube import keys

        # What lies together in space and time is put together, as in a sweep.
        kept = old._replace(real=old.real[live], whole=old.whole[live])
        reach: Floats = kept.real[:, RADIUS] + kept.real[:, GROWTH]
        order = np.lexsort((kept.whole[:, BEGIN], keys(kept, reach)))
        live, reach = live[order], reach[order]
        real, whole = kept.real[order], kept.whole[order]
        ring_index, ring_first = _runs(whole[:, RING], whole[:, RING_STOP])
        vertex_index, vertex_first = _runs(old.ring[ring_index], old.ring[ring_index + 1])
        whole[:, RING], whole[:, RING_STOP] = ring_first[:-1], ring_first[1:]
        count = len(live)
        self._row_count, self._ring_count = count, len(ring_index)
        self._vertex_count = len(vertex_index)
        self._rows = Rows(
            _roomy(real, 2 * (count + rows) + LEAST_ROOM),
            _roomy(whole, 2 * (count + rows) + LEAST_ROOM),
            _roomy(vertex_first, 2 * (len(ring_index) + rings) + LEAST_ROOM),
            _roomy(old.xyz[vertex_index], 2 * (len(vertex_index) + vertices) + 4 * LEAST_ROOM),
        )
        room = 2 * (count + rows) + LEAST_ROOM
        self._cells = empty_cells(room, room, 3 * room)
        load(self._cells, self._rows, np.zeros(count, np.int64), reach, _by_begin(whole))
        self._name = [self._name[row] for row in live.tolist()]
        self._free = []
        self._rows_of = {key: [] for key in self._volume}
        for row, name in enumerate(self._name):
            if name is not None:
                self._rows_of[name[0]].append(row)
        most = int(np.diff(vertex_first[ring_first]).max(initial=1))
        self._scratch = np.empty((max(most, MOST_QUICK_VERTICES), 2))


def _by_begin(whole: Integers) -> Integers:
    order: Integers = np.argsort(whole[:, BEGIN], kind="stable")
    return order


def _runs(first: Integers, stop: Integers) -> tuple[Integers, Integers]:
    """Return all numbers of the runs from `first` to before `stop`, and each run's offset."""
    lengths = stop - first
    offsets = np.zeros(len(first) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], lengths), offsets


_Array = TypeVar("_Array", Floats, Integers)


def _roomy(array: _Array, room: int) -> _Array:
    """Return a copy with room for so many rows."""
    larger = np.empty((room, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger

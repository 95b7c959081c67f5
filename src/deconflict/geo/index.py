"""The index: volumes that come and go one at a time, and which of them a new one meets.

The grid of `cells` holds the rows, the compiled `kernel` decides, and what it leaves open is
asked of `deconflict.geo.separation`, so an answer is exact. The first index of a process loads
numba (0.5 s; 10 s in the first run after an installation).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from deconflict.geo.errors import InputError
from deconflict.geo.packed.prepared import Prepared, prepared
from deconflict.geo.packed.table import (
    BEGIN,
    GROWTH,
    RADIUS,
    RING,
    RING_STOP,
    Flags,
    Floats,
    Integers,
    Rows,
    VolumeTable,
)
from deconflict.geo.sweep import parts_meet
from deconflict.geo.volume import Volume4D, parts

if TYPE_CHECKING:
    from deconflict.geo.packed.cells import Cells

K = TypeVar("K", bound=Hashable)

LEAST_ROOM = 1024
"""Rows that an index has room for at first."""
LEAST_FOUND = 64
"""Rows that a query has room to find at first."""
MORE_ROOM = 4
"""Room grows by this part of itself: large arrays are enlarged where they are, without copying."""


class Index(Generic[K]):
    """A changing set of volumes, each under a key.

    One thread at a time; a query changes buffers too. A volume that is asked about more than once
    is prepared once: `query`, `candidates` and `insert` take what `prepared` returns too.

    Parameters
    ----------
    keys, volumes
        What it holds at first, a key for each volume; quicker than one at a time.
    resolve
        Gives the volume of a key, for the few that the packed arrays leave open. With it the
        index keeps no volume objects, which are ten times larger than what is packed.
    group
        Gives the number of the group that a key belongs to, from 0 on and dense: one key of a
        group that meets is as good as all, so a query looks at no further one. Without it each
        key is a group of its own.

    Raises
    ------
    InputError
        If a key comes twice, or there aren't as many keys as volumes.
    """

    def __init__(
        self,
        keys: Iterable[K] = (),
        volumes: VolumeTable | Iterable[Volume4D] = (),
        *,
        resolve: Callable[[K], Volume4D] | None = None,
        group: Callable[[K], int] | None = None,
    ) -> None:
        from deconflict.geo.packed.cells import put_new, take
        from deconflict.geo.packed.kernel import YES
        from deconflict.geo.packed.search import search

        # Kept here, since an import costs a microsecond a query.
        self._yes = YES
        self._find, self._put, self._take = search, put_new, take
        table = volumes if isinstance(volumes, VolumeTable) else VolumeTable.of(tuple(volumes))
        named = tuple(keys)
        if len(named) != table.count:
            raise InputError(
                f"{len(named)} keys were given for {table.count} volumes", "give each its key"
            )
        self._resolve = resolve
        self._group_of = group
        self._volume: dict[K, tuple[Callable[[int], Volume4D], int]] = {}
        if resolve is None:
            self._volume = {key: (table.volume_of, number) for number, key in enumerate(named)}
        first = np.searchsorted(table.owner, np.arange(table.count))
        self._key: list[K | None] = [named[owner] for owner in table.owner.tolist()]
        legs = np.arange(len(table.owner)) - first[table.owner]
        later = np.flatnonzero(legs)
        self._leg: dict[int, int] = dict(
            zip(later.tolist(), legs[later].tolist(), strict=True)
        )  # what isn't here is the first leg
        self._rows_of: dict[K, int | tuple[int, ...]] = {}
        self._cells: Cells
        self._scratch: Floats
        self._found: Integers = np.empty((LEAST_FOUND, 2), np.int64)
        self._group: Integers
        self._met: Flags
        self._rebuild(table.rows, np.arange(len(table.owner)))
        if len(self._rows_of) != len(named):
            raise InputError("a key was given twice", "give each volume its own key")

    def __len__(self) -> int:
        return len(self._rows_of)

    def __contains__(self, key: K) -> bool:
        return key in self._rows_of

    def insert(self, key: K, volume: Volume4D | Prepared) -> None:
        """Add a volume.

        Raises
        ------
        InputError
            If there is one under this key.
        """
        if key in self._rows_of:
            raise InputError(f"there is a volume under {key!r} already", "remove that one first")
        new = prepared(volume)
        if self._resolve is None:
            self._volume[key] = ((new.volume,).__getitem__, 0)
        rows = tuple(self._add(key, leg, new) for leg in range(len(new.rows.real)))
        self._rows_of[key] = rows[0] if len(rows) == 1 else rows

    def remove(self, key: K) -> None:
        """Take a volume out.

        Raises
        ------
        KeyError
            If there is none under this key.
        """
        found = self._rows_of.pop(key)
        self._volume.pop(key, None)
        for row in (found,) if isinstance(found, int) else found:
            if not self._take(self._cells, self._rows, row, self._reach(row)):
                raise RuntimeError(f"the index has lost {key!r}")
            self._key[row] = None
            self._leg.pop(row, None)
            self._free.setdefault(self._shape(row), []).append(row)
            self._freed += 1

    def query(self, volume: Volume4D | Prepared) -> list[K]:
        """Return the keys of the volumes that a volume meets, exactly; touching is meeting.

        In no particular order, each once; of a group at least one.
        """
        return self.query_all((volume,))

    def query_all(
        self, volumes: Iterable[Volume4D | Prepared], *, most_exact: int | None = None
    ) -> list[K]:
        """Return the keys of the volumes that one of these volumes meets; touching is meeting.

        Parameters
        ----------
        volumes
            What is asked about.
        most_exact
            How many pairs that the packed arrays leave open are decided exactly, at 0.1 to 1 ms
            each; of further ones it is said that they meet. ``None``: all are decided.

        Returns
        -------
        list
            In no particular order, each once; of a group at least one.
        """
        found: dict[K, None] = {}
        noted: list[int] = []
        exact = 0
        try:
            for volume in volumes:
                one = prepared(volume)
                left: list[tuple[int, int]] = []
                for leg, row, answer in self._search(one.rows, decide=True):
                    if answer == self._yes:
                        noted.append(row)
                        found[self._named(row)] = None
                    else:
                        left.append((leg, row))
                for leg, row in left:
                    key = self._named(row)
                    if key in found or self._met[self._group[row]]:
                        continue
                    exact += 1
                    if (most_exact is not None and exact > most_exact) or parts_meet(
                        parts(one.volume)[leg], self._part(key, self._leg.get(row, 0))
                    ):
                        self._met[self._group[row]] = 1
                        noted.append(row)
                        found[key] = None
        finally:
            for row in noted:
                self._met[self._group[row]] = 0
        return list(found)

    def candidates(self, volume: Volume4D | Prepared) -> list[K]:
        """Return the keys of all volumes that a volume may meet: their spheres and windows do.

        Every one that meets is among them. In no particular order, each once.
        """
        rows = self._search(prepared(volume).rows, decide=False)
        return list(dict.fromkeys(self._named(row) for _, row, _ in rows))

    def table(self) -> tuple[list[K], VolumeTable]:
        """Return the keys and the packed volumes, from which an equal index can be made."""
        keys = list(self._rows_of)
        live: list[int] = []
        owner: list[int] = []
        for number, found in enumerate(self._rows_of.values()):
            rows = (found,) if isinstance(found, int) else found
            live.extend(rows)
            owner.extend([number] * len(rows))
        packed, _ = _gathered(self._rows, np.array(live, np.int64))
        owners: Integers = np.array(owner, np.int64)
        return keys, VolumeTable(
            packed, owners, len(keys), lambda number: self._whole(keys[number])
        )

    def _search(self, rows: Rows, *, decide: bool) -> list[tuple[int, int, int]]:
        if len(rows.xyz) > len(self._scratch):
            self._scratch = np.empty((2 * len(rows.xyz), 2))
        hits: list[tuple[int, int, int]] = []
        for leg in range(len(rows.real)):
            while True:
                count = self._find(
                    self._cells,
                    self._rows,
                    self._group,
                    self._met,
                    rows,
                    leg,
                    decide,
                    self._scratch,
                    self._found,
                )
                if count <= len(self._found):
                    break
                self._found = np.empty((count, 2), np.int64)
            if count:
                hits.extend((leg, row, answer) for row, answer in self._found[:count].tolist())
        return hits

    def _named(self, row: int) -> K:
        key = self._key[row]
        if key is None:
            raise RuntimeError("the index has found what was removed")
        return key

    def _whole(self, key: K) -> Volume4D:
        if self._resolve is not None:
            return self._resolve(key)
        volume_of, number = self._volume[key]
        return volume_of(number)

    def _part(self, key: K, leg: int) -> Volume4D:
        return parts(self._whole(key))[leg]

    def _reach(self, row: int) -> float:
        return float(self._rows.real[row, RADIUS] + self._rows.real[row, GROWTH])

    def _shape(self, row: int) -> tuple[int, int]:
        """Return how many rings and vertices a row has."""
        first, stop = self._rows.whole[row, RING], self._rows.whole[row, RING_STOP]
        return int(stop - first), int(self._rows.ring[stop] - self._rows.ring[first])

    def _add(self, key: K, leg: int, volume: Prepared) -> int:
        rings, vertices = volume.size(leg)
        free = self._free.get((rings, vertices))
        if free:
            # The removed row's own places for rings and vertices are used again.
            row = free.pop()
            self._freed -= 1
            ring = int(self._rows.whole[row, RING])
            vertex = int(self._rows.ring[ring])
        else:
            row, ring, vertex = self._new_places(rings, vertices)
        rows = self._rows
        if vertices > len(self._scratch):
            self._scratch = np.empty((2 * vertices, 2))
        self._key[row] = key
        if leg:
            self._leg[row] = leg
        self._note_group(row, key)
        while not self._put(self._cells, rows, row, ring, vertex, volume.rows, leg):
            self._enlarge_cells()
        return row

    def _note_group(self, row: int, key: K) -> None:
        group = row if self._group_of is None else self._group_of(key)
        self._group[row] = group
        if group >= len(self._met):
            met: Flags = np.zeros(group + group // MORE_ROOM + LEAST_ROOM, np.uint8)
            self._met = met

    def _new_places(self, rings: int, vertices: int) -> tuple[int, int, int]:
        """Return a new row, and its first places for rings and vertices."""
        if (
            self._row_count == len(self._rows.real)
            or self._ring_count + rings >= len(self._rows.ring)
            or self._vertex_count + vertices > len(self._rows.xyz)
        ):
            self._make_room(rings, vertices)
        row, ring, vertex = self._row_count, self._ring_count, self._vertex_count
        self._row_count += 1
        self._ring_count += rings + 1
        self._vertex_count += vertices
        self._key.append(None)
        return row, ring, vertex

    def _make_room(self, rings: int, vertices: int) -> None:
        """Enlarge the rows' arrays; or pack them anew, if half is what removed volumes left."""
        if 2 * self._freed > self._row_count:
            live = [row for row, key in enumerate(self._key) if key is not None]
            self._rebuild(self._rows, np.array(live, np.int64), rings, vertices)
            return
        rows = self._rows
        _enlarge(rows.real, self._row_count + 1)
        _enlarge(rows.whole, self._row_count + 1)
        _enlarge(rows.ring, self._ring_count + rings + 1)
        _enlarge(rows.xyz, self._vertex_count + vertices)
        _enlarge(self._group, len(rows.real))

    def _enlarge_cells(self) -> None:
        from deconflict.geo.packed.cells import with_room

        self._cells = with_room(self._cells, MORE_ROOM)

    def _rebuild(self, old: Rows, live: Integers, rings: int = 0, vertices: int = 0) -> None:
        from deconflict.geo.packed.cells import empty_cells, load
        from deconflict.geo.packed.cube import keys

        # What lies together in space and time is put together, as in a sweep.
        kept = old._replace(real=old.real[live], whole=old.whole[live])
        reach: Floats = kept.real[:, RADIUS] + kept.real[:, GROWTH]
        order = np.lexsort((kept.whole[:, BEGIN], keys(kept, reach)))
        rows, most = _gathered(old, live[order])
        reach = reach[order]
        count = len(live)
        self._row_count, self._vertex_count = count, len(rows.xyz)
        self._ring_count = len(rows.ring)
        self._rows = Rows(
            _roomy(rows.real, LEAST_ROOM),
            _roomy(rows.whole, LEAST_ROOM),
            _roomy(rows.ring, LEAST_ROOM + rings),
            _roomy(rows.xyz, 4 * LEAST_ROOM + vertices),
        )
        room = 2 * count + LEAST_ROOM
        self._cells = empty_cells(room, room, 3 * room)
        by_begin: Integers = np.argsort(rows.whole[:, BEGIN], kind="stable")
        load(self._cells, self._rows, np.zeros(count, np.int64), reach, by_begin)
        self._name_rows(live[order].tolist())
        self._group = np.empty(len(self._rows.real), np.int64)
        self._met = np.zeros(len(self._rows.real), np.uint8)
        for row, key in enumerate(self._key):
            if key is not None:
                self._note_group(row, key)
        self._free: dict[tuple[int, int], list[int]] = {}
        self._freed = 0
        self._scratch = np.empty((max(most, LEAST_ROOM), 2))

    def _name_rows(self, old_rows: list[int]) -> None:
        """Carry keys and legs over to new rows, given each one's old row."""
        key, leg = self._key, self._leg
        self._key = [key[row] for row in old_rows]
        self._leg = {new: leg[row] for new, row in enumerate(old_rows) if row in leg} if leg else {}
        legs: dict[K, list[tuple[int, int]]] = {}
        rows_of: dict[K, int | tuple[int, ...]] = {}
        for row, name in enumerate(self._key):
            if name is None:
                raise RuntimeError("a removed volume is to be packed again")
            if name in rows_of:
                first = rows_of[name]
                gathered = legs.setdefault(
                    name, [(self._leg.get(first, 0), first)] if isinstance(first, int) else []
                )
                gathered.append((self._leg.get(row, 0), row))
            else:
                rows_of[name] = row
        for name, gathered in legs.items():
            rows_of[name] = tuple(row for _, row in sorted(gathered))
        self._rows_of = rows_of


def _gathered(old: Rows, live: Integers) -> tuple[Rows, int]:
    """Return some rows alone, in this order, and the most vertices that one of them has."""
    real, whole = old.real[live], old.whole[live]
    ring_index, ring_first = _runs(whole[:, RING], whole[:, RING_STOP] + 1)
    vertex_index, vertex_first = _runs(old.ring[whole[:, RING]], old.ring[whole[:, RING_STOP]])
    # Each row keeps an offset of its own behind its last ring, so that its places can be reused.
    rings = np.diff(ring_first)
    whole[:, RING], whole[:, RING_STOP] = ring_first[:-1], ring_first[1:] - 1
    moved = vertex_first[:-1] - old.ring[old.whole[live, RING]]
    ring = old.ring[ring_index] + np.repeat(moved, rings)
    most = int(np.diff(vertex_first).max(initial=1))
    return Rows(real, whole, ring, old.xyz[vertex_index]), most


def _runs(first: Integers, stop: Integers) -> tuple[Integers, Integers]:
    """Return all numbers of the runs from `first` to before `stop`, and each run's offset."""
    lengths = stop - first
    offsets = np.zeros(len(first) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], lengths), offsets


_Array = TypeVar("_Array", Floats, Integers)


def _roomy(array: _Array, least: int) -> _Array:
    """Return a copy with room for more rows."""
    larger = np.empty((len(array) + len(array) // MORE_ROOM + least, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


def _enlarge(array: Floats | Integers, least: int) -> None:
    """Give an array more room in its place."""
    if len(array) >= least:
        return
    room = max(least, len(array) + len(array) // MORE_ROOM)
    array.resize((room, *array.shape[1:]), refcheck=False)

# ruff: noqa: FBT001, FBT003, PLR0917
# (numba calls with positional arguments, at no cost)
"""A hash grid in space with buckets sorted by time: finding what may meet what, compiled.

Space is cut into cubes of the Earth-centred frame, so there is no seam and no pole. Cubes come
in sizes (*levels*); a row lies in the one cube that holds the middle of its sphere, at the first
level whose cubes are at least as wide as the sphere. Two spheres that touch then have their
middles at most one cube of the larger one's level apart. In a cube rows are kept in *buckets*,
one for each class and length of time, each sorted by when its rows begin: what is in
force in a window is found by bisection, and a volume that lasts for ever shares no bucket with
those of ten minutes.

Import this module late: it needs numba.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deconflict.geo.packed.compiled import compiled
from deconflict.geo.packed.cube import (
    LENGTHS,
    LEVELS,
    hashed,
    key_of,
    length_of,
    level_of,
)
from deconflict.geo.packed.placing import copy_row
from deconflict.geo.packed.table import (
    BEGIN,
    END,
    GROWTH,
    RADIUS,
    Floats,
    Integers,
    Rows,
)

NONE = -1
KEY, FIRST = range(2)
"""Columns of `Cells.cell`."""
NEXT, OF_KIND, LONGEST, START, SIZE, ROOM = range(6)
"""Columns of `Cells.bucket`."""
CELLS, BUCKETS, POOL, FREE = range(4)
"""Places in `Cells.state`."""


class Cells(NamedTuple):
    """The grid; every array but `state` has room to spare.

    Attributes
    ----------
    slot
        Hash table of cell numbers, a power of two long, `NONE` where empty.
    cell
        (cells, 2): packed level and coordinates (`KEY`), and the first bucket (`FIRST`).
    bucket
        (buckets, 6): the `NEXT` bucket of the same cell; its class times `LENGTHS` plus its
        class of length (`OF_KIND`); the `LONGEST` time of any row it ever held, microseconds;
        and its block in `pool` (`START`, `SIZE` and `ROOM`, a power of two).
    pool
        (places, 2): when a row begins, and its number; each block sorted.
    reach
        For each level the greatest reach of any row it ever held, metres; negative: unused.
    state
        How many cells, buckets and places of `pool` are taken (`CELLS`, `BUCKETS`, `POOL`), and
        from `FREE` on for each power of two the first free block of that size, or `NONE`.
    """

    slot: NDArray[np.int32]
    cell: Integers
    bucket: Integers
    pool: Integers
    reach: Floats
    state: Integers


def empty_cells(cells: int, buckets: int, pool: int) -> Cells:
    """Return a grid with room for that many cells, buckets and places."""
    slots = 1 << max(4, (4 * cells - 1).bit_length())
    state = np.full(FREE + 64, NONE)
    state[:FREE] = 0
    return Cells(
        np.full(slots, NONE, np.int32),  # the less memory, the more of it in the cache
        np.empty((cells, 2), np.int64),
        np.empty((buckets, 6), np.int64),
        np.empty((pool, 2), np.int64),
        np.full(LEVELS, -1.0),
        state,
    )


def with_room(cells: Cells, part: int) -> Cells:
    """Return the same grid with more room: by this part of what it has, and for the largest bucket.

    Arrays are enlarged where they are; only the hash table is made anew, when it gets dense.
    """
    largest = int(cells.bucket[: cells.state[BUCKETS], ROOM].max(initial=1))
    for array, taken, least in (
        (cells.cell, CELLS, 1),
        (cells.bucket, BUCKETS, 1),
        (cells.pool, POOL, 2 * largest),
    ):
        if len(array) < cells.state[taken] + least:
            room = max(cells.state[taken] + least, len(array) + len(array) // part)
            array.resize((int(room), array.shape[1]), refcheck=False)
    if 2 * len(cells.cell) > len(cells.slot):
        cells = cells._replace(slot=np.full(4 * len(cells.slot), NONE, np.int32))
        place_cells(cells)
    return cells


@compiled
def place_cells(cells: Cells) -> None:
    """Enter all cells into an empty hash table."""
    mask = len(cells.slot) - 1
    for cell in range(cells.state[CELLS]):
        at = hashed(cells.cell[cell, KEY]) & mask
        while cells.slot[at] != NONE:
            at = (at + 1) & mask
        cells.slot[at] = cell


@compiled
def find_cell(cells: Cells, key: int, add: bool) -> int:
    """Return the number of a cell; `NONE` without it, unless it is to be added."""
    mask = len(cells.slot) - 1
    at = hashed(key) & mask
    while cells.slot[at] != NONE:
        if cells.cell[cells.slot[at], KEY] == key:
            return int(cells.slot[at])
        at = (at + 1) & mask
    if not add:
        return NONE
    cell = cells.state[CELLS]
    cells.state[CELLS] += 1
    cells.slot[at] = cell
    cells.cell[cell, KEY] = key
    cells.cell[cell, FIRST] = NONE
    return int(cell)


@compiled
def bucket_for(cells: Cells, rows: Rows, row: int, kind: int, reach: float, add: bool) -> int:
    """Return the bucket that a row of a class belongs in; `NONE` if it isn't there nor added."""
    cell = find_cell(cells, key_of(rows, row, reach), add)
    if cell == NONE:
        return NONE
    duration = rows.whole[row, END] - rows.whole[row, BEGIN]
    kind = kind * LENGTHS + length_of(duration)
    bucket = cells.cell[cell, FIRST]
    while bucket != NONE and cells.bucket[bucket, OF_KIND] != kind:
        bucket = cells.bucket[bucket, NEXT]
    if not add:
        return int(bucket)
    if bucket == NONE:
        bucket = cells.state[BUCKETS]
        cells.state[BUCKETS] += 1
        cells.bucket[bucket, NEXT] = cells.cell[cell, FIRST]
        cells.cell[cell, FIRST] = bucket
        cells.bucket[bucket, OF_KIND] = kind
        cells.bucket[bucket, LONGEST] = 0
        cells.bucket[bucket, SIZE] = 0
        cells.bucket[bucket, ROOM] = 0
    cells.bucket[bucket, LONGEST] = max(cells.bucket[bucket, LONGEST], duration)
    level = level_of(reach)
    cells.reach[level] = max(cells.reach[level], reach)
    return int(bucket)


@compiled
def load(cells: Cells, rows: Rows, kind: Integers, reach: Floats, order: Integers) -> None:
    """Put many rows into an empty grid.

    Parameters
    ----------
    cells
        With room for as many cells as rows, and twice as many places.
    rows, kind, reach
        The rows, their classes, and the radii of their spheres, growth included, metres.
    order
        The numbers of the rows by when they begin, equal ones ascending.
    """
    bucket_of = np.empty(len(order), np.int64)
    for at in range(len(order)):
        row = order[at]
        bucket_of[at] = bucket_for(cells, rows, row, kind[row], reach[row], True)
        cells.bucket[bucket_of[at], SIZE] += 1
    for bucket in range(cells.state[BUCKETS]):
        room = 1
        while room < cells.bucket[bucket, SIZE]:
            room *= 2
        cells.bucket[bucket, START] = cells.state[POOL]
        cells.bucket[bucket, ROOM] = room
        cells.bucket[bucket, SIZE] = 0
        cells.state[POOL] += room
    for at in range(len(order)):
        bucket = bucket_of[at]
        place = cells.bucket[bucket, START] + cells.bucket[bucket, SIZE]
        cells.pool[place, 0] = rows.whole[order[at], BEGIN]
        cells.pool[place, 1] = order[at]
        cells.bucket[bucket, SIZE] += 1


@compiled
def first_from(cells: Cells, bucket: int, begin_us: int, row: int) -> int:
    """Return the first place in a bucket that begins later, or then and has that number or more."""
    low = cells.bucket[bucket, START]
    high = low + cells.bucket[bucket, SIZE]
    while low < high:
        middle = (low + high) // 2
        begins = cells.pool[middle, 0]
        if begins < begin_us or (begins == begin_us and cells.pool[middle, 1] < row):
            low = middle + 1
        else:
            high = middle
    return int(low)


@compiled
def put(cells: Cells, rows: Rows, row: int, reach: float) -> bool:
    """Add one row, of class 0; return False if the grid has no room for it."""
    if cells.state[CELLS] == len(cells.cell) or cells.state[BUCKETS] == len(cells.bucket):
        return False
    bucket = bucket_for(cells, rows, row, 0, reach, True)
    size = cells.bucket[bucket, SIZE]
    if size == cells.bucket[bucket, ROOM]:
        room, power = 1, 0
        while room <= size:
            room *= 2
            power += 1
        start = cells.state[FREE + power]
        if start != NONE:
            cells.state[FREE + power] = cells.pool[start, 0]
        elif cells.state[POOL] + room > len(cells.pool):
            return False
        else:
            start = cells.state[POOL]
            cells.state[POOL] += room
        old = cells.bucket[bucket, START]
        for k in range(size):
            cells.pool[start + k, 0] = cells.pool[old + k, 0]
            cells.pool[start + k, 1] = cells.pool[old + k, 1]
        if size:
            cells.pool[old, 0] = cells.state[FREE + power - 1]
            cells.state[FREE + power - 1] = old
        cells.bucket[bucket, START] = start
        cells.bucket[bucket, ROOM] = room
    begin = rows.whole[row, BEGIN]
    place = first_from(cells, bucket, begin, row)
    for k in range(cells.bucket[bucket, START] + size, place, -1):
        cells.pool[k, 0] = cells.pool[k - 1, 0]
        cells.pool[k, 1] = cells.pool[k - 1, 1]
    cells.pool[place, 0] = begin
    cells.pool[place, 1] = row
    cells.bucket[bucket, SIZE] = size + 1
    return True


@compiled
def put_new(
    cells: Cells, rows: Rows, row: int, ring: int, vertex: int, new: Rows, leg: int
) -> bool:
    """Copy a row of one table into another, and add it; return False if the grid has no room.

    One call in place of two: each has to take a dozen arrays apart. Parameters are as in
    `placing.copy_row`.
    """
    copy_row(rows, row, ring, vertex, new, leg)
    return bool(put(cells, rows, row, rows.real[row, RADIUS] + rows.real[row, GROWTH]))


@compiled
def take(cells: Cells, rows: Rows, row: int, reach: float) -> bool:
    """Remove one row of class 0; return whether it was there."""
    bucket = bucket_for(cells, rows, row, 0, reach, False)
    if bucket == NONE:
        return False
    place = first_from(cells, bucket, rows.whole[row, BEGIN], row)
    stop = cells.bucket[bucket, START] + cells.bucket[bucket, SIZE]
    if place == stop or cells.pool[place, 1] != row:
        return False
    for k in range(place, stop - 1):
        cells.pool[k, 0] = cells.pool[k + 1, 0]
        cells.pool[k, 1] = cells.pool[k + 1, 1]
    cells.bucket[bucket, SIZE] -= 1
    return True

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

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deconflict.geo.packed.compiled import compiled
from deconflict.geo.packed.cube import (
    AXIS_OFFSET,
    LENGTHS,
    LEVELS,
    SMALLEST_CELL_M,
    hashed,
    key_of,
    length_of,
    level_of,
    packed,
)
from deconflict.geo.packed.kernel import NO, YES, meet
from deconflict.geo.packed.table import (
    BEGIN,
    END,
    GROWTH,
    RADIUS,
    WGS84_A_M,
    WGS84_E2,
    Floats,
    Integers,
    Rows,
    X,
    Y,
    Z,
)

TILT = 0.004
"""A normal of the ellipsoid and the line to the Earth's middle differ by at most 0.0034."""
FLATTEST_M = 6_000_000.0
"""Over a distance d the surface leaves its tangent plane by at most d²/(2 · 6,335 km), and a
sphere of that radius has its middle as much below it; this holds both."""
WGS84_B_M = WGS84_A_M * math.sqrt(1.0 - WGS84_E2)
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


@compiled
def longer(found: Integers) -> Integers:
    """Return the array with room for twice as many rows."""
    more = np.empty((2 * len(found), found.shape[1]), np.int64)
    for i in range(len(found)):  # a slice would compile six seconds longer
        for j in range(found.shape[1]):
            more[i, j] = found[i, j]
    return more


@compiled
def buckets_near(
    cells: Cells,
    level: int,
    x: float,
    y: float,
    z: float,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    near: Integers,
) -> tuple[int, Integers]:
    """Gather the buckets of a level whose cubes touch a box, metres.

    Parameters
    ----------
    cells, level
        The grid and the level.
    x, y, z
        The middle of a row's sphere in or near the box. Cubes that the Earth's surface doesn't
        cross there hold no rows and aren't looked up.
    low, high
        Corners of the box.
    near
        Room for the answer.

    Returns
    -------
    count : int
        How many there are.
    near : (n, 1) array
        Their numbers first; longer than the array given if that was too short.
    """
    width = SMALLEST_CELL_M * 4.0**level
    x0, x1 = math.floor(low[0] / width), math.floor(high[0] / width)
    y0, y1 = math.floor(low[1] / width), math.floor(high[1] / width)
    z0, z1 = math.floor(low[2] / width), math.floor(high[2] / width)
    count = int(np.int64(0))  # a plain 0 would be a type of its own, and compiled for by itself
    if (x1 - x0 + 1) * (y1 - y0 + 1) * (z1 - z0 + 1) > max(64, cells.state[CELLS]):
        # More cubes than there are cells: look through the cells instead.
        for cell in range(cells.state[CELLS]):
            key = cells.cell[cell, KEY]
            if (
                (key >> 60) & 0xF == level
                and x0 <= ((key >> 40) & 0xFFFFF) - AXIS_OFFSET <= x1
                and y0 <= ((key >> 20) & 0xFFFFF) - AXIS_OFFSET <= y1
                and z0 <= (key & 0xFFFFF) - AXIS_OFFSET <= z1
            ):
                count, near = buckets_of(cells, cell, count, near)
        return count, near
    length = max(math.sqrt(x * x + y * y + z * z), 1.0)
    nx, ny, nz = x / length, y / length, z / length
    # The middle of a large row lies below the surface, on which the others lie.
    share = math.sqrt((x * x + y * y) / WGS84_A_M**2 + z * z / WGS84_B_M**2)
    below = max(1.0 - share, 0.0) * WGS84_A_M
    half = 0.5 * width * (abs(nx) + abs(ny) + abs(nz)) + below
    mask = len(cells.slot) - 1
    for i in range(x0, x1 + 1):
        dx = (i + 0.5) * width - x
        for j in range(y0, y1 + 1):
            dy = (j + 0.5) * width - y
            for k in range(z0, z1 + 1):
                dz = (k + 0.5) * width - z
                away = math.sqrt(dx * dx + dy * dy + dz * dz) + width
                if abs(dx * nx + dy * ny + dz * nz) > half + away * (TILT + away / FLATTEST_M):
                    continue
                key = packed(level, i, j, k)
                at = hashed(key) & mask
                while cells.slot[at] != NONE:
                    if cells.cell[cells.slot[at], KEY] == key:
                        count, near = buckets_of(cells, cells.slot[at], count, near)
                        break
                    at = (at + 1) & mask
    return count, near


@compiled
def buckets_of(cells: Cells, cell: int, count: int, near: Integers) -> tuple[int, Integers]:
    """Add the buckets of a cell to the first `count` of an array."""
    bucket = cells.cell[cell, FIRST]
    while bucket != NONE:
        if count == len(near):
            near = longer(near)
        near[count, 0] = bucket
        count += 1
        bucket = cells.bucket[bucket, NEXT]
    return count, near


@compiled
def search(
    cells: Cells,
    rows: Rows,
    asked: Rows,
    row: int,
    plan_m: float,
    height_m: float,
    time_us: int,
    decide: bool,
    scratch: Floats,
) -> tuple[int, Integers]:
    """Find the rows of a grid that meet one row of another table.

    Parameters
    ----------
    cells, rows
        The grid and its rows.
    asked, row
        The other table and the row in it.
    plan_m, height_m, time_us
        Margins, as in `kernel.meet`.
    decide
        Whether to ask the kernel; else all whose spheres and windows meet are returned.
    scratch
        As in `kernel.meet`.

    Returns
    -------
    count : int
        How many were found.
    found : (n, 2) array
        Row and answer (`kernel.YES` or `kernel.UNDECIDED`), the first `count` rows hold.
    """
    found = np.empty((64, 2), np.int64)
    near = np.empty((64, 1), np.int64)
    count = int(np.int64(0))  # a plain 0 would be a type of its own, and compiled for by itself
    begin, end = asked.whole[row, BEGIN], asked.whole[row, END]
    x, y, z = asked.real[row, X], asked.real[row, Y], asked.real[row, Z]
    own = asked.real[row, RADIUS] + asked.real[row, GROWTH] + plan_m
    for level in range(LEVELS):
        if cells.reach[level] < 0.0:
            continue
        far = own + cells.reach[level]
        low, high = (x - far, y - far, z - far), (x + far, y + far, z + far)
        many, near = buckets_near(cells, level, x, y, z, low, high, near)
        for n in range(many):
            bucket = near[n, 0]
            since = begin - time_us - cells.bucket[bucket, LONGEST]
            stop = cells.bucket[bucket, START] + cells.bucket[bucket, SIZE]
            for place in range(first_from(cells, bucket, since, 0), stop):
                if cells.pool[place, 0] > end + time_us:
                    break
                other = cells.pool[place, 1]
                if begin - time_us > rows.whole[other, END]:
                    continue
                dx = x - rows.real[other, X]
                dy = y - rows.real[other, Y]
                dz = z - rows.real[other, Z]
                limit = own + rows.real[other, RADIUS] + rows.real[other, GROWTH]
                if dx * dx + dy * dy + dz * dz > limit * limit:
                    continue
                answer = YES
                if decide:
                    answer = meet(asked, row, rows, other, plan_m, height_m, time_us, scratch)
                    if answer == NO:
                        continue
                if count == len(found):
                    found = longer(found)
                found[count, 0] = other
                found[count, 1] = answer
                count += 1
    return count, found

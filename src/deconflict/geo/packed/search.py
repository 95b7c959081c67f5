# ruff: noqa: FBT001, FBT003, PLR0917
# (numba calls with positional arguments, at no cost)
"""Searching a grid of cells: the buckets near a place, and the rows that one row meets; compiled.

Import this module late: it needs numba.
"""

from __future__ import annotations

import math

import numpy as np

from deconflict.geo.packed.cells import (
    CELLS,
    FIRST,
    KEY,
    LONGEST,
    NEXT,
    NONE,
    SIZE,
    START,
    Cells,
    first_from,
)
from deconflict.geo.packed.compiled import compiled
from deconflict.geo.packed.cube import AXIS_OFFSET, LEVELS, SMALLEST_CELL_M, hashed, packed
from deconflict.geo.packed.kernel import NO, YES, meet
from deconflict.geo.packed.table import (
    BEGIN,
    END,
    GROWTH,
    RADIUS,
    WGS84_A_M,
    WGS84_E2,
    Flags,
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
    group: Integers,
    met: Flags,
    asked: Rows,
    row: int,
    decide: bool,
    scratch: Floats,
    found: Integers,
) -> int:
    """Find the rows of a grid that meet one row of another table.

    Parameters
    ----------
    cells, rows
        The grid and its rows.
    group, met
        For each row the number of its group, and for each group whether one of its rows is known
        to meet: such rows are not looked at, and a group that is found to meet is noted.
    asked, row
        The other table and the row in it.
    decide
        Whether to ask the kernel; else all whose spheres and windows meet are returned.
    scratch
        As in `kernel.meet`.
    found
        (n, 2), filled with row and answer (`kernel.YES` or `kernel.UNDECIDED`). It is given and
        not returned, since to make an array for Python takes longer than to search.

    Returns
    -------
    int
        How many were found. If more than `found` has room for, nothing is noted in `met`: ask
        again with room for as many.
    """
    near = np.empty((64, 1), np.int64)
    count = int(np.int64(0))  # a plain 0 would be a type of its own, and compiled for by itself
    begin, end = asked.whole[row, BEGIN], asked.whole[row, END]
    x, y, z = asked.real[row, X], asked.real[row, Y], asked.real[row, Z]
    own = asked.real[row, RADIUS] + asked.real[row, GROWTH]
    for level in range(LEVELS):
        if cells.reach[level] < 0.0:
            continue
        far = own + cells.reach[level]
        low, high = (x - far, y - far, z - far), (x + far, y + far, z + far)
        many, near = buckets_near(cells, level, x, y, z, low, high, near)
        for n in range(many):
            bucket = near[n, 0]
            since = begin - cells.bucket[bucket, LONGEST]
            stop = cells.bucket[bucket, START] + cells.bucket[bucket, SIZE]
            for place in range(first_from(cells, bucket, since, 0), stop):
                if cells.pool[place, 0] > end:
                    break
                other = cells.pool[place, 1]
                count = ask(rows, other, group, met, asked, row, decide, scratch, count, found)
    if count > len(found):
        forget(group, met, decide, found)
    return count


@compiled
def forget(group: Integers, met: Flags, decide: bool, found: Integers) -> None:
    """Take back what a search has noted that found more than it had room for."""
    if decide:
        for n in range(len(found)):
            if found[n, 1] == YES:
                met[group[found[n, 0]]] = 0


@compiled
def scan(
    rows: Rows,
    stop: int,
    group: Integers,
    met: Flags,
    asked: Rows,
    row: int,
    scratch: Floats,
    found: Integers,
) -> int:
    """Find which rows before `stop` meet one row of another table, by asking each.

    Other parameters and answer as in `search`.
    """
    count = int(np.int64(0))
    end = asked.whole[row, END]
    for other in range(stop):
        if rows.whole[other, BEGIN] <= end:
            count = ask(rows, other, group, met, asked, row, True, scratch, count, found)
    if count > len(found):
        forget(group, met, True, found)
    return count


@compiled
def ask(
    rows: Rows,
    other: int,
    group: Integers,
    met: Flags,
    asked: Rows,
    row: int,
    decide: bool,
    scratch: Floats,
    count: int,
    found: Integers,
) -> int:
    """Add a row that begins in time to the first `count` found, if it meets or may meet.

    Without room for it, it is counted and nothing is noted.
    """
    if met[group[other]] or asked.whole[row, BEGIN] > rows.whole[other, END]:
        return count
    dx = asked.real[row, X] - rows.real[other, X]
    dy = asked.real[row, Y] - rows.real[other, Y]
    dz = asked.real[row, Z] - rows.real[other, Z]
    limit = asked.real[row, RADIUS] + asked.real[row, GROWTH]
    limit += rows.real[other, RADIUS] + rows.real[other, GROWTH]
    if dx * dx + dy * dy + dz * dz > limit * limit:
        return count
    answer = YES
    if decide:
        answer = meet(asked, row, rows, other, 0.0, 0.0, 0, scratch)
        if answer == NO:
            return count
    if count < len(found):
        found[count, 0] = other
        found[count, 1] = answer
        if decide and answer == YES:
            met[group[other]] = 1
    return count + 1

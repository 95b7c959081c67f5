# ruff: noqa: FBT001, PLR0917
# (numba calls with positional arguments, at no cost)
"""All pairs of a grid's rows that meet, each once; compiled.

Import this module late: it needs numba.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from deconflict.geo.packed.cells import (
    BUCKETS,
    LONGEST,
    NONE,
    OF_KIND,
    SIZE,
    START,
    Cells,
    first_from,
)
from deconflict.geo.packed.compiled import compiled
from deconflict.geo.packed.cube import LENGTHS, LEVELS, SMALLEST_CELL_M, level_of
from deconflict.geo.packed.kernel import NO, meet
from deconflict.geo.packed.search import buckets_near, longer
from deconflict.geo.packed.table import BEGIN, END, GROWTH, RADIUS, Floats, Integers, Rows, X, Y, Z


class Wanted(NamedTuple):
    """Which pairs count.

    Attributes
    ----------
    kind, group
        For each row its class, and a number that rows share which never meet each other.
    reach
        For each row the radius of its sphere, growth and half its greatest margin included.
    plan_m, height_m, time_us
        Margins, (classes, classes), symmetric; NaN in `plan_m`: the pair doesn't count.
    """

    kind: Integers
    group: Integers
    reach: Floats
    plan_m: Floats
    height_m: Floats
    time_us: Integers


@compiled
def pairs_of_buckets(
    cells: Cells, rows: Rows, wanted: Wanted, start: int, rows_wanted: int, scratch: Floats
) -> tuple[int, int, Integers]:
    """Find the pairs whose first row lies in one of the buckets from number `start` on.

    Of two rows the one at the finer level is first; at the same level the one of the lower
    kind of bucket; in the same kind the one that begins first.

    Returns
    -------
    stop : int
        The bucket to go on with: at least `rows_wanted` rows were first, or none is left.
    count : int
        How many pairs were found.
    found : (n, 3) array
        Both rows and the answer, the first `count` hold.
    """
    found = np.empty((1024, 3), np.int64)
    near = np.empty((64, 1), np.int64)
    count = int(np.int64(0))  # a plain 0 would be a type of its own, and compiled for by itself
    done = 0
    bucket = start
    while bucket < cells.state[BUCKETS] and done < rows_wanted:
        row = cells.pool[cells.bucket[bucket, START], 1]
        x, y, z = rows.real[row, X], rows.real[row, Y], rows.real[row, Z]
        lowest = level_of(wanted.reach[row])
        width = SMALLEST_CELL_M * 4.0**lowest
        x0 = math.floor(x / width) * width
        y0 = math.floor(y / width) * width
        z0 = math.floor(z / width) * width
        for level in range(lowest, LEVELS):
            if cells.reach[level] < 0.0:
                continue
            far = cells.reach[lowest] + cells.reach[level]
            low = (x0 - far, y0 - far, z0 - far)
            high = (x0 + width + far, y0 + width + far, z0 + width + far)
            many, near = buckets_near(cells, level, x, y, z, low, high, near)
            for n in range(many):
                count, found = pairs_between(
                    cells, rows, wanted, bucket, near[n, 0], level == lowest, count, found, scratch
                )
        done += cells.bucket[bucket, SIZE]
        bucket += 1
    return bucket, count, found


@compiled
def pairs_between(
    cells: Cells,
    rows: Rows,
    wanted: Wanted,
    bucket: int,
    other: int,
    same_level: bool,
    count: int,
    found: Integers,
    scratch: Floats,
) -> tuple[int, Integers]:
    """Add the pairs of rows in `bucket` with rows in bucket `other`."""
    kind, kind_other = cells.bucket[bucket, OF_KIND], cells.bucket[other, OF_KIND]
    one, two = kind // LENGTHS, kind_other // LENGTHS
    plan_m = wanted.plan_m[one, two]
    if np.isnan(plan_m) or (same_level and kind_other < kind):
        return count, found
    alike = same_level and kind_other == kind
    height_m, time_us = wanted.height_m[one, two], wanted.time_us[one, two]
    before = time_us + cells.bucket[other, LONGEST]
    block = cells.bucket[bucket, START]
    first = NONE
    stop = cells.bucket[other, START] + cells.bucket[other, SIZE]
    for at in range(block, block + cells.bucket[bucket, SIZE]):
        row = cells.pool[at, 1]
        begin, end = rows.whole[row, BEGIN], rows.whole[row, END]
        # Both buckets are sorted: the first row that counts only moves on.
        since, least = (begin, row + 1) if alike else (begin - before, 0)
        if first == NONE:
            first = first_from(cells, other, since, least)
        while first < stop and (
            cells.pool[first, 0] < since
            or (cells.pool[first, 0] == since and cells.pool[first, 1] < least)
        ):
            first += 1
        if first == stop:
            break
        x, y, z = rows.real[row, X], rows.real[row, Y], rows.real[row, Z]
        own = rows.real[row, RADIUS] + rows.real[row, GROWTH] + plan_m
        group = wanted.group[row]
        place = first
        while place < stop and cells.pool[place, 0] <= end + time_us:
            second = cells.pool[place, 1]
            place += 1
            dx = x - rows.real[second, X]
            dy = y - rows.real[second, Y]
            dz = z - rows.real[second, Z]
            limit = own + rows.real[second, RADIUS] + rows.real[second, GROWTH]
            if dx * dx + dy * dy + dz * dz > limit * limit or wanted.group[second] == group:
                continue
            if begin - time_us > rows.whole[second, END]:
                continue
            answer = meet(rows, row, rows, second, plan_m, height_m, time_us, scratch)
            if answer != NO:
                if count == len(found):
                    found = longer(found)
                found[count, 0] = row
                found[count, 1] = second
                found[count, 2] = answer
                count += 1
    return count, found

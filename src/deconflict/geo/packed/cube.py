"""The cube that a volume lies in: its level, its coordinates, and both as one number."""

from __future__ import annotations

import math

import numpy as np

from deconflict.geo.packed.compiled import compiled
from deconflict.geo.packed.table import Floats, Integers, Rows, X, Y, Z

SMALLEST_CELL_M = 20.0
"""Narrower cubes wouldn't fit 20 bits a coordinate; volumes are rarely smaller."""
LEVELS = 13
"""Each four times as wide as the one before; the last holds the Earth and any radius."""
LENGTHS = 4
"""Classes of length in time."""
LENGTH_US = (3_600_000_000, 28_800_000_000, 259_200_000_000)
"""An hour, eight hours, three days: the upper ends of the first three classes."""
AXIS_OFFSET = 1 << 19
MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio (Knuth, The Art of Computer Programming, volume 3, 6.4)."""


@compiled
def level_of(reach: float) -> int:
    """Return the first level whose cubes are as wide as a sphere of that radius, metres."""
    level = 0
    width = SMALLEST_CELL_M
    while width < 2.0 * reach and level < LEVELS - 1:
        width *= 4.0
        level += 1
    return level


@compiled
def length_of(duration_us: int) -> int:
    """Return the class of a length of time, microseconds."""
    for k in range(LENGTHS - 1):
        if duration_us <= LENGTH_US[k]:
            return k
    return LENGTHS - 1


@compiled
def packed(level: int, x: int, y: int, z: int) -> int:
    """Return level and coordinates of a cube as one number."""
    x, y, z = x + AXIS_OFFSET, y + AXIS_OFFSET, z + AXIS_OFFSET
    return ((level * 1048576 + x) * 1048576 + y) * 1048576 + z


@compiled
def hashed(key: int) -> int:
    """Return a number whose lower bits depend on all bits of a key; neighbours along z lie close.

    Four cubes along z share a line of the processor's cache.
    """
    mixed = (np.uint64(key) >> np.uint64(2)) * MIXER
    return int((np.int64(mixed >> np.uint64(24)) << 2) | (key & 3))


@compiled
def key_of(rows: Rows, row: int, reach: float) -> int:
    """Return the packed level and coordinates of the cube that a row belongs in."""
    level = level_of(reach)
    width = SMALLEST_CELL_M * 4.0**level
    return packed(
        level,
        math.floor(rows.real[row, X] / width),
        math.floor(rows.real[row, Y] / width),
        math.floor(rows.real[row, Z] / width),
    )


@compiled
def keys(rows: Rows, reach: Floats) -> Integers:
    """Return the packed level and coordinates of all rows' cubes."""
    answer = np.empty(len(reach), np.int64)
    for row in range(len(reach)):
        answer[row] = key_of(rows, row, reach[row])
    return answer

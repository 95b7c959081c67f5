# ruff: noqa: PLR0917
# (numba calls with positional arguments, at no cost)
"""Placing one row, in two microseconds: computed as `table.assembled` does, or copied; compiled.

Import this module late: it needs numba.
"""

from __future__ import annotations

import math

import numpy as np

from deconflict.geo.packed.compiled import compiled
from deconflict.geo.packed.table import (
    BEGIN,
    END,
    GROWTH,
    KIND,
    LONGEST_EDGE_M,
    LOWER,
    LOWER_REF,
    LOWER_W84,
    RADIUS,
    REGION,
    RING,
    RING_STOP,
    SPHERE_SLACK,
    SPHERE_SLACK_M,
    UPPER,
    UPPER_REF,
    UPPER_W84,
    WGS84_A_M,
    WGS84_E2,
    WHOLE_EARTH_M,
    Floats,
    Rows,
    X,
    Y,
    Z,
)


@compiled
def place(rows: Rows, rings: int, lat_deg: Floats, lon_deg: Floats, kind: int) -> bool:
    """Write the vertices and the sphere of a table's only row.

    Parameters
    ----------
    rows
        The table; its `ring` holds the offsets already.
    rings
        How many rings the row has.
    lat_deg, lon_deg
        The vertices, degrees.
    kind
        The row's kind.

    Returns
    -------
    bool
        False if an edge is too long for this way, or the row too large.
    """
    count = len(lat_deg)
    if count > len(rows.xyz):
        return False
    x = y = z = 0.0
    for k in range(count):
        lat, lon = math.radians(lat_deg[k]), math.radians(lon_deg[k])
        sin_lat, cos_lat = math.sin(lat), math.cos(lat)
        normal = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * sin_lat**2)
        rows.xyz[k, 0] = normal * cos_lat * math.cos(lon)
        rows.xyz[k, 1] = normal * cos_lat * math.sin(lon)
        rows.xyz[k, 2] = normal * (1.0 - WGS84_E2) * sin_lat
        x += rows.xyz[k, 0]
        y += rows.xyz[k, 1]
        z += rows.xyz[k, 2]
    x, y, z = x / count, y / count, z / count
    farthest = 0.0
    longest = 0.0
    for ring in range(rings):
        start, stop = rows.ring[ring], rows.ring[ring + 1]
        before = stop - 1 if kind == REGION else start
        for k in range(start, stop):
            px, py, pz = rows.xyz[k, 0], rows.xyz[k, 1], rows.xyz[k, 2]
            farthest = max(farthest, (px - x) ** 2 + (py - y) ** 2 + (pz - z) ** 2)
            dx, dy = px - rows.xyz[before, 0], py - rows.xyz[before, 1]
            dz = pz - rows.xyz[before, 2]
            longest = max(longest, dx * dx + dy * dy + dz * dz)
            before = k
    radius = np.sqrt(farthest) * SPHERE_SLACK + SPHERE_SLACK_M
    rows.real[0, X], rows.real[0, Y], rows.real[0, Z], rows.real[0, RADIUS] = x, y, z, radius
    return longest <= LONGEST_EDGE_M**2 and radius <= WHOLE_EARTH_M


@compiled
def place_plain(
    rows: Rows,
    lat_lon_deg: Floats,
    kind: int,
    begin_us: int,
    end_us: int,
    lower_ref: int,
    upper_ref: int,
    growth_m: float,
    lower_m: float,
    upper_m: float,
) -> bool:
    """Write the only row of a table: one ring, heights above the ellipsoid.

    Parameters
    ----------
    rows
        The table, with room for the vertices and nothing in it.
    lat_lon_deg
        Latitude and longitude of each vertex, one after the other, degrees.
    kind, begin_us, end_us, lower_ref, upper_ref, growth_m, lower_m, upper_m
        Columns of `Rows`.

    Returns
    -------
    bool
        As `place` does.
    """
    rows.real[0, GROWTH] = growth_m
    rows.real[0, LOWER], rows.real[0, UPPER] = lower_m, upper_m
    rows.real[0, LOWER_W84], rows.real[0, UPPER_W84] = lower_m, upper_m
    rows.whole[0, BEGIN], rows.whole[0, END], rows.whole[0, KIND] = begin_us, end_us, kind
    rows.whole[0, LOWER_REF], rows.whole[0, UPPER_REF] = lower_ref, upper_ref
    rows.whole[0, RING], rows.whole[0, RING_STOP] = 0, 1
    rows.ring[0], rows.ring[1] = 0, len(lat_lon_deg) // 2
    return bool(place(rows, 1, lat_lon_deg[::2], lat_lon_deg[1::2], kind))


@compiled
def copy_row(rows: Rows, row: int, ring: int, vertex: int, new: Rows, leg: int) -> None:
    """Copy a row of one table into another, which has room for it.

    Parameters
    ----------
    rows, row
        The other table, and the row in it.
    ring, vertex
        The first places for its rings and its vertices.
    new, leg
        The table that it comes from, and its number there.
    """
    for k in range(rows.real.shape[1]):
        rows.real[row, k] = new.real[leg, k]
    for k in range(rows.whole.shape[1]):
        rows.whole[row, k] = new.whole[leg, k]
    first, stop = new.whole[leg, RING], new.whole[leg, RING_STOP]
    start = new.ring[first]
    rows.whole[row, RING] = ring
    rows.whole[row, RING_STOP] = ring + stop - first
    for k in range(first, stop + 1):
        rows.ring[ring + k - first] = new.ring[k] + vertex - start
    for k in range(start, new.ring[stop]):
        for axis in range(3):
            rows.xyz[vertex + k - start, axis] = new.xyz[k, axis]

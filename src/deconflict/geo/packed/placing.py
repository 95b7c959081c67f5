# (numba calls with positional arguments, at no cost)
"""Placing one row: what `table.assembled` does for many, in two microseconds for one; compiled.

Import this module late: it needs numba.
"""

from __future__ import annotations

import math

import numpy as np

from deconflict.geo.packed.compiled import compiled
from deconflict.geo.packed.table import (
    LONGEST_EDGE_M,
    RADIUS,
    REGION,
    SPHERE_SLACK,
    SPHERE_SLACK_M,
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

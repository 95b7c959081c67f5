"""Areas of rings, and whether one is larger than may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from deconflict.geo.figure.plane import geod
from deconflict.geo.figure.ring import DEGREE_M
from deconflict.geo.position import LatLon

NARROW_DEG: Final = 1.0
"""Edges that span no more degrees of longitude than this leave their box by less than `BULGE_M`:
a great circle over an angle *d* rises at most ``d**2 / 8 * sin(2 lat) / 2`` above its parallel,
which is 121 m at 45 degrees."""
BULGE_M: Final = 150.0


def ring_area_m2(points: Sequence[LatLon]) -> float:
    """Return the area that a ring of geodesics bounds, the smaller of both sides, square metres.

    Parameters
    ----------
    points
        (latitude, longitude), degrees; not closed.
    """
    lats, lons = zip(*points, strict=True)
    area, _ = geod().polygon_area_perimeter(lons, lats)
    return abs(float(area))


def ring_exceeds(points: Sequence[LatLon], limit_m2: float) -> bool:
    """Return whether a ring bounds more than an area.

    The box round a small ring answers for nearly all of them, without a geodesic.

    Parameters
    ----------
    points
        As for `ring_area_m2`.
    limit_m2
        Square metres.
    """
    lats, lons = zip(*points, strict=True)
    low, high = min(lats), max(lats)
    wide = max(lons) - min(lons)
    if wide <= NARROW_DEG:
        nearest = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
        across_m = wide * DEGREE_M * math.cos(math.radians(nearest))
        if ((high - low) * DEGREE_M + 2.0 * BULGE_M) * across_m <= limit_m2:
            return False
    return ring_area_m2(points) > limit_m2

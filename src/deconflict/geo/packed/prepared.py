"""A volume packed once, to be asked about or inserted any number of times."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np

from deconflict.geo.height import AltitudeReference, Height
from deconflict.geo.packed.table import (
    ALWAYS_US,
    ELLIPSOID,
    GROWTH,
    NO_LIMIT,
    POINT,
    REGION,
    RING,
    RING_STOP,
    Gathered,
    Rows,
    microseconds,
)
from deconflict.geo.volume import Circle, Polygon, Volume4D

MOST_QUICK_VERTICES = 4096
"""A volume with more vertices takes the way through `VolumeTable`."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A volume and its packed rows, one a leg of a timed route."""

    volume: Volume4D
    rows: Rows

    def size(self, leg: int) -> tuple[int, int]:
        """Return how many rings and how many vertices a row has."""
        rows = self.rows
        if len(rows.real) == 1:
            return len(rows.ring) - 1, len(rows.xyz)
        first, stop = int(rows.whole[leg, RING]), int(rows.whole[leg, RING_STOP])
        return stop - first, int(rows.ring[stop] - rows.ring[first])


def prepared(volume: Volume4D | Prepared) -> Prepared:
    """Return a volume ready for an index; what is prepared already is returned as it is."""
    if isinstance(volume, Prepared):
        return volume
    rows = _plain(volume)
    return Prepared(volume, _gathered(volume) if rows is None else rows)


def _plain(volume: Volume4D) -> Rows | None:
    """Return the row of a circle or a polygon without holes, its heights above the ellipsoid.

    Nearly all that parties register is such; ``None``: it is none, or too large for this way.
    """
    footprint, band = volume.footprint, volume.band
    growth = volume.uncertainty_m + volume.danger_radius_m
    if type(footprint) is Polygon and not footprint.holes:
        kind, points = REGION, footprint.shell
    elif type(footprint) is Circle:
        kind, points = POINT, (footprint.center,)
        growth += footprint.radius_m
    else:
        return None
    if len(points) > MOST_QUICK_VERTICES or not (_is_plain(band.lower) and _is_plain(band.upper)):
        return None
    danger = volume.danger_radius_m
    lower_code = upper_code = NO_LIMIT
    lower, upper = -math.inf, math.inf
    if band.lower is not None:
        lower_code, lower = ELLIPSOID, band.lower.value_m - danger
    if band.upper is not None:
        upper_code, upper = ELLIPSOID, band.upper.value_m + danger
    begin = -ALWAYS_US if volume.start is None else microseconds(volume.start)
    end = ALWAYS_US if volume.end is None else microseconds(volume.end)
    rows = Rows(
        np.empty((1, 9)),
        np.empty((1, 7), np.int64),
        np.empty(2, np.int64),
        np.empty((len(points), 3)),
    )
    # From a flat list numpy makes an array in a third of the time that nested tuples take.
    lat_lon = np.array([*chain.from_iterable(points)])
    placed = _placing()(
        rows, lat_lon, kind, begin, end, lower_code, upper_code, growth, lower, upper
    )
    return rows if placed else None


@cache
def _placing() -> Callable[..., bool]:
    """Return `placing.place_plain`; an import in its place costs microseconds a volume."""
    from deconflict.geo.packed.placing import place_plain

    return place_plain


def _is_plain(height: Height | None) -> bool:
    return height is None or height.reference is AltitudeReference.W84


def _gathered(volume: Volume4D) -> Rows:
    from deconflict.geo.packed.placing import place

    gathered = Gathered()
    gathered.add(volume, 0)
    rings, vertices = len(gathered.ring) - 1, len(gathered.lat_deg)
    if len(gathered.kind) > 1 or vertices > MOST_QUICK_VERTICES:
        return gathered.rows()
    rows = Rows(
        np.empty((1, 9)),
        np.empty((1, 7), np.int64),
        np.array(gathered.ring, np.int64),
        np.empty((vertices, 3)),
    )
    kind = gathered.kind[0]
    lat_lon = np.array([gathered.lat_deg, gathered.lon_deg])
    if not place(rows, rings, lat_lon[0], lat_lon[1], kind):
        return gathered.rows()
    rows.real[0, GROWTH:] = (gathered.growth[0], *gathered.limit[0], *gathered.ellipsoid[0])
    rows.whole[0] = (*gathered.time[0], kind, *gathered.reference[0], 0, rings)
    return rows

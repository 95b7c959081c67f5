"""Candidate pairs: which volumes are near enough that their relation must be computed.

Each volume gets a bounding ball: a centre on the ellipsoid and a radius along its surface that
holds the footprint with all that it grows by. Two footprints can meet only if the straight line
between the centres is no longer than the sum of the radii, since a chord is never longer than
the geodesic over it. Balls in space know neither poles nor antimeridian.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from pyproj import Geod

from deconflict.geo.position import LatLon
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D

GEOD = Geod(ellps="WGS84")
SLACK = 1.01
"""What a bounding radius is multiplied with: a cap is convex on a sphere; the ellipsoid's
geodesics leave it by less than a hundredth of its radius."""

EVERYWHERE_M = 5_000_000.0
"""Beyond this radius a ball is taken to hold the whole Earth."""

EARTH_M = 30_000_000.0
"""More than any two points are apart, through the Earth or over it."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_A_M = 6_378_137.0
_E2 = 6.694379990141316e-3

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ball:
    """A centre, (latitude, longitude) in degrees, and a radius along the surface, metres."""

    center: LatLon
    radius_m: float


def ball(volume: Volume4D, extra_m: float = 0.0) -> Ball:
    """Return a ball that holds the grown footprint and `extra_m` around it."""
    footprint = volume.footprint
    margin_m = volume.growth_m + extra_m
    if isinstance(footprint, Circle):
        return _ball(footprint.center, footprint.radius_m + margin_m)
    points = footprint.shell if isinstance(footprint, Polygon) else footprint.points
    if isinstance(footprint, Route):
        margin_m += footprint.width_m / 2
    center = _middle(points)
    lats = [lat for lat, _ in points]
    lons = [lon for _, lon in points]
    count = len(points)
    distances = GEOD.inv([center[1]] * count, [center[0]] * count, lons, lats)[2]
    return _ball(center, max(distances) + margin_m)


def _ball(center: LatLon, radius_m: float) -> Ball:
    """Return the ball, somewhat larger; a very large one holds everything."""
    radius_m = radius_m * SLACK + 1.0
    return Ball(center, radius_m if radius_m < EVERYWHERE_M else EARTH_M)


def _middle(points: Sequence[LatLon]) -> LatLon:
    """Return a point in the middle of some, by their directions from the Earth's centre."""
    lat, lon = np.radians(np.asarray(points, dtype=np.float64)).T
    x, y, z = (
        float(np.mean(np.cos(lat) * np.cos(lon))),
        float(np.mean(np.cos(lat) * np.sin(lon))),
        float(np.mean(np.sin(lat))),
    )
    if math.hypot(x, y, z) < 1e-9:
        return points[0]
    return (math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)))


def places(points: Sequence[LatLon]) -> FloatArray:
    """Return the points as rows of earth-centred x, y, z, metres."""
    if not points:
        return np.empty((0, 3))
    lat, lon = np.radians(np.asarray(points, dtype=np.float64)).T
    n = _A_M / np.sqrt(1.0 - _E2 * np.sin(lat) ** 2)
    return np.column_stack(
        (
            n * np.cos(lat) * np.cos(lon),
            n * np.cos(lat) * np.sin(lon),
            n * (1.0 - _E2) * np.sin(lat),
        )
    )


def seconds(when: datetime | None, default: float) -> float:
    """Return seconds since 1970 for the rejection of pairs, or the default for ``None``."""
    return default if when is None else (when - EPOCH).total_seconds()


@dataclass(frozen=True, slots=True)
class Boxes:
    """Bounding balls, windows, owners and classes of many volumes, one a row.

    Attributes
    ----------
    xyz, radius_m
        Centres and radii of the balls.
    start_s, end_s
        Windows, seconds since 1970, infinite where open.
    owner
        Which entity a row belongs to.
    group
        Which class of entity that is: an index into the matrix of `candidate_pairs`.
    """

    xyz: FloatArray
    radius_m: FloatArray
    start_s: FloatArray
    end_s: FloatArray
    owner: IntArray
    group: IntArray


def candidate_pairs(
    boxes: Boxes, plan: npt.NDArray[np.bool_], wanted: npt.NDArray[np.bool_]
) -> Iterator[tuple[int, IntArray]]:
    """Yield each row with the rows behind it in the order of x that it may meet.

    Parameters
    ----------
    boxes
        The volumes.
    plan
        Of each row, whether it belongs to a plan: one of a pair must.
    wanted
        Symmetric matrix: which groups are to be compared with which.
    """
    count = len(boxes.radius_m)
    if count < 2:
        return
    low = boxes.xyz[:, 0] - boxes.radius_m
    order = np.argsort(low, kind="stable")
    sorted_low = low[order]
    high = boxes.xyz[:, 0] + boxes.radius_m
    # Everything that begins before this one ends, in x: a row is compared with those behind it.
    stops = np.searchsorted(sorted_low, high[order], side="right")
    for position in range(count):
        row = order[position]
        others = order[position + 1 : stops[position]]
        if not len(others):
            continue
        others = others[
            wanted[boxes.group[row], boxes.group[others]]
            & (boxes.owner[others] != boxes.owner[row])
            & (boxes.start_s[others] <= boxes.end_s[row])
            & (boxes.end_s[others] >= boxes.start_s[row])
        ]
        if not plan[row]:
            others = others[plan[others]]
        if not len(others):
            continue
        reach = boxes.radius_m[others] + boxes.radius_m[row]
        delta = boxes.xyz[others] - boxes.xyz[row]
        others = others[np.einsum("ij,ij->i", delta, delta) <= reach * reach]
        if len(others):
            yield int(row), others

"""Many volumes as packed arrays: what the kernel, the index and the sweep read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from deconflict.geo.errors import InputError
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.position import LatLon
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Codes = NDArray[np.int8]
Flags = NDArray[np.uint8]

WGS84_A_M = 6378137.0
"""Semi-major axis of the WGS 84 ellipsoid, metres (NGA.STND.0036)."""
WGS84_E2 = 0.0066943799901413165
"""First eccentricity of WGS 84, squared: f (2 - f) with f = 1/298.257223563."""

POINT, LINE, REGION = 0, 1, 2
"""Kinds of a row's core: a circle's centre, a route's line, a polygon."""

NO_LIMIT = -1
"""The reference code of a limit that doesn't exist."""
ELLIPSOID, SEA, GROUND, PRESSURE = 0, 1, 2, 3
"""Reference codes, in the order of `AltitudeReference`."""
REFERENCE_CODE = {
    AltitudeReference.W84: ELLIPSOID,
    AltitudeReference.MSL: SEA,
    AltitudeReference.AGL: GROUND,
    AltitudeReference.FL: PRESSURE,
}

ALWAYS_US = 2**61
"""Stands for no beginning (negative) and no end: 73,000 years from 1970, and adding a margin of
as much again can't overflow 64 bits."""
LONGEST_EDGE_M = 10_000.0
"""Longer edges get further vertices along the geodesic, so that a straight line in the kernel's
plane, and a chord, stay close to each piece: pieces of 10 km, within 1 cm on any sphere."""
WHOLE_EARTH_M = 4_000_000.0
"""A core that reaches further from its middle than this gets a sphere around the whole Earth: a
cap of less than a quarter turn holds the shortest paths between its points, a greater one
needn't."""
SPHERE_SLACK = 1.001
SPHERE_SLACK_M = 0.01
"""By how much bounding spheres grow: the cap's edge is no circle on an ellipsoid (flattening
1/298, times the sagitta), and rounding."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


X, Y, Z, RADIUS, GROWTH, LOWER, UPPER, LOWER_W84, UPPER_W84 = range(9)
BEGIN, END, KIND, LOWER_REF, UPPER_REF, RING, RING_STOP = range(7)
"""Columns of `Rows.real` and of `Rows.whole`."""


class Rows(NamedTuple):
    """The arrays; a row is a volume, or one leg of a timed route.

    Few wide arrays, since each is several arguments to a compiled function, and since what is
    read together then lies together.

    Attributes
    ----------
    real
        (rows, 9), metres: middle (`X`, `Y`, `Z`) and `RADIUS` of a sphere around the core; its
        `GROWTH` (radius or half width, uncertainty and danger radius together); the limits
        `LOWER` and `UPPER` in their own references and the limits `LOWER_W84` and `UPPER_W84`
        above the ellipsoid that hold them, grown by the danger radius.
    whole
        (rows, 7): first and last microsecond since 1970 UTC (`BEGIN`, `END`; `ALWAYS_US` without
        one), `KIND` (`POINT`, `LINE` or `REGION`), reference codes (`LOWER_REF`, `UPPER_REF`),
        and the rings from number `RING` to before `RING_STOP`.
    ring
        Rings + 1 offsets into `xyz`.
    xyz
        (vertices, 3), metres, Earth-centred Earth-fixed; no two neighbours are farther apart
        than `LONGEST_EDGE_M`.
    """

    real: Floats
    whole: Integers
    ring: Integers
    xyz: Floats


@dataclass(frozen=True, slots=True, eq=False)
class VolumeTable:
    """Packed volumes.

    Attributes
    ----------
    rows
        The arrays.
    owner
        For each row the number of the volume that it belongs to, ascending.
    count
        How many volumes there are.
    volume_of
        Gives volume *i* as an object.
    """

    rows: Rows
    owner: Integers
    count: int
    volume_of: Callable[[int], Volume4D] = field(repr=False)

    @classmethod
    def of(cls, volumes: Sequence[Volume4D]) -> VolumeTable:
        """Pack volume objects; a timed route gives one row a leg.

        Parameters
        ----------
        volumes
            Kept, and given back by `volume_of`.

        Returns
        -------
        VolumeTable
        """
        volumes = tuple(volumes)
        gathered = Gathered()
        for number, volume in enumerate(volumes):
            gathered.add(volume, number)
        return cls(
            gathered.rows(),
            np.array(gathered.owner, np.int64),
            len(volumes),
            volumes.__getitem__,
        )

    @classmethod
    def of_arrays(
        cls,
        *,
        lat_deg: Floats,
        lon_deg: Floats,
        first: Integers,
        radius_m: Floats,
        time_us: Integers,
        height_m: Floats,
    ) -> VolumeTable:
        """Pack a great many circles and polygons without an object each.

        Parameters
        ----------
        lat_deg, lon_deg
            Vertices of all volumes, one after the other; a single one is a circle's centre,
            three or more are a polygon.
        first
            Volumes + 1 offsets of each volume's first vertex.
        radius_m
            Of circles; of polygons the uncertainty, metres.
        time_us
            (volumes, 2), first and last microsecond since 1970 UTC.
        height_m
            (volumes, 2), limits above the WGS 84 ellipsoid; infinite where there is none.

        Returns
        -------
        VolumeTable

        Raises
        ------
        InputError
            If a number is missing (NaN), a time lies beyond what a volume can say, or an
            array has the wrong length. The geometry itself isn't judged.
        """
        count = len(first) - 1
        sizes = np.diff(first)
        if (
            not len(lat_deg) == len(lon_deg) == first[-1]
            or not len(radius_m) == len(time_us) == len(height_m) == count
            or bool(np.any((sizes < 1) | (sizes == 2)))
        ):
            raise InputError("the arrays don't fit one another", "give each volume its numbers")
        if (
            not (np.isfinite(lat_deg).all() and np.isfinite(lon_deg).all())
            or not np.isfinite(radius_m).all()
            or bool(np.isnan(height_m).any())
            or bool(np.any(np.abs(time_us) > ALWAYS_US))
        ):
            raise InputError("a number is missing or beyond reason", "leave no NaN in the arrays")
        reference = np.where(np.isinf(height_m), NO_LIMIT, ELLIPSOID).astype(np.int8)
        rows = assembled(
            kind=np.where(sizes == 1, POINT, REGION).astype(np.int8),
            lat_deg=np.ascontiguousarray(lat_deg, np.float64),
            lon_deg=np.ascontiguousarray(lon_deg, np.float64),
            ring=np.ascontiguousarray(first, np.int64),
            ring_of=np.arange(count + 1, dtype=np.int64),
            growth=np.ascontiguousarray(radius_m, np.float64),
            time=np.ascontiguousarray(time_us, np.int64),
            reference=reference,
            limit=np.ascontiguousarray(height_m, np.float64),
            ellipsoid=np.ascontiguousarray(height_m, np.float64),
        )

        def volume_of(number: int) -> Volume4D:
            start, stop = int(first[number]), int(first[number + 1])
            points = tuple(
                zip(lat_deg[start:stop].tolist(), lon_deg[start:stop].tolist(), strict=True)
            )
            size = float(radius_m[number])
            low, high = (None if math.isinf(h) else Height(float(h)) for h in height_m[number])
            begin, end = (None if abs(t) == ALWAYS_US else instant(int(t)) for t in time_us[number])
            circle = len(points) == 1
            return Volume4D(
                footprint=Circle(points[0], size) if circle else Polygon(points),
                band=AltitudeBand(low, high),
                start=begin,
                end=end,
                uncertainty_m=0.0 if circle else size,
            )

        return cls(rows, np.arange(count, dtype=np.int64), count, volume_of)


@dataclass(slots=True)
class Gathered:
    """Rows while they are gathered, as lists."""

    kind: list[int] = field(default_factory=list)
    lat_deg: list[float] = field(default_factory=list)
    lon_deg: list[float] = field(default_factory=list)
    ring: list[int] = field(default_factory=lambda: [0])
    ring_of: list[int] = field(default_factory=lambda: [0])
    growth: list[float] = field(default_factory=list)
    time: list[tuple[int, int]] = field(default_factory=list)
    reference: list[tuple[int, int]] = field(default_factory=list)
    limit: list[tuple[float, float]] = field(default_factory=list)
    ellipsoid: list[tuple[float, float]] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)

    def add(self, volume: Volume4D, owner: int) -> None:
        """Add the rows of one volume, as volume number `owner`."""
        footprint = volume.footprint
        start = -ALWAYS_US if volume.start is None else microseconds(volume.start)
        end = ALWAYS_US if volume.end is None else microseconds(volume.end)
        growth = volume.growth_m
        if isinstance(footprint, Circle):
            growth += footprint.radius_m
            self._row(POINT, ((footprint.center,),), growth, (start, end), volume)
        elif isinstance(footprint, Polygon):
            rings = (footprint.shell, *footprint.holes)
            self._row(REGION, rings, growth, (start, end), volume)
        else:
            growth += footprint.width_m / 2
            for points, window in legs(footprint, (start, end)):
                self._row(LINE, (points,), growth, window, volume)
        self.owner.extend([owner] * (len(self.kind) - len(self.owner)))

    def _row(
        self,
        kind: int,
        rings: tuple[tuple[LatLon, ...], ...],
        growth: float,
        window: tuple[int, int],
        volume: Volume4D,
    ) -> None:
        band, danger = volume.band, volume.height_growth_m
        self.kind.append(kind)
        for points in rings:
            self.lat_deg += [point[0] for point in points]
            self.lon_deg += [point[1] for point in points]
            self.ring.append(len(self.lat_deg))
        self.ring_of.append(len(self.ring) - 1)
        self.growth.append(growth)
        self.time.append(window)
        low, high = band.lower, band.upper
        self.reference.append(
            (
                NO_LIMIT if low is None else REFERENCE_CODE[low.reference],
                NO_LIMIT if high is None else REFERENCE_CODE[high.reference],
            )
        )
        lower = -math.inf if low is None else low.value_m - danger
        upper = math.inf if high is None else high.value_m + danger
        self.limit.append((lower, upper))
        if all(h is None or h.reference is AltitudeReference.W84 for h in (low, high)):
            self.ellipsoid.append((lower, upper))
        else:
            from deconflict.geo.height import ellipsoid_interval

            # No reach: what `kernel.above` calls certain must hold for the narrowest reading.
            interval = ellipsoid_interval(band, [point for points in rings for point in points])
            self.ellipsoid.append((interval.lower_m - danger, interval.upper_m + danger))

    def rows(self) -> Rows:
        """Return the rows as arrays."""
        return assembled(
            kind=np.array(self.kind, np.int8),
            lat_deg=np.array(self.lat_deg, np.float64),
            lon_deg=np.array(self.lon_deg, np.float64),
            ring=np.array(self.ring, np.int64),
            ring_of=np.array(self.ring_of, np.int64),
            growth=np.array(self.growth, np.float64),
            time=np.array(self.time, np.int64).reshape(-1, 2),
            reference=np.array(self.reference, np.int8).reshape(-1, 2),
            limit=np.array(self.limit, np.float64).reshape(-1, 2),
            ellipsoid=np.array(self.ellipsoid, np.float64).reshape(-1, 2),
        )


def legs(route: Route, window: tuple[int, int]) -> list[tuple[tuple[LatLon, ...], tuple[int, int]]]:
    """Return the parts of a route that have one time window each, microseconds."""
    if not route.times:
        return [(route.points, window)]
    times = [microseconds(time) for time in route.times]
    return [
        (route.points[i : i + 2], (times[i], times[i + 1])) for i in range(len(route.points) - 1)
    ]


def microseconds(time: datetime) -> int:
    """Return an aware instant as whole microseconds since 1970 UTC (a datetime holds no less)."""
    return (time - EPOCH) // MICROSECOND


def instant(time_us: int) -> datetime:
    """Return microseconds since 1970 UTC as an aware instant."""
    return EPOCH + timedelta(microseconds=time_us)


def earth_fixed(lat_deg: Floats, lon_deg: Floats) -> Floats:
    """Return points on the WGS 84 ellipsoid, (n, 3), metres, Earth-centred Earth-fixed."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    sin_lat, cos_lat = np.sin(lat), np.cos(lat)
    normal = WGS84_A_M / np.sqrt(1.0 - WGS84_E2 * sin_lat**2)
    around = normal * cos_lat
    xyz = np.empty((len(lat), 3))
    xyz[:, 0] = around * np.cos(lon)
    xyz[:, 1] = around * np.sin(lon)
    xyz[:, 2] = normal * (1.0 - WGS84_E2) * sin_lat
    return xyz


def assembled(
    *,
    kind: Codes,
    lat_deg: Floats,
    lon_deg: Floats,
    ring: Integers,
    ring_of: Integers,
    growth: Floats,
    time: Integers,
    reference: Codes,
    limit: Floats,
    ellipsoid: Floats,
) -> Rows:
    """Place the vertices on the Earth, cut long edges, and bound each row by a sphere.

    Parameters
    ----------
    kind, growth, time, reference, limit, ellipsoid
        Columns of `Rows`; the last four are (rows, 2).
    ring_of
        Rows + 1 offsets into `ring`.
    ring
        Rings + 1 offsets into the vertices.
    lat_deg, lon_deg
        The vertices, degrees.

    Returns
    -------
    Rows
    """
    xyz = earth_fixed(lat_deg, lon_deg)
    real = np.empty((len(kind), 9))
    whole = np.empty((len(kind), 7), np.int64)
    if len(kind):
        closed = np.repeat(kind == REGION, np.diff(ring_of))
        xyz, ring = _without_long_edges(xyz, lat_deg, lon_deg, ring, closed)
        real[:, X : Z + 1], real[:, RADIUS] = _spheres(xyz, ring[ring_of])
    real[:, GROWTH] = growth
    real[:, LOWER : UPPER + 1] = limit
    real[:, LOWER_W84 : UPPER_W84 + 1] = ellipsoid
    whole[:, BEGIN : END + 1] = time
    whole[:, KIND] = kind
    whole[:, LOWER_REF : UPPER_REF + 1] = reference
    whole[:, RING] = ring_of[:-1]
    whole[:, RING_STOP] = ring_of[1:]
    return Rows(real, whole, ring, xyz)


def _spheres(xyz: Floats, first: Integers) -> tuple[Floats, Floats]:
    """Return middle and radius of a sphere around each run of vertices, edges and inside too."""
    sizes = np.diff(first)
    center: Floats = np.add.reduceat(xyz, first[:-1], axis=0) / sizes[:, None]
    away = xyz - np.repeat(center, sizes, axis=0)
    squares: Floats = np.maximum.reduceat(np.einsum("ij,ij->i", away, away), first[:-1])
    radius = np.sqrt(squares) * SPHERE_SLACK + SPHERE_SLACK_M
    whole = radius > WHOLE_EARTH_M
    center[whole] = 0.0
    radius[whole] = 2 * WGS84_A_M
    return center, radius


def _without_long_edges(
    xyz: Floats, lat_deg: Floats, lon_deg: Floats, ring: Integers, closed: NDArray[np.bool_]
) -> tuple[Floats, Integers]:
    """Put further vertices on each edge longer than `LONGEST_EDGE_M`, along its geodesic."""
    following = np.arange(1, len(xyz) + 1)
    last = ring[1:] - 1
    following[last] = np.where(closed, ring[:-1], last)
    edges = xyz[following] - xyz
    long = np.flatnonzero(np.einsum("ij,ij->i", edges, edges) > LONGEST_EDGE_M**2)
    if not len(long):
        return xyz, ring

    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    ends = following[long]
    _, _, lengths = geod.inv(
        lon_deg[long], lat_deg[long], lon_deg[ends], lat_deg[ends], return_back_azimuth=True
    )
    # One piece more than needed keeps every piece below the limit whatever the rounding.
    added = np.floor(np.asarray(lengths) / LONGEST_EDGE_M).astype(np.int64) + 1
    lons: list[float] = []
    lats: list[float] = []
    for start, end, count in zip(long.tolist(), ends.tolist(), added.tolist(), strict=True):
        between = geod.inv_intermediate(
            lon_deg[start],
            lat_deg[start],
            lon_deg[end],
            lat_deg[end],
            count,
            return_back_azimuth=True,
        )
        lons.extend(between.lons)
        lats.extend(between.lats)
    between_xyz = earth_fixed(np.array(lats), np.array(lons))
    before = np.zeros(len(xyz) + 1, np.int64)
    before[long + 1] = added
    np.cumsum(before, out=before)
    return np.insert(xyz, np.repeat(long + 1, added), between_xyz, axis=0), ring + before[ring]

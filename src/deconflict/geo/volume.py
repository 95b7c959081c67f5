"""Volumes: a footprint on the ellipsoid, an altitude band and a time window."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from deconflict.geo.errors import InputError
from deconflict.geo.figure.ring import (
    check_extent,
    check_holes,
    check_legs,
    check_ring,
    checked_points,
    same_place,
)
from deconflict.geo.height import EVERY_HEIGHT, AltitudeBand, AltitudeReference
from deconflict.geo.position import LatLon, checked_lat_lon

PRESSURE_STRETCH: Final = 1.4
"""How many metres of pressure altitude a metre can be: in air 60 K colder than the standard
atmosphere's coldest, 216.65 K / 156.65 K."""
MOST_VERTICES: Final = 10_000
"""Vertices a volume, as ASTM F3548-21 limits an operational intent."""
GREATEST_RADIUS_M: Final = 2_000_000.0
"""Radius, width, uncertainty and danger radius: more than any weapon's or aircraft's reach that
somebody would rightly register as one circle, and small enough that discs stay convex."""


@dataclass(frozen=True, slots=True)
class Polygon:
    """A region whose edges are geodesics of WGS 84.

    Either winding means the same region: the smaller one. Rings are not closed (the last
    vertex is joined to the first).

    Attributes
    ----------
    shell
        At least three vertices, (latitude, longitude) in degrees.
    holes
        Rings inside the shell that are not part of the region.
    """

    shell: tuple[LatLon, ...]
    holes: tuple[tuple[LatLon, ...], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what bounds no region, with the vertex and the reason."""
        _check_count(len(self.shell) + sum(map(len, self.holes)))
        shell = checked_points(self.shell, "")
        if shell is not self.shell:
            object.__setattr__(self, "shell", shell)
        check_ring(shell)
        if self.holes:
            holes = tuple(
                checked_points(ring, f"hole {number}, ")
                for number, ring in enumerate(self.holes, 1)
            )
            object.__setattr__(self, "holes", holes)
            for number, ring in enumerate(holes, 1):
                check_ring(ring, f"hole {number}, ")
            check_holes(shell, holes)


@dataclass(frozen=True, slots=True)
class Circle:
    """All points within a geodesic distance of a centre; radius 0 is a point.

    Attributes
    ----------
    center
        (latitude, longitude), degrees.
    radius_m
        Metres.
    """

    center: LatLon
    radius_m: float

    def __post_init__(self) -> None:
        """Refuse a centre that is no place on Earth and a radius that is no length."""
        center = checked_lat_lon(*self.center, field="center")
        if center != self.center:
            object.__setattr__(self, "center", center)
        _check_length(self.radius_m, "radius")


@dataclass(frozen=True, slots=True)
class Route:
    """All points within half a width of a line of geodesic legs, its ends rounded.

    Attributes
    ----------
    points
        At least two vertices, (latitude, longitude), degrees.
    width_m
        Full width, metres.
    times
        Empty, or one aware instant a vertex, not decreasing: leg *i* is then occupied from
        ``times[i]`` to ``times[i + 1]`` only.
    """

    points: tuple[LatLon, ...]
    width_m: float
    times: tuple[datetime, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no route, with the vertex and the reason."""
        _check_count(len(self.points))
        points = checked_points(self.points, "")
        if points is not self.points:
            object.__setattr__(self, "points", points)
        if len(points) < 2:
            raise InputError(
                "a route needs at least two vertices", "give a circle for a single place"
            )
        _check_length(self.width_m, "width")
        check_legs(points)
        check_extent(points)
        if self.times:
            _check_times(self.times, len(points))
            return
        for i in range(1, len(points)):
            if same_place(points[i - 1], points[i]):
                raise InputError(
                    f"vertex {i + 1} repeats vertex {i}",
                    "leave it out (only a route with times may wait in one place)",
                    field=f"vertex {i + 1}",
                )


Footprint = Polygon | Circle | Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume4D:
    """A four-dimensional region, and by how much it is to be grown or shrunk.

    Attributes
    ----------
    footprint
        The region in plan.
    band
        The heights.
    start, end
        Aware instants, both part of the window; ``None``: without beginning or end.
    uncertainty_m
        How far off the footprint may lie in plan, metres, 95 %. Grows the volume where it must
        not meet another, shrinks it where it is a container.
    danger_radius_m
        How far beyond the footprint, in plan and in height, the activity is dangerous, metres.
    """

    footprint: Footprint
    band: AltitudeBand = EVERY_HEIGHT
    start: datetime | None = None
    end: datetime | None = None
    uncertainty_m: float = 0.0
    danger_radius_m: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a window that ends before it starts, and lengths that are none."""
        _check_length(self.uncertainty_m, "uncertainty")
        _check_length(self.danger_radius_m, "danger radius")
        _check_aware(self.start, "start")
        _check_aware(self.end, "end")
        if self.start is not None and self.end is not None and self.end < self.start:
            raise InputError(
                f"the end {self.end.isoformat()} is before the start {self.start.isoformat()}",
                "give a start that is not after the end",
                field="end",
            )
        footprint = self.footprint
        if isinstance(footprint, Route) and footprint.times:
            if self.start is not None and footprint.times[0] < self.start:
                raise InputError(
                    "the route's first time is before the start",
                    "let the window hold all times of the route",
                    field="times",
                )
            if self.end is not None and footprint.times[-1] > self.end:
                raise InputError(
                    "the route's last time is after the end",
                    "let the window hold all times of the route",
                    field="times",
                )

    @property
    def growth_m(self) -> float:
        """By how much the footprint grows where volumes must not meet, metres."""
        return self.uncertainty_m + self.danger_radius_m

    @property
    def height_growth_m(self) -> float:
        """By how much the heights grow where volumes must not meet, in metres of their reference.

        The danger radius; times `PRESSURE_STRETCH` where a limit is a flight level.
        """
        limits = (self.band.lower, self.band.upper)
        if any(limit and limit.reference is AltitudeReference.FL for limit in limits):
            return self.danger_radius_m * PRESSURE_STRETCH
        return self.danger_radius_m


def _check_count(count: int) -> None:
    if count > MOST_VERTICES:
        raise InputError(
            f"{count:,} vertices are more than the {MOST_VERTICES:,} that a volume may have",
            "leave out vertices, or split the area",
        )


def _check_length(metres: float, field: str) -> None:
    if not 0.0 <= metres <= GREATEST_RADIUS_M:
        if not math.isfinite(metres):
            raise InputError(f"the {field} {metres} is no length", "give metres", field=field)
        if metres < 0.0:
            raise InputError(f"the {field} {metres:g} m is negative", "give 0 or more", field=field)
        raise InputError(
            f"the {field} {metres:g} m is more than {GREATEST_RADIUS_M:,.0f} m",
            "give metres (or a polygon, if it is really that large)",
            field=field,
        )


def _check_aware(instant: datetime | None, field: str) -> None:
    if instant is not None and instant.utcoffset() is None:
        raise InputError(
            f"the {field} {instant.isoformat()} has no time zone",
            "add Z for UTC, or the offset such as +03:00",
            field=field,
        )
    if instant is not None and instant.year in (1, 9999):
        try:
            instant.astimezone(UTC)
        except OverflowError as error:
            raise InputError(
                f"the {field} {instant.isoformat()} lies outside the years 1 to 9999 in UTC",
                "leave it out where there is no such limit",
                field=field,
            ) from error


def _check_times(times: tuple[datetime, ...], count: int) -> None:
    if len(times) != count:
        raise InputError(
            f"{len(times)} times for {count} vertices", "give one time a vertex", field="times"
        )
    for number, instant in enumerate(times, 1):
        _check_aware(instant, f"time {number}")
    for number in range(1, count):
        if times[number] < times[number - 1]:
            raise InputError(
                f"time {number + 1} is before time {number}",
                "give the times in the order of travel",
                field=f"time {number + 1}",
            )


def parts(volume: Volume4D) -> tuple[Volume4D, ...]:
    """Return the parts that a volume is the union of: itself, or the legs of its timed route.

    Each leg is a volume with the leg's own window; one that waits in one place is a circle.
    """
    route = volume.footprint
    if not isinstance(route, Route) or not route.times:
        return (volume,)
    return tuple(
        replace(
            volume,
            footprint=Circle(here, route.width_m / 2.0)
            if same_place(here, there)
            else Route((here, there), route.width_m),
            start=route.times[i],
            end=route.times[i + 1],
        )
        for i, (here, there) in enumerate(pairwise(route.points))
    )

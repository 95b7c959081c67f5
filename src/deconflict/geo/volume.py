"""Volumes: a footprint on the ellipsoid, an altitude band and a time window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from deconflict.geo.height import EVERY_HEIGHT, AltitudeBand
from deconflict.geo.position import LatLon


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

    @property
    def growth_m(self) -> float:
        """By how much the footprint grows where volumes must not meet, metres."""
        return self.uncertainty_m + self.danger_radius_m


def parts(volume: Volume4D) -> tuple[Volume4D, ...]:
    """Return the parts that a volume is the union of: itself, or the legs of its timed route.

    Each leg is a volume with the leg's own window; one that goes nowhere is a route of two equal
    points.
    """
    route = volume.footprint
    if not isinstance(route, Route) or not route.times:
        return (volume,)
    return tuple(
        replace(
            volume,
            footprint=Route(route.points[i : i + 2], route.width_m),
            start=route.times[i],
            end=route.times[i + 1],
        )
        for i in range(len(route.points) - 1)
    )

"""Separation: the exact relation of two volumes in plan, in height and in time.

Touching is meeting, in each of the three. In plan the footprints are grown by their volumes'
uncertainty and danger radius; a circle's radius and half a route's width count in the same way,
as distances, never as drawn curves. The danger radius also grows the heights.

How the plan distance is found: both skeletons (`shape`) are projected to a plane that touches
the ellipsoid amid them (`plane`), where GEOS answers at once in nearly all cases, since the plane
stretches distances by a known factor and never shortens them. What the factor leaves open, and
whatever is larger than `PLANE_REACH_M`, goes to `nearest`, which is exact at any size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import shapely

from deconflict.geo.figure.nearest import nearest
from deconflict.geo.figure.penetration import Push, penetration
from deconflict.geo.figure.plane import Plane, distance_m, geod, moved, on_surface
from deconflict.geo.figure.shape import Shape, shape_of
from deconflict.geo.height import SAME_HEIGHT_M, height_gap
from deconflict.geo.position import LatLon
from deconflict.geo.volume import Footprint, Volume4D, parts

TOUCH_M: Final = 0.001
"""Footprints this close touch. It covers what the plane leaves open (0.2 mm) and rounding."""
FAR_TOUCH_M: Final = 0.01
"""The same for shapes beyond `PLANE_REACH_M`, where the plane leaves 5 mm open."""
PLANE_REACH_M: Final = 200_000.0
"""What lies within this distance of the point of contact is judged in the plane."""
PAIRS_IN_PLANE: Final = 40_000
"""Up to so many pairs of pieces GEOS compares each with each; it takes half a millisecond."""
LEAST_COSINE: Final = 0.2
"""No plane is used for what lies farther round the Earth from its contact than this."""
STRETCH_LEFT_M: Final = 0.003
"""A distance that the plane's stretch leaves open by no more than this is not searched again."""


@dataclass(frozen=True, slots=True)
class Separation:
    """How two volumes lie to each other.

    Attributes
    ----------
    plan_m
        Distance of the grown footprints, metres; 0 where they touch; negative: how far one has
        to be moved to end the overlap (`penetration` says how exactly that is known).
    height_m
        The gap between the bands, metres; 0 or less where they meet.
    time_s
        The gap between the windows, seconds; 0 or less where they meet.
    nearest_a, nearest_b
        The nearest points of the grown footprints; where they meet, twice the same point that
        both have in common. (latitude, longitude), degrees.
    part_a, part_b
        Which legs of timed routes were judged, from 0; 0 for everything else.
    start, end
        The time that both windows have in common; ``None``: without beginning or end, or no
        common time (`time_s` above 0).
    assumed
        What was assumed in comparing the heights, one sentence each.
    """

    plan_m: float
    height_m: float
    time_s: float
    nearest_a: LatLon
    nearest_b: LatLon
    part_a: int = 0
    part_b: int = 0
    start: datetime | None = None
    end: datetime | None = None
    assumed: tuple[str, ...] = ()

    @property
    def meets(self) -> bool:
        """Whether the volumes have a point in common."""
        return self.plan_m <= 0.0 and self.height_m <= 0.0 and self.time_s <= 0.0


def meets(a: Volume4D, b: Volume4D) -> bool:
    """Return whether two volumes have a point in common; touching is meeting.

    The same answer as ``separation(a, b).meets``, sooner.
    """
    grown_m = a.growth_m + b.growth_m
    height_met: bool | None = None
    for part_a in parts(a):
        for part_b in parts(b):
            if time_gap_s(part_a, part_b) > 0.0:
                continue
            if height_met is None:
                height_met = height_meets(a, b)
            if not height_met:
                return False
            if _within(shape_of(part_a.footprint), shape_of(part_b.footprint), grown_m):
                return True
    return False


def separation(a: Volume4D, b: Volume4D) -> Separation:
    """Return the exact relation of two volumes.

    Of timed routes, each leg is a part with its own window. The answer is about the pair of parts
    that meets, the one whose common time begins first if several do; and if none meets, about
    the pair with the smallest gap in time, then in plan. Equal pairs: the first legs.
    """
    pairs = [
        (time_gap_s(part_a, part_b), i, j, part_a, part_b)
        for i, part_a in enumerate(parts(a))
        for j, part_b in enumerate(parts(b))
    ]
    soonest = max(min(pair[0] for pair in pairs), 0.0)
    height_m, assumed = _height_gap(a, b)
    best: Separation | None = None
    best_rank: tuple[object, ...] = ()
    for time_s, i, j, part_a, part_b in pairs:
        if time_s > soonest:
            continue
        start, end = common_window(part_a, part_b)
        if best is not None and best.plan_m <= 0.0 and not _before(start, best.start):
            continue
        plan_m, nearest_a, nearest_b = plan_distance(
            part_a.footprint, part_b.footprint, a.growth_m, b.growth_m
        )
        rank = (max(plan_m, 0.0),)
        if best is not None and rank >= best_rank and not (plan_m <= 0.0 and best.plan_m <= 0.0):
            continue
        best_rank = rank
        best = Separation(
            plan_m,
            height_m,
            time_s,
            nearest_a,
            nearest_b,
            i,
            j,
            start if time_s <= 0.0 else None,
            end if time_s <= 0.0 else None,
            assumed,
        )
    if best is None:  # pragma: no cover  (the pair with the smallest time gap is never skipped)
        raise RuntimeError("no pair of parts was judged")
    return best


def plan_meets(a: Volume4D, b: Volume4D) -> bool:
    """Return whether two volumes' grown footprints touch, whatever their heights and times."""
    return _within(shape_of(a.footprint), shape_of(b.footprint), a.growth_m + b.growth_m)


def height_meets(a: Volume4D, b: Volume4D) -> bool:
    """Return whether two volumes' bands touch, grown by the danger radii."""
    return _height_gap(a, b)[0] <= 0.0


def time_gap_s(a: Volume4D, b: Volume4D) -> float:
    """Return the gap between two windows in seconds; 0 or less: they meet (-inf: for ever)."""
    gap = -math.inf
    if a.start is not None and b.end is not None:
        gap = (a.start - b.end).total_seconds()
    if b.start is not None and a.end is not None:
        gap = max(gap, (b.start - a.end).total_seconds())
    return gap


def common_window(a: Volume4D, b: Volume4D) -> tuple[datetime | None, datetime | None]:
    """Return the later start and the earlier end; ``None``: without beginning or end."""
    starts = [v.start for v in (a, b) if v.start is not None]
    ends = [v.end for v in (a, b) if v.end is not None]
    return (max(starts) if starts else None, min(ends) if ends else None)


def _before(start: datetime | None, other: datetime | None) -> bool:
    if other is None:
        return False
    return start is None or start < other


def _height_gap(a: Volume4D, b: Volume4D) -> tuple[float, tuple[str, ...]]:
    """Return the gap between the bands, danger radii taken off, and what was assumed."""
    gap_m, assumed = _band_gap(a, b)
    gap_m -= a.height_growth_m + b.height_growth_m
    return (0.0 if 0.0 < gap_m <= SAME_HEIGHT_M else gap_m), assumed


def _band_gap(a: Volume4D, b: Volume4D) -> tuple[float, tuple[str, ...]]:
    if (a.band.upper is None or b.band.lower is None) and (
        b.band.upper is None or a.band.lower is None
    ):
        return -math.inf, ()
    return height_gap(a.band, b.band, *points_and_reach(a, b))


def points_and_reach(*volumes: Volume4D) -> tuple[tuple[LatLon, ...], float]:
    """Return the vertices and centres of volumes, and how far they are grown beyond, metres."""
    shapes = [shape_of(volume.footprint) for volume in volumes]
    points = tuple(point for shape in shapes for chain in shape.vertices for point in chain)
    reach_m = max(
        shape.reach_m + volume.growth_m for shape, volume in zip(shapes, volumes, strict=True)
    )
    return points, reach_m


def plan_distance(
    a: Footprint, b: Footprint, growth_a_m: float = 0.0, growth_b_m: float = 0.0
) -> tuple[float, LatLon, LatLon]:
    """Return the distance of two grown footprints and their nearest points.

    Parameters
    ----------
    a, b
        The footprints.
    growth_a_m, growth_b_m
        By how much each is grown beyond its own radius or half width, metres.

    Returns
    -------
    plan_m
        As in `Separation`.
    nearest_a, nearest_b
        As in `Separation`.
    """
    shape_a, shape_b = shape_of(a), shape_of(b)
    grow_a, grow_b = growth_a_m + shape_a.reach_m, growth_b_m + shape_b.reach_m
    apart_m, on_a, on_b = _skeleton_distance(shape_a, shape_b)
    plan_m = apart_m - grow_a - grow_b
    if plan_m > _touch(shape_a, shape_b):
        azimuth, back, _ = _line(on_a, on_b)
        return plan_m, moved(on_a, azimuth, grow_a), moved(on_b, back, grow_b)
    shared = on_a
    if apart_m > 0.0:
        shared = moved(on_a, _line(on_a, on_b)[0], min(grow_a, apart_m))
    depth_m = penetration(shape_a, shape_b, on_a, on_b, grow_a + grow_b).metres
    return (-depth_m if depth_m > 0.0 else 0.0), shared, shared


def push(
    a: Footprint, b: Footprint, growth_a_m: float = 0.0, growth_b_m: float = 0.0
) -> Push | None:
    """Return the shortest move of `a` that ends its overlap with `b`; ``None`` without overlap.

    Parameters
    ----------
    a, b, growth_a_m, growth_b_m
        As in `plan_distance`.
    """
    shape_a, shape_b = shape_of(a), shape_of(b)
    growth_m = growth_a_m + growth_b_m + shape_a.reach_m + shape_b.reach_m
    apart_m, on_a, on_b = _skeleton_distance(shape_a, shape_b)
    if apart_m - growth_m > _touch(shape_a, shape_b):
        return None
    return penetration(shape_a, shape_b, on_a, on_b, growth_m)


def _line(a: LatLon, b: LatLon) -> tuple[float, float, float]:
    azimuth, back, length = geod().inv(a[1], a[0], b[1], b[0])
    return float(azimuth), float(back), float(length)


def _touch(a: Shape, b: Shape) -> float:
    plain = a.radius_m <= PLANE_REACH_M and b.radius_m <= PLANE_REACH_M
    return TOUCH_M if plain else FAR_TOUCH_M


def _within(a: Shape, b: Shape, growth_m: float) -> bool:
    """Return whether the grown skeletons touch."""
    limit = a.reach_m + b.reach_m + growth_m
    chord = math.dist(a.center_ecef, b.center_ecef)
    if chord > a.radius_m + b.radius_m + limit + TOUCH_M:
        return False
    if a.radius_m == 0.0 and b.radius_m == 0.0:
        return distance_m(a.center, b.center) <= limit + TOUCH_M
    extent_m = chord + a.radius_m + b.radius_m
    if extent_m <= PLANE_REACH_M:
        # The plane of the larger shape, which keeps its own picture for the next question.
        host, guest = (a, b) if a.radius_m >= b.radius_m else (b, a)
        near_m, far_m = limit + TOUCH_M, (limit + TOUCH_M) * _stretch(extent_m)
        if _is_small(a, b):
            flat_m = shapely.distance(host.flat, guest.flat_in(host.plane))
            if flat_m <= near_m:
                return True
            if flat_m > far_m:
                return False
        else:
            shapely.prepare(host.flat)
            flat = guest.flat_in(host.plane)
            if shapely.dwithin(host.flat, flat, near_m):
                return True
            if not shapely.dwithin(host.flat, flat, far_m):
                return False
    return _skeleton_distance(a, b)[0] <= limit + _touch(a, b)


def _stretch(extent_m: float) -> float:
    """Return the most by which a plane stretches distances within `extent_m` of its contact."""
    return 1.0 + 1.02 * (extent_m / 6_335_439.0) ** 2


def _skeleton_distance(a: Shape, b: Shape) -> tuple[float, LatLon, LatLon]:
    """Return the distance of two skeletons, 0 where they have a point in common, and the points."""
    if a.radius_m == 0.0 and b.radius_m == 0.0:
        return distance_m(a.center, b.center), a.center, b.center
    chord = math.dist(a.center_ecef, b.center_ecef)
    extent_m = (chord + a.radius_m + b.radius_m) * 0.5 + max(a.radius_m, b.radius_m)
    if extent_m <= PLANE_REACH_M and _is_small(a, b):
        (ax, ay, az), (bx, by, bz) = a.center_ecef, b.center_ecef
        plane = Plane(on_surface((ax + bx, ay + by, az + bz)))
        line = shapely.shortest_line(a.flat_in(plane), b.flat_in(plane))
        (x, y), (u, v) = shapely.get_coordinates(line).tolist()
        flat_m = math.hypot(x - u, y - v)
        if flat_m == 0.0:
            point = plane.lat_lon(x, y)
            return 0.0, point, point
        if flat_m * (_stretch(extent_m) - 1.0) <= STRETCH_LEFT_M:
            on_a, on_b = plane.lat_lon(x, y), plane.lat_lon(u, v)
            return distance_m(on_a, on_b), on_a, on_b
    shared = _shared_point(a, b)
    if shared is not None:
        return 0.0, shared, shared
    return nearest(a, b)


def _is_small(a: Shape, b: Shape) -> bool:
    """Return whether GEOS may compare each piece with each."""
    return a.count * b.count <= PAIRS_IN_PLANE


def _shared_point(a: Shape, b: Shape) -> LatLon | None:
    """Return a point that two skeletons of any size have in common.

    ``None`` may also mean that their edges cross far round the Earth from both middles, which
    `nearest` finds.
    """
    for inner, outer in ((a, b), (b, a)):
        if outer.holds(inner.first):
            return inner.vertices[0][0]
    plane = (a if a.radius_m <= b.radius_m else b).plane
    if any((plane.height_cosines(chain) < LEAST_COSINE).any() for chain in (*a.chains, *b.chains)):
        return None
    flat_a, flat_b = a.border_in(plane), b.border_in(plane)
    shapely.prepare(flat_a)
    if not shapely.intersects(flat_a, flat_b):
        return None
    x, y = shapely.get_coordinates(shapely.intersection(flat_a, flat_b))[0].tolist()
    return plane.lat_lon(x, y)

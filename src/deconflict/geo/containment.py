"""Containment: whether an entity's volume lies wholly inside a container, and by how much not.

Every doubt goes to the side of sticking out. The bound entity grows by its uncertainty and its
danger radius, the container shrinks by its uncertainty; heights that can't be compared are not
inside. The border belongs to the container: a volume that touches it from within is inside, in
plan (to `TOUCH_M`, which is the error of the computation itself), in height and in time.

In plan a polygon holds what lies in it and keeps off its border by both margins; a circle holds
what has no vertex too far from the centre (distance from a point is convex along geodesics); a
corridor holds what has no point too far from its line, for which pieces of the entity are halved
until the farthest point is known to `FARTHEST_M`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from deconflict.geo.figure.nearest import nearest
from deconflict.geo.figure.plane import (
    Floats,
    Plane,
    Vector,
    distance_m,
    on_surface,
    to_ecef,
    to_lat_lon,
)
from deconflict.geo.figure.shape import LONGEST_PIECE_M, Shape, shape_of
from deconflict.geo.height import (
    SAME_HEIGHT_M,
    AltitudeBand,
    AltitudeReference,
    Height,
    ellipsoid_interval,
)
from deconflict.geo.position import LatLon
from deconflict.geo.separation import PLANE_REACH_M, TOUCH_M, points_and_reach
from deconflict.geo.volume import Circle, Polygon, Volume4D, parts

Where = tuple[tuple[LatLon, ...], float]
"""Points and a reach round them, metres."""

FARTHEST_M: Final = 0.001
"""How exactly the farthest point from a corridor's line is found."""
MOST_HALVINGS: Final = 4_000
"""After so many steps the bound stands for the distance itself: too large rather than too small."""
LEAST_COSINE: Final = 0.2
"""No plane is used for what lies farther round the Earth from its contact than this."""
MOST_STRETCH: Final = 1.01
"""More than the plane stretches any distance within `PLANE_REACH_M` of its contact (1.001)."""


@dataclass(frozen=True, slots=True)
class Containment:
    """By how much an entity's volume sticks out of a container.

    Attributes
    ----------
    plan_m, height_m, time_s
        By how much it sticks out, metres and seconds. 0 or less: it lies inside, and by so much
        within the border; -inf: no limit; inf: unbounded where the container is not, or heights
        that can't be compared.
    where
        The point of the entity's footprint (before it is grown) that sticks out farthest, or
        comes nearest to sticking out; (latitude, longitude), degrees.
    assumed
        What was assumed in comparing the heights, one sentence each.
    """

    plan_m: float
    height_m: float
    time_s: float
    where: LatLon
    assumed: tuple[str, ...] = ()

    @property
    def inside(self) -> bool:
        """Whether the entity's volume lies wholly inside."""
        return self.plan_m <= 0.0 and self.height_m <= 0.0 and self.time_s <= 0.0


def containment(entity: Volume4D, container: Volume4D) -> Containment:
    """Return by how much an entity's volume sticks out of a container.

    A timed entity is judged leg by leg, and each dimension by the leg that sticks out farthest.
    Of a timed container, only the legs under way at the same time count.
    """
    legs = parts(container)
    time_s = _time_out(entity, legs)
    height_m, assumed = _height_out(entity, container)
    plan_m, where = -math.inf, shape_of(entity.footprint).center
    for part in parts(entity):
        under_way = [leg for leg in legs if _overlaps(part, leg)]
        if not under_way:  # an instant, or a time that the container doesn't cover at all
            plan_m, where = max((plan_m, where), min(_plan_out(part, leg) for leg in legs))
        for leg in under_way:
            plan_m, where = max((plan_m, where), _plan_out(part, leg))
    return Containment(plan_m, height_m, time_s, where, assumed)


def contains(container: Volume4D, entity: Volume4D) -> bool:
    """Return whether an entity's volume lies wholly inside a container.

    The same answer as ``containment(entity, container).inside``, sooner where it is plain.
    """
    if len(parts(entity)) > 1 or len(parts(container)) > 1:
        return containment(entity, container).inside
    if _time_out(entity, parts(container)) > 0.0 or _height_out(entity, container)[0] > 0.0:
        return False
    return _plainly_within(entity, container) or containment(entity, container).inside


def _plainly_within(entity: Volume4D, container: Volume4D) -> bool:
    """Return whether the plane shows that a footprint keeps off a polygon's border from within.

    The plane never shortens a distance, so what it shows within the stretched margin isn't plain.
    """
    if not isinstance(container.footprint, Polygon):
        return False
    bound, room = shape_of(entity.footprint), shape_of(container.footprint)
    extent_m = math.dist(bound.center_ecef, room.center_ecef) + bound.radius_m + room.radius_m
    if extent_m > PLANE_REACH_M:
        return False
    guest = bound.flat_in(room.plane)
    shapely.prepare(room.flat)
    if not shapely.contains_properly(room.flat, guest):
        return False
    margin_m = entity.growth_m + bound.reach_m + container.uncertainty_m
    shapely.prepare(room.border.flat)
    return not shapely.dwithin(room.border.flat, guest, (margin_m + TOUCH_M) * MOST_STRETCH)


def _overlaps(a: Volume4D, b: Volume4D) -> bool:
    """Return whether two windows have more than an instant in common."""
    start = max((v.start for v in (a, b) if v.start is not None), default=None)
    end = min((v.end for v in (a, b) if v.end is not None), default=None)
    return start is None or end is None or start < end


def _time_out(entity: Volume4D, legs: tuple[Volume4D, ...]) -> float:
    """Return by how many seconds the entity begins before or ends after the container."""
    own = parts(entity)
    opens, closes = legs[0].start, legs[-1].end
    first, last = own[0].start, own[-1].end
    early = late = -math.inf
    if opens is not None:
        early = math.inf if first is None else (opens - first).total_seconds()
    if closes is not None:
        late = math.inf if last is None else (last - closes).total_seconds()
    return max(early, late)


def _height_out(entity: Volume4D, container: Volume4D) -> tuple[float, tuple[str, ...]]:
    where = points_and_reach(entity, container)
    danger_m = entity.height_growth_m
    low_m, said_low = _limit_out(entity.band, container.band, where, upper=False)
    high_m, said_high = _limit_out(entity.band, container.band, where, upper=True)
    out_m = max(low_m, high_m) + danger_m
    assumed = tuple(dict.fromkeys((*said_low, *said_high)))
    return (0.0 if 0.0 < out_m <= SAME_HEIGHT_M else out_m), assumed


def _limit_out(
    inner: AltitudeBand, outer: AltitudeBand, where: Where, *, upper: bool
) -> tuple[float, tuple[str, ...]]:
    """Return by how much one limit of `inner` lies beyond the same limit of `outer`, metres."""
    limit = outer.upper if upper else outer.lower
    own = inner.upper if upper else inner.lower
    if limit is None:
        return -math.inf, ()
    at_ground = limit.reference is AltitudeReference.AGL and limit.value_m <= 0.0
    if not upper and at_ground:  # nothing is lower
        return -math.inf, ()
    if own is None:
        return math.inf, ()
    if own.reference is limit.reference:
        beyond_m = own.value_m - limit.value_m
        return (beyond_m if upper else -beyond_m), ()
    least, most, said = _range_of(own, inner.ground_m, where)
    limit_least, limit_most, limit_said = _range_of(limit, outer.ground_m, where)
    beyond_m = most - limit_least if upper else limit_most - least
    assumed = (*said, *limit_said)
    if math.isinf(beyond_m):
        side = "upper" if upper else "lower"
        assumed = (
            *assumed,
            (
                f"the {side} limits in {own.reference} and {limit.reference} can't be compared "
                "here, so the height is taken as not inside"
            ),
        )
        return math.inf, assumed
    return beyond_m, assumed


def _range_of(
    height: Height, ground_m: float | None, where: Where
) -> tuple[float, float, tuple[str, ...]]:
    """Return between which heights above the ellipsoid a limit lies, and what was assumed."""
    interval = ellipsoid_interval(AltitudeBand(height, height, ground_m), *where)
    return interval.lower_m, interval.upper_m, interval.assumed


def _plan_out(entity: Volume4D, container: Volume4D) -> tuple[float, LatLon]:
    """Return by how much the grown footprint sticks out of the shrunk one, and where."""
    bound, room = shape_of(entity.footprint), shape_of(container.footprint)
    margin_m = entity.growth_m + bound.reach_m + container.uncertainty_m
    if isinstance(container.footprint, Polygon):
        out_m, where = _out_of_region(bound, room)
    elif isinstance(container.footprint, Circle) or room.radius_m == 0.0:
        out_m, where = _farthest_vertex(bound, room)
        out_m -= room.reach_m
    else:
        out_m, where = _farthest_from_line(bound, room)
        out_m -= room.reach_m
    out_m += margin_m
    return (0.0 if 0.0 < out_m <= TOUCH_M else out_m), where


def _farthest_vertex(bound: Shape, room: Shape) -> tuple[float, LatLon]:
    points = [point for chain in bound.vertices for point in chain]
    return max((distance_m(room.center, point), point) for point in points)


def _out_of_region(bound: Shape, room: Shape) -> tuple[float, LatLon]:
    """Return by how much a skeleton sticks out of a polygon; negative: how far within."""
    border_m, where, _ = nearest(bound, room.border)
    if border_m > TOUCH_M:
        inside = room.holds(bound.first) and not any(
            bound.holds((float(x), float(y), float(z))) for x, y, z in (c[0] for c in room.chains)
        )
        if inside:
            return -border_m, where
    elif bound.radius_m == 0.0:
        return 0.0, where
    if bound.radius_m == 0.0:
        return border_m, where
    return _sticking_out(bound, room, where)


def _sticking_out(bound: Shape, room: Shape, where: LatLon) -> tuple[float, LatLon]:
    """Return how far the part outside reaches away from a polygon, 0 if there is none."""
    plane = bound.plane
    if any((plane.height_cosines(chain) < LEAST_COSINE).any() for chain in room.chains):
        return _sticking_far_out(bound, room, where)
    area = room.flat_in(plane)
    outside = shapely.difference(bound.flat_in(plane), area)
    if shapely.is_empty(outside):
        return 0.0, where
    # Where the edge of the container bounds the part outside on all sides (a hole, a bay), no
    # vertex of it is away from the container, but points along its edges or amid it are.
    fine = shapely.segmentize(outside, max(float(shapely.length(outside)) / 64.0, TOUCH_M))
    spots = [shapely.get_coordinates(fine)]
    spots += [
        shapely.get_coordinates(shapely.maximum_inscribed_circle(part))[:1]
        for part in shapely.get_parts(outside)
        if shapely.get_dimensions(part) == 2 and shapely.area(part) > TOUCH_M * TOUCH_M
    ]
    coordinates = np.concatenate(spots)
    away = shapely.distance(shapely.points(coordinates), area)
    farthest = int(away.argmax())
    out_m = float(away[farthest])
    if out_m <= TOUCH_M:
        return 0.0, where
    x, y = coordinates[farthest].tolist()
    return out_m, plane.lat_lon(x, y)


def _sticking_far_out(bound: Shape, room: Shape, where: LatLon) -> tuple[float, LatLon]:
    """Return the same for a polygon that reaches beyond the horizon of what sticks out."""
    points = [to_lat_lon(_vector(row)) for chain in bound.chains for row in chain]
    away = [
        (nearest(Shape(((point,),), region=False, reach_m=0.0), room.border)[0], point)
        for point in points
        if not room.holds(to_ecef(point))
    ]
    out_m, farthest = max(away, default=(0.0, where))
    if out_m > TOUCH_M:
        return out_m, farthest
    # All of the points are held, and so in front; a piece between two may still go out and back.
    plane = room.plane
    outside = shapely.difference(bound.flat_in(plane), room.flat)
    return (0.0 if shapely.is_empty(outside) else LONGEST_PIECE_M / 2.0), where


def _vector(row: Floats) -> Vector:
    x, y, z = row.tolist()
    return (x, y, z)


def _farthest_from_line(bound: Shape, room: Shape) -> tuple[float, LatLon]:
    """Return the greatest distance of a skeleton's points from a line, and where it is."""
    if bound.radius_m == 0.0:
        distance, where, _ = nearest(bound, room)
        return distance, where
    if bound.is_region:
        plane = bound.plane
        if (plane.height_cosines(np.concatenate(bound.chains)) < LEAST_COSINE).any():
            return math.inf, bound.center
        triangles = shapely.constrained_delaunay_triangles(bound.flat_in(plane))
        corners = [shapely.get_coordinates(t)[:3] for t in shapely.get_parts(triangles)]
        return _farthest(corners, plane, room)
    best = (-math.inf, bound.center)
    for p, q in zip(*bound.pieces, strict=True):
        plane = Plane(on_surface(tuple(((p + q) * 0.5).tolist())))
        best = max(best, _farthest([plane.project_all(np.stack((p, q)))], plane, room))
    return best


def _farthest(pieces: list[Floats], plane: Plane, room: Shape) -> tuple[float, LatLon]:
    """Return the point of segments or triangles that is farthest from a line.

    Each distance from one leg is convex, so on a piece the distance from the nearest leg is at
    most the least, over the legs, of the greatest at the corners. Pieces whose bound exceeds the
    best corner are halved. What the plane stretches makes the answer larger, never smaller.
    """
    p, q = room.pieces
    ahead = (plane.height_cosines(p) > LEAST_COSINE) & (plane.height_cosines(q) > LEAST_COSINE)
    if not ahead.any():
        return math.inf, plane.contact
    start = plane.project_all(p[ahead])
    along = plane.project_all(q[ahead]) - start
    square = np.maximum((along * along).sum(axis=1), 1e-12)

    def distances(corners: Floats) -> Floats:
        offset = corners[:, None, :] - start[None, :, :]
        u = np.clip((offset * along).sum(axis=2) / square, 0.0, 1.0)
        away: Floats = np.sqrt(((offset - along * u[:, :, None]) ** 2).sum(axis=2))
        return away

    best_m, best_at = -math.inf, pieces[0][0]
    queue: list[tuple[float, Floats, Floats]] = []

    def add(corners: Floats) -> None:
        nonlocal best_m, best_at
        away = distances(corners)
        least = away.min(axis=1)
        top = int(least.argmax())
        if least[top] > best_m:
            best_m, best_at = float(least[top]), corners[top]
        queue.append((float(away.max(axis=0).min()), corners, away))

    for piece in pieces:
        add(piece)
    for _ in range(MOST_HALVINGS):
        queue = [item for item in queue if item[0] > best_m + FARTHEST_M]
        if not queue:
            break
        queue.sort(key=lambda item: item[0])
        _, corners, _ = queue.pop()
        for half in _halves(corners):
            add(half)
    bound_m = max([best_m, *(item[0] for item in queue)])
    x, y = best_at.tolist()
    return bound_m, plane.lat_lon(x, y)


def _halves(corners: Floats) -> tuple[Floats, Floats]:
    """Cut a segment or a triangle across the middle of its longest side."""
    if len(corners) == 2:
        middle = corners.mean(axis=0)
        return np.stack((corners[0], middle)), np.stack((middle, corners[1]))
    sides = corners - np.roll(corners, -1, axis=0)
    i = int((sides * sides).sum(axis=1).argmax())
    a, b, c = corners[i], corners[(i + 1) % 3], corners[(i + 2) % 3]
    middle = (a + b) * 0.5
    return np.stack((a, middle, c)), np.stack((middle, b, c))

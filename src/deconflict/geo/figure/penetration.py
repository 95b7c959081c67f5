"""How far one footprint has reached into another: the shortest move that ends the overlap.

The moves of `a` after which skeletons still have a point in common are the differences of a point
of `b` and a point of `a` (their Minkowski difference); the shortest move that ends the overlap
leads from no move at all to the edge of that set, grown by both growths. For convex skeletons
that is exact up to the plane's stretch, 1 part in 10,000 for a move of 100 km. Others are cut
into convex pieces, whose sets are put together; the growth is then drawn, to 0.13 %. With more
than `MOST_PAIRS` pairs of pieces the convex hulls stand in: the answer is then an upper bound, a
move that still suffices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from deconflict.geo.figure.plane import Floats, Plane, geod, to_ecef
from deconflict.geo.figure.shape import Shape
from deconflict.geo.position import LatLon

MOST_PAIRS: Final = 64
"""More pairs of convex pieces than this are replaced by the hulls."""
QUARTER_SEGMENTS: Final = 16
"""Segments a quarter circle where the growth of skeletons that are not convex is drawn."""
CLOSE_M: Final = 1e-6
"""Rounding: a way out that ends this little inside another set has left it."""
NEAR_M: Final = 1_000_000.0
"""What is this near a contact is surely within `LEAST_COSINE`."""
LEAST_COSINE: Final = 0.2
"""Shapes that reach farther round the Earth than this are bounded by their discs."""


@dataclass(frozen=True, slots=True)
class Push:
    """The shortest move of a footprint that ends an overlap.

    Attributes
    ----------
    metres
        Its length.
    bearing_deg
        Its direction where the middle of the footprint is, degrees clockwise from north.
    """

    metres: float
    bearing_deg: float


def penetration(a: Shape, b: Shape, on_a: LatLon, on_b: LatLon, growth_m: float) -> Push:
    """Return the shortest move of `a` that parts it from `b`.

    Parameters
    ----------
    a, b
        The shapes.
    on_a, on_b
        The nearest points of the skeletons; twice the same where they overlap.
    growth_m
        By how much both are grown, together.
    """
    if _is_straight(a) and _is_straight(b) and (on_a != on_b or a.radius_m == b.radius_m == 0.0):
        toward, _, apart_m = geod().inv(on_a[1], on_a[0], on_b[1], on_b[0])
        return Push(growth_m - apart_m, (toward + 180.0) % 360.0 if apart_m > 0.0 else 0.0)
    plane = (a if a.radius_m <= b.radius_m else b).plane
    if not _in_front(a, plane) or not _in_front(b, plane):
        toward, _, apart_m = geod().inv(a.center[1], a.center[0], b.center[1], b.center[0])
        return Push(growth_m + a.radius_m + b.radius_m - apart_m, (toward + 180.0) % 360.0)
    x, y, metres = _exit(a, b, plane, growth_m)
    return Push(metres, _bearing(a, plane, x, y))


def _exit(a: Shape, b: Shape, plane: Plane, growth_m: float) -> tuple[float, float, float]:
    """Return direction (of any length) and length of the shortest move in the plane."""
    pieces_a = _pieces_in(a, plane)
    pieces_b = _pieces_in(b, plane)
    if len(pieces_a) * len(pieces_b) > MOST_PAIRS:
        pieces_a, pieces_b = [_hull(pieces_a)], [_hull(pieces_b)]
    sums = _differences(pieces_a, pieces_b)
    still = shapely.points((0.0, 0.0))
    if len(sums) == 1:
        return _way_out(sums, still, growth_m)
    away = shapely.distance(sums, still).tolist()
    least = max(growth_m, min(away))  # rounding may put the nearest just beyond
    chosen = [i for i, distance in enumerate(away) if distance <= least]
    # The way out of some of the sets is the way out of all, unless it ends in one of the others.
    while True:
        x, y, metres = _way_out(sums[chosen], still, growth_m)
        length = math.hypot(x, y)
        if length == 0.0 or len(chosen) == len(sums):
            return x, y, metres
        end = shapely.points((x / length * metres, y / length * metres))
        if growth_m > CLOSE_M:
            within = shapely.distance(sums, end) < growth_m - CLOSE_M
        else:
            within = shapely.contains_properly(sums, end)
        more = [i for i, inside in enumerate(within.tolist()) if inside and i not in chosen]
        if not more:
            return x, y, metres
        chosen += more


def _differences(pieces_a: list[Floats], pieces_b: list[Floats]) -> npt.NDArray[np.object_]:
    """Return the Minkowski difference of each pair of convex pieces."""
    clouds = [(q[:, None, :] - p[None, :, :]).reshape(-1, 2) for p in pieces_a for q in pieces_b]
    owners = np.repeat(np.arange(len(clouds)), [len(cloud) for cloud in clouds])
    paths = shapely.linestrings(np.concatenate(clouds), indices=owners)
    hulls: npt.NDArray[np.object_] = shapely.convex_hull(paths)
    return hulls


def _way_out(
    sums: npt.NDArray[np.object_], still: shapely.Geometry, growth_m: float
) -> tuple[float, float, float]:
    """Return direction and length of the shortest way out of the sets, grown."""
    area = sums[0]
    if len(sums) > 1:
        area = shapely.union_all(sums)
        if growth_m > 0.0:
            wide = growth_m / math.cos(math.pi / (4 * QUARTER_SEGMENTS))
            area = shapely.buffer(area, wide, quad_segs=QUARTER_SEGMENTS)
            growth_m = 0.0
    if shapely.get_dimensions(area) < 2 or not shapely.intersects(area, still):
        x, y, away_m = _reached(area)
        if away_m == 0.0:  # legs on one line: leave squarely
            x, y = _across(area)
        return -x, -y, growth_m - away_m
    x, y, away_m = _reached(shapely.boundary(area))
    if away_m == 0.0:  # no move at all already touches: leave away from the middle
        x, y = _outward(area)
    return x, y, growth_m + away_m


def _reached(target: shapely.Geometry) -> tuple[float, float, float]:
    line = shapely.shortest_line(shapely.points((0.0, 0.0)), target)
    x, y = shapely.get_coordinates(line)[1].tolist()
    return x, y, math.hypot(x, y)


def _across(line: shapely.Geometry) -> tuple[float, float]:
    """Return a direction square to a straight line (any direction for a point)."""
    corners = shapely.get_coordinates(line)
    dx, dy = (corners[-1] - corners[0]).tolist()
    return (-dy, dx)


def _outward(area: shapely.Geometry) -> tuple[float, float]:
    """Return a direction that leads out of an area from a point on its border."""
    middle = shapely.get_coordinates(shapely.centroid(area))[0].tolist()
    return (-middle[0], -middle[1])


def _bearing(a: Shape, plane: Plane, x: float, y: float) -> float:
    """Return the direction x, y of the plane as a bearing at the middle of `a`."""
    length = math.hypot(x, y)
    if length == 0.0:
        return 0.0
    u, v = plane.project(a.center_ecef)
    here, there = a.center, plane.lat_lon(u + x / length * 1000.0, v + y / length * 1000.0)
    return float(geod().inv(here[1], here[0], there[1], there[0])[0]) % 360.0


def _is_straight(shape: Shape) -> bool:
    """Return whether a skeleton is a point or a single leg."""
    return not shape.is_region and len(shape.vertices[0]) <= 2


def _pieces_in(shape: Shape, plane: Plane) -> list[Floats]:
    """Return the corners of the skeleton's convex pieces in the plane."""
    pieces = shape.convex
    if len(pieces) == 1:
        return [plane.project_all(pieces[0])]
    flat = plane.project_all(np.concatenate(pieces))
    result: list[Floats] = []
    start = 0
    for piece in pieces:
        result.append(flat[start : start + len(piece)])
        start += len(piece)
    return result


def _in_front(shape: Shape, plane: Plane) -> bool:
    """Return whether a shape can be shown in a plane without being stretched beyond use."""
    if math.dist(to_ecef(plane.contact), shape.center_ecef) + shape.radius_m < NEAR_M:
        return True
    return all((plane.height_cosines(c) >= LEAST_COSINE).all() for c in shape.chains)


def _hull(pieces: list[Floats]) -> Floats:
    corners: Floats = shapely.get_coordinates(
        shapely.convex_hull(shapely.multipoints(np.concatenate(pieces)))
    )
    return corners

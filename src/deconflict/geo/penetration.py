"""How far one footprint has reached into another: the shortest move that ends the overlap.

The moves of `a` after which skeletons still have a point in common are the sums of a point of `b`
and the negative of a point of `a` (their Minkowski difference); the depth is the distance from
no move at all to the edge of that set, grown by both growths. For convex skeletons that is exact
up to the plane's stretch, 1 part in 10,000 for a move of 100 km. Others are cut into convex
pieces, whose sets are put together; the growth is then drawn round the outside, at most 0.13 %
too wide. With more than `PIECES` pairs of pieces the convex hulls stand in: the answer is then
an upper bound, a move that certainly suffices.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import shapely

from deconflict.geo.plane import Floats, Plane
from deconflict.geo.shape import Shape

PIECES: Final = 64
"""More pairs of convex pieces than this are replaced by the hulls."""
QUARTER_SEGMENTS: Final = 16
"""Segments a quarter circle where the growth of skeletons that are not convex is drawn."""
LEAST_COSINE: Final = 0.2
"""Shapes that reach farther round the Earth than this are bounded by their discs."""


def penetration(a: Shape, b: Shape, apart_m: float, growth_m: float) -> float:
    """Return the length of the shortest move of `a` that parts it from `b`, metres.

    Parameters
    ----------
    a, b
        The shapes.
    apart_m
        Distance of the skeletons, 0 where they have a point in common.
    growth_m
        By how much both are grown, together.
    """
    if apart_m > 0.0 and _is_convex_kind(a) and _is_convex_kind(b):
        return growth_m - apart_m
    inner, outer = (a, b) if a.radius_m <= b.radius_m else (b, a)
    plane = inner.plane
    if any((plane.height_cosines(chain) < LEAST_COSINE).any() for chain in outer.chains):
        return growth_m + inner.radius_m + outer.radius_m
    pieces_a = _convex_pieces(a, plane)
    pieces_b = _convex_pieces(b, plane)
    if len(pieces_a) * len(pieces_b) > PIECES:
        pieces_a, pieces_b = [_hull(pieces_a)], [_hull(pieces_b)]
    sums = shapely.convex_hull(
        np.array(
            [
                shapely.multipoints((q[:, None, :] - p[None, :, :]).reshape(-1, 2))
                for p in pieces_a
                for q in pieces_b
            ]
        )
    )
    still = shapely.Point(0.0, 0.0)
    if len(sums) == 1:
        inside_m = _inside(sums[0], still)
        return (
            growth_m + inside_m if inside_m > 0.0 else growth_m - shapely.distance(sums[0], still)
        )
    union = shapely.union_all(sums)
    if growth_m > 0.0:
        wide = growth_m / math.cos(math.pi / (4 * QUARTER_SEGMENTS))
        union = shapely.buffer(union, wide, quad_segs=QUARTER_SEGMENTS)
    return _inside(union, still)


def _is_convex_kind(shape: Shape) -> bool:
    """Return whether a skeleton is a point or a straight leg."""
    return not shape.is_region and len(shape.vertices[0]) <= 2


def _inside(area: shapely.Geometry, still: shapely.Point) -> float:
    if shapely.get_dimensions(area) < 2 or not shapely.intersects(area, still):
        return 0.0
    return float(shapely.distance(shapely.boundary(area), still))


def _hull(pieces: list[Floats]) -> Floats:
    return _corners(shapely.convex_hull(shapely.multipoints(np.concatenate(pieces))))


def _corners(piece: shapely.Geometry) -> Floats:
    corners: Floats = shapely.get_coordinates(piece)
    return corners


def _convex_pieces(shape: Shape, plane: Plane) -> list[Floats]:
    """Return the corners of convex pieces that make up the skeleton."""
    if not shape.is_region:
        flat = plane.project_all(shape.chains[0])
        return [flat[i : i + 2] for i in range(max(len(flat) - 1, 1))]
    area = shape.flat_in(plane)
    hull = shapely.convex_hull(area)
    if shapely.area(hull) - shapely.area(area) <= 1e-9 * shapely.area(hull):
        return [_corners(hull)]
    if shapely.get_num_coordinates(area) > PIECES:
        return [_corners(hull)]
    return [_corners(t) for t in shapely.get_parts(shapely.constrained_delaunay_triangles(area))]

"""Cutting a polygon in the plane into convex pieces, fewer than four times as many as needed."""

from __future__ import annotations

from typing import Final

import shapely

Corner = tuple[float, float]

MOST_CORNERS: Final = 64
"""Polygons with more corners than this are not cut: their hull stands for them."""


def convex_pieces(area: shapely.Geometry) -> list[list[Corner]] | None:
    """Return the corners of convex pieces that make up a polygon, anticlockwise.

    ``None`` if it has more than `MOST_CORNERS`. The triangles of a constrained Delaunay
    triangulation are joined across every diagonal that no reflex corner needs (Hertel and
    Mehlhorn, Fast triangulation of simple polygons, 1983).
    """
    hull = shapely.convex_hull(area)
    whole_m2 = float(shapely.area(hull))
    if whole_m2 - float(shapely.area(area)) <= 1e-9 * whole_m2:
        return [_corners(hull)]
    if shapely.get_num_coordinates(area) > MOST_CORNERS:
        return None
    triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(area))
    pieces: list[list[Corner]] = []
    for triangle in triangles:
        corners = _corners(triangle)
        pieces.append(corners if _turn(*corners) > 0.0 else corners[::-1])
    return _joined(pieces)


def hull_corners(area: shapely.Geometry) -> list[Corner]:
    """Return the corners of the convex hull, anticlockwise."""
    return _corners(shapely.convex_hull(area))


def _corners(area: shapely.Geometry) -> list[Corner]:
    return [(x, y) for x, y in shapely.get_coordinates(area)[:-1].tolist()]


def _joined(pieces: list[list[Corner]]) -> list[list[Corner]]:
    owner = {
        (corners[i - 1], corners[i]): number
        for number, corners in enumerate(pieces)
        for i in range(len(corners))
    }
    for start, end in list(owner):
        first, second = owner.get((start, end)), owner.get((end, start))
        if first is None or second is None or first == second:
            continue
        a, b = pieces[first], pieces[second]
        i, j = a.index(start), b.index(end)
        # `a` runs start, end and `b` runs end, start: cut both open there and join them.
        path_a = a[i + 1 :] + a[: i + 1]
        path_b = b[j + 1 :] + b[: j + 1]
        if _turn(path_a[-2], start, path_b[1]) < 0.0 or _turn(path_b[-2], end, path_a[1]) < 0.0:
            continue
        joined = path_a + path_b[1:-1]
        pieces[first] = joined
        pieces[second] = []
        for k in range(len(joined)):
            owner[joined[k - 1], joined[k]] = first
        del owner[start, end], owner[end, start]
    return [piece for piece in pieces if piece]


def _turn(a: Corner, b: Corner, c: Corner) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

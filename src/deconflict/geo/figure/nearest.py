"""The nearest points of two chains of geodesic pieces, at any distance and of any size.

The search narrows down in three steps. Spheres round the pieces rule out nearly all pairs; the
straight chords of what is left, each no farther from its geodesic than its sagitta, rule out
nearly all of the rest; the few survivors are measured exactly, nearest first, until none can be
nearer than the best. Exactly means: in the plane that touches amid the two pieces, and along the
geodesic between the nearest points. Pieces are so short (10 km) that the foot of a perpendicular
100 km long is found to 0.6 m there, which changes the distance by 2 micrometres; beyond `FAR_M`
the foot is found along the geodesics themselves.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from deconflict.geo.figure.geodesic import foot
from deconflict.geo.figure.plane import (
    LEAST_RADIUS_M,
    Floats,
    Plane,
    Vector,
    chord_of_arc,
    distance_m,
    least_arc,
    most_arc,
    on_surface,
    to_lat_lon,
)
from deconflict.geo.figure.shape import Shape
from deconflict.geo.position import LatLon

Indices = npt.NDArray[np.intp]

FAR_M: Final = 100_000.0
"""Beyond this distance feet of perpendiculars are found along geodesics instead of in a plane."""
PAIRS_AT_ONCE: Final = 250_000
"""Larger products of pieces are first compared in blocks."""
BLOCK: Final = 24
"""Pieces a block."""
GOOD_ENOUGH_M: Final = 0.0005
"""Survivors that can't be nearer by more than this are left unmeasured."""


def nearest(a: Shape, b: Shape) -> tuple[float, LatLon, LatLon]:
    """Return the distance of two shapes' chains in metres (0 where they cross), and the points.

    The inside of a region doesn't count here.
    """
    pa, qa = a.pieces
    pb, qb = b.pieces
    rows, columns = _candidates(pa, qa, pb, qb)
    p0, p1, q0, q1 = pa[rows], qa[rows], pb[columns], qb[columns]
    lengths = _chord_distance(p0, p1, q0, q1)
    slack = _sagitta(p0, p1) + _sagitta(q0, q1)
    least = np.maximum(lengths - slack, 0.0)
    limit = chord_of_arc(most_arc(float((lengths + slack).min())))
    best: tuple[float, LatLon, LatLon] | None = None
    for i in np.argsort(least, kind="stable"):
        if least[i] > limit:
            break
        if best is not None and least_arc(float(least[i])) > best[0] - GOOD_ENOUGH_M:
            break
        found = _measured(
            _vector(p0[i]), _vector(p1[i]), _vector(q0[i]), _vector(q1[i]), float(lengths[i])
        )
        if best is None or found[0] < best[0]:
            best = found
    if best is None:  # pragma: no cover  (the nearest candidate is never beyond the limit)
        raise RuntimeError("the search for the nearest points lost all its candidates")
    return best


def _vector(row: Floats) -> Vector:
    x, y, z = row.tolist()
    return (x, y, z)


def _sagitta(p: Floats, q: Floats) -> Floats:
    """Return how far the geodesic may bulge from its chord."""
    chords = ((p - q) ** 2).sum(axis=1)
    bulge: Floats = chords / (8.0 * LEAST_RADIUS_M) * 1.01
    return bulge


def _balls(p: Floats, q: Floats) -> tuple[Floats, Floats]:
    middles = (p + q) * 0.5
    return middles, np.sqrt(((p - q) ** 2).sum(axis=1)) * 0.5 + _sagitta(p, q)


def _candidates(pa: Floats, qa: Floats, pb: Floats, qb: Floats) -> tuple[Indices, Indices]:
    """Return index arrays of the pairs of pieces among which the nearest must be."""
    ma, ra = _balls(pa, qa)
    mb, rb = _balls(pb, qb)
    if len(ma) * len(mb) <= PAIRS_AT_ONCE:
        return _near_balls(ma, ra, mb, rb)
    block_a, block_b = _blocks(ma, ra), _blocks(mb, rb)
    rows_a, rows_b = _near_balls(*block_a, *block_b)
    gaps = np.sqrt(((block_a[0][rows_a] - block_b[0][rows_b]) ** 2).sum(axis=1))
    gaps -= block_a[1][rows_a] + block_b[1][rows_b]
    rows: list[Indices] = []
    columns: list[Indices] = []
    limit = math.inf
    for k in np.argsort(gaps, kind="stable").tolist():
        if gaps[k] > limit:
            break
        i, j = int(rows_a[k]), int(rows_b[k])
        part_a = slice(i * BLOCK, (i + 1) * BLOCK)
        part_b = slice(j * BLOCK, (j + 1) * BLOCK)
        apart = _apart(ma[part_a], mb[part_b])
        radii = ra[part_a, None] + rb[None, part_b]
        limit = min(limit, chord_of_arc(most_arc(float((apart + radii).min()))))
        near_a, near_b = np.nonzero(apart - radii <= limit)
        rows.append(near_a + i * BLOCK)
        columns.append(near_b + j * BLOCK)
    row, column = np.concatenate(rows), np.concatenate(columns)
    apart = np.sqrt(((ma[row] - mb[column]) ** 2).sum(axis=1))
    keep = apart - ra[row] - rb[column] <= limit
    return row[keep], column[keep]


def _blocks(middles: Floats, radii: Floats) -> tuple[Floats, Floats]:
    starts = np.arange(0, len(middles), BLOCK)
    counts = np.diff(np.append(starts, len(middles)))
    centers = np.add.reduceat(middles, starts, axis=0) / counts[:, None]
    away = np.sqrt(((middles - np.repeat(centers, counts, axis=0)) ** 2).sum(axis=1)) + radii
    return centers, np.maximum.reduceat(away, starts)


def _apart(ma: Floats, mb: Floats) -> Floats:
    dx = ma[:, None, 0] - mb[None, :, 0]
    dy = ma[:, None, 1] - mb[None, :, 1]
    dz = ma[:, None, 2] - mb[None, :, 2]
    distances: Floats = np.sqrt(dx * dx + dy * dy + dz * dz)
    return distances


def _near_balls(ma: Floats, ra: Floats, mb: Floats, rb: Floats) -> tuple[Indices, Indices]:
    apart = _apart(ma, mb)
    radii = ra[:, None] + rb[None, :]
    limit = chord_of_arc(most_arc(float((apart + radii).min())))
    rows, columns = np.nonzero(apart - radii <= limit)
    return rows, columns


def _chord_distance(p0: Floats, p1: Floats, q0: Floats, q1: Floats) -> Floats:
    """Return the distances of straight segments in space.

    After Ericson, Real-Time Collision Detection (2005), 5.1.9, without its branches.
    """
    d1, d2, r = p1 - p0, q1 - q0, p0 - q0
    a = (d1 * d1).sum(axis=1)
    e = (d2 * d2).sum(axis=1)
    b = (d1 * d2).sum(axis=1)
    c = (d1 * r).sum(axis=1)
    f = (d2 * r).sum(axis=1)
    tiny = 1e-12
    cross = a * e - b * b
    s = np.clip((b * f - c * e) / np.where(cross > tiny, cross, np.inf), 0.0, 1.0)
    t = np.clip((b * s + f) / np.maximum(e, tiny), 0.0, 1.0)
    s = np.clip((b * t - c) / np.maximum(a, tiny), 0.0, 1.0)
    best = ((r + d1 * s[:, None] - d2 * t[:, None]) ** 2).sum(axis=1)
    # Nearly parallel chords make `cross` useless: the four ends are then always right.
    for side, along, square in ((-r, d1, a), (q1 - p0, d1, a), (r, d2, e), (p1 - q0, d2, e)):
        u = np.clip((side * along).sum(axis=1) / np.maximum(square, tiny), 0.0, 1.0)
        best = np.minimum(best, ((side - along * u[:, None]) ** 2).sum(axis=1))
    distances: Floats = np.sqrt(best)
    return distances


def _measured(
    p0: Vector, p1: Vector, q0: Vector, q1: Vector, chord_m: float
) -> tuple[float, LatLon, LatLon]:
    """Return the distance of two geodesic pieces and their nearest points."""
    if chord_m > FAR_M:
        return _far(to_lat_lon(p0), to_lat_lon(p1), to_lat_lon(q0), to_lat_lon(q1))
    middle: Vector = (
        p0[0] + p1[0] + q0[0] + q1[0],
        p0[1] + p1[1] + q0[1] + q1[1],
        p0[2] + p1[2] + q0[2] + q1[2],
    )
    plane = Plane(on_surface(middle))
    x, y, u, v = nearest_in_plane(
        plane.project(p0), plane.project(p1), plane.project(q0), plane.project(q1)
    )
    a = plane.lat_lon(x, y)
    if (x, y) == (u, v):
        return (0.0, a, a)
    b = plane.lat_lon(u, v)
    return (distance_m(a, b), a, b)


def _far(p0: LatLon, p1: LatLon, q0: LatLon, q1: LatLon) -> tuple[float, LatLon, LatLon]:
    """Return the same for pieces so far apart that one end of the line is a vertex."""
    best = (math.inf, p0, q0)
    for end in (p0, p1):
        other = foot(q0, q1, end)
        best = min(best, (distance_m(end, other), end, other))
    for end in (q0, q1):
        other = foot(p0, p1, end)
        best = min(best, (distance_m(other, end), other, end))
    return best


def nearest_in_plane(
    p0: tuple[float, float],
    p1: tuple[float, float],
    q0: tuple[float, float],
    q1: tuple[float, float],
) -> tuple[float, float, float, float]:
    """Return the nearest points of two straight segments: x, y on the first, x, y on the second.

    Where they cross both are the crossing.
    """
    ax, ay = p1[0] - p0[0], p1[1] - p0[1]
    bx, by = q1[0] - q0[0], q1[1] - q0[1]
    cross = ax * by - ay * bx
    if cross != 0.0:
        rx, ry = q0[0] - p0[0], q0[1] - p0[1]
        s = (rx * by - ry * bx) / cross
        t = (rx * ay - ry * ax) / cross
        if 0.0 <= s <= 1.0 and 0.0 <= t <= 1.0:
            x, y = p0[0] + s * ax, p0[1] + s * ay
            return (x, y, x, y)
    best = math.inf
    result = (*p0, *q0)
    for point in (q0, q1):
        x, y = foot_in_plane(p0, ax, ay, point)
        d = (x - point[0]) ** 2 + (y - point[1]) ** 2
        if d < best:
            best, result = d, (x, y, *point)
    for point in (p0, p1):
        x, y = foot_in_plane(q0, bx, by, point)
        d = (x - point[0]) ** 2 + (y - point[1]) ** 2
        if d < best:
            best, result = d, (*point, x, y)
    return result


def foot_in_plane(
    start: tuple[float, float], dx: float, dy: float, point: tuple[float, float]
) -> tuple[float, float]:
    """Return the point of the segment ``start + u * (dx, dy)``, u in [0, 1], nearest to `point`."""
    square = dx * dx + dy * dy
    if square == 0.0:
        return start
    u = ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / square
    if u <= 0.0:
        return start
    if u >= 1.0:
        return (start[0] + dx, start[1] + dy)
    return (start[0] + u * dx, start[1] + u * dy)

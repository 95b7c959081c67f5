# ruff: noqa: FBT001, PLR0917
# (numba calls with positional arguments, at no cost)
r"""Whether two rows of a table meet: a compiled decision, certain or else left open.

Plan geometry is done in the plane of a central projection. Its centre C lies below the smaller
of the two volumes, at the depth of the local radius of curvature R (Gauss's, the geometric mean
of both). A shortest path then becomes a nearly straight line:

- *bend*: the path's own plane holds the surface's normal, which passes C by at most
  (1 - M/R) r, where r is the distance from the projection's middle and \|1 - M/R\| at most
  0.0034 on WGS 84. So the path's image has a curvature below 0.0034 r/R², and over an edge of
  length L leaves the straight line by at most 0.0034 r L²/(8 R²).
- *stretch*: lengths grow by at most 1/cos²(r/R), that is by (r/R)² and a little.

`BEND` and `STRETCH` hold these with half as much again. An answer within the bound, and the
centimetre that `deconflict.geo.separation` promises, is `UNDECIDED`, and the caller asks there.
So is everything out of the bounds' reach. `NO` is certain, and so is `YES`.

Import this module late: it needs numba.
"""

from __future__ import annotations

import math

import numpy as np

from deconflict.geo.packed.compiled import compiled
from deconflict.geo.packed.table import (
    BEGIN,
    END,
    GROWTH,
    KIND,
    LONGEST_EDGE_M,
    LOWER,
    LOWER_REF,
    LOWER_W84,
    NO_LIMIT,
    POINT,
    RADIUS,
    REGION,
    RING,
    RING_STOP,
    UPPER,
    UPPER_REF,
    UPPER_W84,
    WGS84_A_M,
    WGS84_E2,
    WHOLE_EARTH_M,
    Floats,
    Integers,
    Rows,
    X,
    Y,
    Z,
)

NO, UNDECIDED, YES = 0, 1, 2
"""The answers of `meet`."""

FLOOR_M = 0.02
"""Twice what `deconflict.geo.separation` promises; nearer to the threshold, it decides."""
GEOID_SLOPE = 0.001
GEOID_STEP_M = 1.0
GEOID_RANGE_M = 400.0
"""Heights above the ellipsoid are taken from each volume by itself here, and in
`deconflict.geo.separation` from a box of latitude and longitude round both. The geoid's slope is
half of this at its steepest, the step covers interpolation, and from its lowest to its highest
point it is less than half the range; each of two limits may be off by that."""
WIDEST_BOX = 0.5
"""Wider than this, in radians of longitude (near the poles), the box may be any."""
ROUNDING_M = 1e-6
BEND = 1.5 * 0.0034 / 8
STRETCH = 1.5
"""See the module's docstring."""
REACH_M = 1_000_000.0
"""Beyond this distance from the middle of the projection the bounds are not claimed."""
PIECE_M = LONGEST_EDGE_M * 1.001
MOST_PAIRS_OF_EDGES = 1_000_000
"""With more pairs of edges than this the tree in `deconflict.geo.separation` is faster."""
SMALLEST_RADIUS_M = 6_335_000.0
GREATEST_RADIUS_M = 6_400_000.0
"""Bounds of the radii of curvature of WGS 84 (6,335,439 m and 6,399,594 m)."""


@compiled
def meet(
    a: Rows,
    i: int,
    b: Rows,
    j: int,
    plan_m: float,
    height_m: float,
    time_us: int,
    scratch: Floats,
) -> int:
    """Return whether row `i` of `a` and row `j` of `b` come within the margins of each other.

    Parameters
    ----------
    a, i, b, j
        The rows.
    plan_m, height_m, time_us
        Margins, not negative: metres in plan, metres in height, microseconds. Rows exactly
        this far apart meet.
    scratch
        (n, 2), n at least the vertices of either row; overwritten.

    Returns
    -------
    int
        `NO`, `YES` or `UNDECIDED`.
    """
    if (
        b.whole[j, BEGIN] > a.whole[i, END] + time_us
        or a.whole[i, BEGIN] > b.whole[j, END] + time_us
    ):
        return NO
    heights = min(above(a, i, b, j, height_m), above(b, j, a, i, height_m))
    if heights == NO:
        return NO
    threshold = a.real[i, GROWTH] + b.real[j, GROWTH] + plan_m
    dx = a.real[i, X] - b.real[j, X]
    dy = a.real[i, Y] - b.real[j, Y]
    dz = a.real[i, Z] - b.real[j, Z]
    square = dx * dx + dy * dy + dz * dz
    reach = a.real[i, RADIUS] + b.real[j, RADIUS] + threshold
    if square > reach * reach:
        return NO
    if a.whole[i, KIND] == POINT and b.whole[j, KIND] == POINT:
        plan = points_meet(math.sqrt(square), threshold)
    else:
        if a.real[i, RADIUS] > b.real[j, RADIUS]:
            a, i, b, j = b, j, a, i
        plan = cores_meet(a, i, b, j, threshold, scratch)
    return min(plan, heights)


@compiled
def above(a: Rows, i: int, b: Rows, j: int, height_m: float) -> int:
    """Return `NO` if the lower limit of row `i` lies too far above the upper one of row `j`.

    In their own reference where that is the same, else above the ellipsoid.
    """
    lower, upper = a.whole[i, LOWER_REF], b.whole[j, UPPER_REF]
    if lower == NO_LIMIT or upper == NO_LIMIT:  # noqa: PLR1714  (a set costs time here)
        return YES
    slack = ROUNDING_M
    if lower == upper:
        gap = a.real[i, LOWER] - b.real[j, UPPER]
    else:
        gap = a.real[i, LOWER_W84] - b.real[j, UPPER_W84]
        apart = 2 * (a.real[i, RADIUS] + b.real[j, RADIUS] + a.real[i, GROWTH] + b.real[j, GROWTH])
        axis = math.sqrt(a.real[i, X] ** 2 + a.real[i, Y] ** 2) - apart
        slack = GEOID_RANGE_M
        if axis * WIDEST_BOX > apart:
            bulge = (apart / axis) ** 2 / 4 * WGS84_A_M  # how far an edge leaves its ends' box
            slack = min(slack, GEOID_STEP_M + GEOID_SLOPE * (apart + bulge))
    if gap <= height_m:
        return YES
    return NO if gap > height_m + slack else UNDECIDED


@compiled
def points_meet(chord: float, threshold: float) -> int:
    """Decide about two points from the straight line between them, metres.

    A shortest path has a curvature between those of the ellipsoid, so its length lies between
    the arcs over the same chord on spheres of the greatest and the smallest radius.
    """
    if chord == 0.0:
        return YES
    if chord * (1 + chord**2 / (24 * GREATEST_RADIUS_M**2)) > threshold + FLOOR_M:
        return NO
    square = chord**2 / (24 * SMALLEST_RADIUS_M**2)
    longest = chord * (1 + square * (1 + 3 * square))  # the next term is 2.7 times its square
    if chord < REACH_M and longest < threshold - FLOOR_M:
        return YES
    return UNDECIDED


@compiled
def cores_meet(a: Rows, i: int, b: Rows, j: int, threshold: float, scratch: Floats) -> int:
    """Decide about two cores, `a` the smaller, within `threshold` metres of each other."""
    # The middle of the projection: the smaller core's middle, brought to the surface.
    x, y, z = a.real[i, X], a.real[i, Y], a.real[i, Z]
    level = math.sqrt((x * x + y * y) / WGS84_A_M**2 + z * z / (WGS84_A_M**2 * (1 - WGS84_E2)))
    if level < 0.5 or a.real[i, RADIUS] + threshold > REACH_M or b.real[j, RADIUS] > WHOLE_EARTH_M:
        return UNDECIDED
    x, y, z = x / level, y / level, z / level
    ux, uy, uz = unit(x, y, z / (1 - WGS84_E2))
    curvature = WGS84_A_M * math.sqrt(1 - WGS84_E2) / (1 - WGS84_E2 * uz * uz)
    cx, cy, cz = x - curvature * ux, y - curvature * uy, z - curvature * uz
    ex, ey, ez = across(ux, uy, uz)
    fx, fy, fz = uy * ez - uz * ey, uz * ex - ux * ez, ux * ey - uy * ex

    first, stop = a.ring[a.whole[i, RING]], a.ring[a.whole[i, RING_STOP]]
    away = 0.0
    low_u = low_v = np.inf
    high_u = high_v = -np.inf
    for k in range(first, stop):
        px, py, pz = a.xyz[k, 0] - cx, a.xyz[k, 1] - cy, a.xyz[k, 2] - cz
        scale = curvature / (px * ux + py * uy + pz * uz)
        u = scale * (px * ex + py * ey + pz * ez)
        v = scale * (px * fx + py * fy + pz * fz)
        scratch[k - first, 0] = u
        scratch[k - first, 1] = v
        away = max(away, u * u + v * v)
        low_u, high_u = min(low_u, u), max(high_u, u)
        low_v, high_v = min(low_v, v), max(high_v, v)

    ring_a, stop_a = a.whole[i, RING], a.whole[i, RING_STOP]
    closed_a = a.whole[i, KIND] == REGION
    first_b, stop_b = b.ring[b.whole[j, RING]], b.ring[b.whole[j, RING_STOP]]
    if (stop - first) * (stop_b - first_b) > MOST_PAIRS_OF_EDGES:
        return UNDECIDED
    reach = math.sqrt(away) + threshold + 1.0
    if reach > REACH_M:
        return UNDECIDED
    off = FLOOR_M + BEND * (reach + PIECE_M) * (PIECE_M / SMALLEST_RADIUS_M) ** 2
    bound = off + STRETCH * threshold * (reach / SMALLEST_RADIUS_M) ** 2
    sure = max(threshold - bound, 0.0) ** 2 if threshold >= bound else -1.0
    beyond = threshold + bound
    low_u, high_u = low_u - beyond, high_u + beyond
    low_v, high_v = low_v - beyond, high_v + beyond
    least = np.inf

    closed_b = b.whole[j, KIND] == REGION
    for ring in range(b.whole[j, RING], b.whole[j, RING_STOP]):
        start, end = b.ring[ring], b.ring[ring + 1]
        # A closed ring's first edge comes from its last vertex; an open line, and a point,
        # begin with an edge of no length.
        before = end - 1 if closed_b else start
        px, py, pz = b.xyz[before, 0] - cx, b.xyz[before, 1] - cy, b.xyz[before, 2] - cz
        depth = px * ux + py * uy + pz * uz
        scale = curvature / depth
        u1 = scale * (px * ex + py * ey + pz * ez)
        v1 = scale * (px * fx + py * fy + pz * fz)
        near = depth > 0.5 * curvature
        for k in range(start, end):
            px, py, pz = b.xyz[k, 0] - cx, b.xyz[k, 1] - cy, b.xyz[k, 2] - cz
            depth = px * ux + py * uy + pz * uz
            scale = curvature / depth
            u2 = scale * (px * ex + py * ey + pz * ez)
            v2 = scale * (px * fx + py * fy + pz * fz)
            near_before, near = near, depth > 0.5 * curvature
            if not (
                (u1 < low_u and u2 < low_u)
                or (u1 > high_u and u2 > high_u)
                or (v1 < low_v and v2 < low_v)
                or (v1 > high_v and v2 > high_v)
            ) and (near and near_before):
                square = edge_to_edges(
                    u1, v1, u2, v2, a.ring, ring_a, stop_a, closed_a, scratch, off, sure, beyond
                )
                if square <= sure or square < 0.0:
                    return YES
                least = min(least, square)
            u1, v1 = u2, v2

    distance = math.sqrt(least)
    if distance > off and (
        (closed_b and inside(b, j, a.xyz[first], cx, cy, cz))
        or (closed_a and inside(a, i, b.xyz[first_b], cx, cy, cz))
    ):
        return YES
    if distance > beyond:
        return NO
    if vertex_shared(a, first, stop, b, first_b, stop_b):
        return YES
    return UNDECIDED


@compiled
def edge_to_edges(
    u1: float,
    v1: float,
    u2: float,
    v2: float,
    rings: Integers,
    ring_start: int,
    ring_stop: int,
    closed: bool,
    plane: Floats,
    off: float,
    enough: float,
    beyond: float,
) -> float:
    """Return the square of the distance from an edge to the nearest edge of a row, metres.

    The row has the rings from number `ring_start` to before `ring_stop`, and `plane` holds its
    vertices. -1: the edges cross, even if each is bent by `off`
    metres. The search ends at the first square that is at most `enough`; edges farther away
    than `beyond` metres needn't count.
    """
    first = rings[ring_start]
    du, dv = u2 - u1, v2 - v1
    length = math.sqrt(du * du + dv * dv)
    west, east = min(u1, u2) - beyond, max(u1, u2) + beyond
    south, north = min(v1, v2) - beyond, max(v1, v2) + beyond
    least = np.inf
    for ring in range(ring_start, ring_stop):
        start, end = rings[ring] - first, rings[ring + 1] - first
        before = end - 1 if closed else start
        for k in range(start, end):
            p1, q1, p2, q2 = plane[before, 0], plane[before, 1], plane[k, 0], plane[k, 1]
            before = k
            if (
                (p1 > east and p2 > east)
                or (p1 < west and p2 < west)
                or (q1 > north and q2 > north)
                or (q1 < south and q2 < south)
            ):
                continue
            dp, dq = p2 - p1, q2 - q1
            # Twice the areas of the triangles that each end makes with the other edge.
            s1 = du * (q1 - v1) - dv * (p1 - u1)
            s2 = du * (q2 - v1) - dv * (p2 - u1)
            t1 = dp * (v1 - q1) - dq * (u1 - p1)
            t2 = dp * (v2 - q1) - dq * (u2 - p1)
            if s1 * s2 < 0.0 and t1 * t2 < 0.0:
                other = math.sqrt(dp * dp + dq * dq)
                if min(abs(s1), abs(s2)) > off * length and min(abs(t1), abs(t2)) > off * other:
                    return -1.0
                least = 0.0
            else:
                square = min(
                    point_to_edge(p1, q1, u1, v1, du, dv),
                    point_to_edge(p2, q2, u1, v1, du, dv),
                    point_to_edge(u1, v1, p1, q1, dp, dq),
                    point_to_edge(u2, v2, p1, q1, dp, dq),
                )
                least = min(least, square)
            if least <= enough:
                return least
    return least


@compiled
def point_to_edge(u: float, v: float, u1: float, v1: float, du: float, dv: float) -> float:
    """Return the square of the distance from a point to an edge given by start and direction."""
    ru, rv = u - u1, v - v1
    square = du * du + dv * dv
    if square > 0.0:
        along = min(max((ru * du + rv * dv) / square, 0.0), 1.0)
        ru -= along * du
        rv -= along * dv
    return ru * ru + rv * rv


@compiled
def inside(a: Rows, i: int, point: Floats, cx: float, cy: float, cz: float) -> bool:
    """Return whether a point lies in the polygon of row `i`, edges as seen from C.

    Looking from C along the point's direction, an edge is crossed by the half plane to the
    right if its ends lie above and below, and its chord meets it to the right. That holds
    beyond the horizon too; the half plane ends at the antipode, which no polygon here holds.
    """
    ux, uy, uz = unit(point[0] - cx, point[1] - cy, point[2] - cz)
    ex, ey, ez = across(ux, uy, uz)
    fx, fy, fz = uy * ez - uz * ey, uz * ex - ux * ez, ux * ey - uy * ex
    odd = False
    for ring in range(a.whole[i, RING], a.whole[i, RING_STOP]):
        start, end = a.ring[ring], a.ring[ring + 1]
        px, py, pz = a.xyz[end - 1, 0] - cx, a.xyz[end - 1, 1] - cy, a.xyz[end - 1, 2] - cz
        u1, v1 = px * ex + py * ey + pz * ez, px * fx + py * fy + pz * fz
        for k in range(start, end):
            px, py, pz = a.xyz[k, 0] - cx, a.xyz[k, 1] - cy, a.xyz[k, 2] - cz
            u2, v2 = px * ex + py * ey + pz * ez, px * fx + py * fy + pz * fz
            if (v1 > 0.0) != (v2 > 0.0) and ((u1 * v2 - u2 * v1 > 0.0) == (v2 > v1)):
                odd = not odd
            u1, v1 = u2, v2
    return odd


@compiled
def vertex_shared(a: Rows, first: int, stop: int, b: Rows, first_b: int, stop_b: int) -> bool:
    """Return whether two rows have one and the same vertex: then they touch, without rounding."""
    for k in range(first, stop):
        for m in range(first_b, stop_b):
            if (
                a.xyz[k, 0] == b.xyz[m, 0]
                and a.xyz[k, 1] == b.xyz[m, 1]
                and a.xyz[k, 2] == b.xyz[m, 2]
            ):
                return True
    return False


@compiled
def unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return the vector with length one."""
    length = math.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@compiled
def across(ux: float, uy: float, uz: float) -> tuple[float, float, float]:
    """Return a unit vector at right angles to a unit vector."""
    if abs(uz) < 0.9:
        return unit(-uy, ux, 0.0)
    return unit(0.0, -uz, uy)

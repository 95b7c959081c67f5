"""Rings of geodesic edges: whether one bounds a region, and if not, at which vertex it fails.

Nearly every ring of real plans is seen whole from its middle: each edge turns the same way round
it, once in all. Two edges of such a ring can't cross, since each keeps to its own sector and
sectors are bounded by geodesics; so a few multiplications a vertex accept it. Only the others are
handed to GEOS in the plane that touches their middle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from deconflict.geo.errors import InputError
from deconflict.geo.position import LatLon, checked_lat_lon

if TYPE_CHECKING:
    import shapely

    from deconflict.geo.figure.plane import Floats, Plane

SECTOR_MARGIN: Final = 1e-4
"""Sine of the least turn that is trusted to be one: far above what a sphere for the ellipsoid,
and rounding, can change in sectors seen from the middle."""
SMALL_DEG: Final = 0.02
SMALL_MARGIN: Final = 1e-2
"""A ring so small, in degrees of latitude, is seen whole in degrees too: up to 80 degrees of
latitude these show no direction wrong by more than 0.003, and so no turn by as much as the sine
that is asked of it."""
LEAST_DEG: Final = 1e-7
"""A ring below a centimetre is judged with care."""
LONGEST_LINE_M: Final = 200_000_000.0
"""The longest outline of real flight regions is some 40,000 km; one that runs to and fro over
continents a thousand times is no area, and would take minutes to compare."""
DEGREE_M: Final = 111_700.0
"""The longest degree of latitude or of the equator, metres."""
FEW_POINTS: Final = 10
"""So few edges can't reach `LONGEST_LINE_M`: none is longer than half a turn."""
HEMISPHERE_COSINE: Final = 0.05
"""A ring fits into a hemisphere if all its vertices are within 87 degrees of one point."""
PAIRED_AT_ONCE: Final = 16
"""Edges whose crossings are looked for at once."""
THINNEST_M: Final = 0.002
"""A region that is thinner than this everywhere has no area."""


def checked_points(points: Sequence[LatLon], field: str) -> tuple[LatLon, ...]:
    """Return the points with longitudes in [-180, 180].

    Raises
    ------
    InputError
        With the number of the vertex (from 1), if one is not a place on Earth.
    """
    for lat, lon in points:
        if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
            break
    else:
        return points if isinstance(points, tuple) else tuple(points)
    return tuple(
        checked_lat_lon(lat, lon, field=f"{field}vertex {i}")
        for i, (lat, lon) in enumerate(points, 1)
    )


def check_extent(points: Sequence[LatLon], field: str = "") -> None:
    """Refuse a line or ring whose edges are absurdly long altogether.

    Raises
    ------
    InputError
        If they add up to more than `LONGEST_LINE_M`.
    """
    total = 0.0
    for (lat_a, lon_a), (lat_b, lon_b) in pairwise(points):
        # A rough length that is never too short: along the meridian, then along the parallel.
        total += abs(lat_b - lat_a) + abs(math.remainder(lon_b - lon_a, 360.0)) * math.cos(
            math.radians(min(abs(lat_a), abs(lat_b)))
        )
    if total * DEGREE_M > LONGEST_LINE_M:
        raise InputError(
            f"the edges of {len(points)} vertices add up to more than "
            f"{LONGEST_LINE_M / 1000.0:,.0f} km, five times round the Earth",
            "give an area whose outline doesn't run to and fro",
            field=field.rstrip(", "),
        )


def same_place(a: LatLon, b: LatLon) -> bool:
    """Return whether two points are one: longitude 180 is -180, and any longitude at a pole."""
    if a == b:
        return True
    if a[0] != b[0]:
        return False
    return abs(a[0]) == 90.0 or abs(a[1] - b[1]) == 360.0


def check_ring(points: Sequence[LatLon], field: str = "") -> None:
    """Refuse a ring that bounds no region.

    Parameters
    ----------
    points
        (latitude, longitude), degrees, within range; not closed.
    field
        What to put before "vertex 3" in a refusal, such as ``"hole 1, "``.

    Raises
    ------
    InputError
        Fewer than three distinct vertices, one repeated by the next, edges that cross or touch,
        no area, or no hemisphere that holds the ring.
    """
    if _small_seen_whole(points):
        return  # as none of what follows could be
    count = len(points)
    if len(set(points)) < 3:
        raise InputError(
            f"{count} vertices with {len(set(points))} distinct places bound no area",
            "give at least three distinct vertices",
            field=field.rstrip(", "),
        )
    previous = points[-1]
    for i, point in enumerate(points):
        if point[0] == previous[0] and same_place(point, previous):
            if i == 0:
                raise InputError(
                    f"vertex {count} repeats vertex 1",
                    "leave out the closing vertex: the last is joined to the first",
                    field=f"{field}vertex {count}",
                )
            raise InputError(
                f"vertex {i + 1} repeats vertex {i}",
                "leave it out",
                field=f"{field}vertex {i + 1}",
            )
        previous = point
    if count >= FEW_POINTS:
        check_extent(points, field)
    if not _seen_whole(points):
        _check_in_plane(points, field)


def _small_seen_whole(points: Sequence[LatLon]) -> bool:
    """Return whether a ring is small and surely seen whole from its middle, in degrees."""
    if len(points) < 3:
        return False
    lats, lons = zip(*points, strict=True)
    low, high, wide = min(lats), max(lats), max(lons) - min(lons)
    tall = high - low
    if not (tall <= SMALL_DEG and low >= -80.0 and high <= 80.0 and wide < 1.0):
        return False
    lat0, lon0 = sum(lats) / len(lats), sum(lons) / len(lons)
    across = math.cos(math.radians(lat0))
    if not (wide * across <= SMALL_DEG and tall + wide > LEAST_DEG):
        return False
    us = [(lon - lon0) * across for lon in lons]
    vs = [lat - lat0 for lat in lats]
    return _turns_once(us, vs, SMALL_MARGIN)


def _seen_whole(points: Sequence[LatLon]) -> bool:
    """Return whether each edge surely turns the same way round the middle, once in all."""
    radians, sin, cos = math.radians, math.sin, math.cos
    xs: list[float] = []
    ys: list[float] = []
    zs: list[float] = []
    for lat_deg, lon_deg in points:
        lat = radians(lat_deg)
        lon = radians(lon_deg)
        across = cos(lat)
        xs.append(across * cos(lon))
        ys.append(across * sin(lon))
        zs.append(sin(lat))
    cx, cy, cz = sum(xs), sum(ys), sum(zs)
    length = math.sqrt(cx * cx + cy * cy + cz * cz)
    if length < 0.995 * len(xs):
        return False  # wider than some 600 km: judged with care
    cx, cy, cz = cx / length, cy / length, cz / length
    # East and north of the middle; any two directions at right angles to it would do.
    if abs(cz) < 0.9:
        level = math.sqrt(cx * cx + cy * cy)
        ex, ey, ez = -cy / level, cx / level, 0.0
    else:
        level = math.sqrt(cy * cy + cz * cz)
        ex, ey, ez = 0.0, -cz / level, cy / level
    nx, ny, nz = cy * ez - cz * ey, cz * ex - cx * ez, cx * ey - cy * ex
    us = [x * ex + y * ey + z * ez for x, y, z in zip(xs, ys, zs, strict=True)]
    vs = [x * nx + y * ny + z * nz for x, y, z in zip(xs, ys, zs, strict=True)]
    return _turns_once(us, vs, SECTOR_MARGIN)


def _turns_once(us: Sequence[float], vs: Sequence[float], margin: float) -> bool:
    """Return whether points surely turn one way round the origin, once in all."""
    u0, v0 = us[-1], vs[-1]
    turn = us[0] * vs[1] - vs[0] * us[1]
    sign = 1.0 if turn > 0.0 else -1.0
    upward = 0
    for u, v in zip(us, vs, strict=True):
        cross = (u0 * v - v0 * u) * sign
        if cross <= 0.0:
            return False
        if cross * cross <= margin * margin * (u0 * u0 + v0 * v0) * (u * u + v * v):
            return False
        if (v0 < 0.0) != (v < 0.0):
            upward += 1
        u0, v0 = u, v
    # Once round crosses the line v = 0 twice; a five-pointed star crosses it four times.
    return upward == 2


def _check_in_plane(points: Sequence[LatLon], field: str) -> None:
    import numpy as np  # few rings come here
    import shapely

    from deconflict.geo.figure.geodesic import densified
    from deconflict.geo.figure.plane import Plane, to_ecef
    from deconflict.geo.figure.shape import LONGEST_PIECE_M, middle_of

    corners = (*points, points[0])
    check_legs(corners, field, closed=True)
    middle = middle_of(np.array([to_ecef(point) for point in points]))
    plane = Plane(middle)
    numbers = [0]
    chain = [points[0]]
    for i in range(len(points)):
        run = densified(corners[i : i + 2], LONGEST_PIECE_M)
        chain.extend(run[1:])
        numbers.extend([i] * (len(run) - 1))
    ecef = np.array([to_ecef(point) for point in chain])
    if float(plane.height_cosines(ecef).min()) < HEMISPHERE_COSINE:
        raise InputError(
            "the polygon does not fit into a hemisphere, so its inside is not certain",
            "cut it into smaller polygons",
            field=field.rstrip(", "),
        )
    flat = plane.project_all(ecef)
    line = shapely.linestrings(flat)
    thin_m2 = THINNEST_M * float(shapely.length(line)) / 2.0
    on_one_line = float(shapely.area(shapely.convex_hull(line))) <= thin_m2
    if not on_one_line:
        _check_simple(flat, numbers[1:], len(points), field)
    if on_one_line or float(shapely.area(shapely.polygons(flat))) <= thin_m2:
        raise InputError(
            "the polygon has no area: its vertices lie on one line",
            "give vertices that surround the area",
            field=field.rstrip(", "),
        )


def _check_simple(points: Floats, edges: list[int], count: int, field: str) -> None:
    import numpy as np
    import shapely

    if shapely.is_simple(shapely.linestrings(points)):
        return
    segments = shapely.linestrings(np.stack((points[:-1], points[1:]), axis=1))
    tree = shapely.STRtree(segments)
    meeting: set[tuple[int, int]] = set()
    crossing: list[tuple[int, int]] = []
    # Some at a time: of 10,000 edges that all cross, all the pairs would take minutes to list.
    for start in range(0, len(segments), PAIRED_AT_ONCE):
        some = tree.query(segments[start : start + PAIRED_AT_ONCE], predicate="intersects").T
        met = {
            (min(edges[i + start], edges[j]), max(edges[i + start], edges[j]))
            for i, j in some.tolist()
            if edges[i + start] != edges[j]
        }
        crossing = sorted((i, j) for i, j in met if j - i != 1 and not (i == 0 and j == count - 1))
        if crossing:
            break
        meeting |= met
    if not crossing:  # neighbours that run back over each other
        crossing = sorted(
            (i, j)
            for i, j in meeting
            if shapely.get_dimensions(
                shapely.intersection(
                    shapely.linestrings(points[_run(edges, i)]),
                    shapely.linestrings(points[_run(edges, j)]),
                )
            )
            > 0
        ) or sorted(meeting)
    i, j = crossing[0]
    raise InputError(
        f"the edge from {_edge(i, count)} crosses or touches the edge from {_edge(j, count)}",
        "give the vertices in order round the area, or two polygons",
        field=f"{field}vertex {i + 1}",
    )


def _run(edges: list[int], edge: int) -> slice:
    first = edges.index(edge)
    return slice(first, first + edges.count(edge) + 1)


def _edge(i: int, count: int) -> str:
    return f"vertex {i + 1} to vertex {(i + 1) % count + 1}"


def check_legs(points: Sequence[LatLon], field: str = "", *, closed: bool = False) -> None:
    """Refuse an edge of nearly half a turn, whose shortest path is not certain.

    Raises
    ------
    InputError
        With both vertices.
    """
    for i, (a, b) in enumerate(pairwise(points)):
        lat_a, lat_b = math.radians(a[0]), math.radians(b[0])
        turn = math.cos(math.radians(a[1] - b[1]))
        cosine = math.sin(lat_a) * math.sin(lat_b) + math.cos(lat_a) * math.cos(lat_b) * turn
        if cosine < -0.9998:  # 1.15 degrees short of the antipode
            last = 1 if closed and i == len(points) - 2 else i + 2
            raise InputError(
                f"the edge from vertex {i + 1} to vertex {last} goes half round the Earth, "
                "so its shortest path is not certain",
                "put a vertex between them",
                field=f"{field}vertex {i + 1}",
            )


def check_holes(shell: Sequence[LatLon], holes: Sequence[Sequence[LatLon]]) -> None:
    """Refuse holes that are not inside the shell, or that overlap.

    Holes may touch the shell or each other in single points.

    Raises
    ------
    InputError
        With the number of the hole (from 1).
    """
    import shapely  # holes are rare

    from deconflict.geo.figure.shape import Shape

    outer = Shape((tuple(shell),), region=True, reach_m=0.0)
    plane: Plane = outer.plane
    area = outer.flat
    shapely.prepare(area)
    cut: list[shapely.Geometry] = []
    for number, ring in enumerate(holes, 1):
        inner = Shape((tuple(ring),), region=True, reach_m=0.0)
        if float(plane.height_cosines(inner.chains[0]).min()) < HEMISPHERE_COSINE or not (
            shapely.covers(area, hole := inner.flat_in(plane))
        ):
            raise InputError(
                f"hole {number} is not inside the polygon",
                "leave it out, or make it a polygon of its own",
                field=f"hole {number}",
            )
        cut.append(hole)
    first, second = shapely.STRtree(cut).query(cut, predicate="intersects")
    for i, j in sorted(zip(first.tolist(), second.tolist(), strict=True)):
        if i < j and shapely.get_dimensions(shapely.intersection(cut[i], cut[j])) > 0:
            raise InputError(
                f"hole {j + 1} overlaps hole {i + 1}",
                "join them into one ring",
                field=f"hole {j + 1}",
            )

"""Footprints as flat maps draw them: right-hand rule, cut at the antimeridian, round circles.

A drawing is for the eye. It errs outward (a circle is drawn as a polygon round it), but its edges
are straight on the map, not geodesics: what is checked is the footprint itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from deconflict.formats.part import Part, Shape
from deconflict.geo.position import LatLon
from deconflict.geo.volume import Circle, Footprint, Polygon

_CORNERS = 72
"""Of a drawn circle: one every 5 degrees, which looks round."""

_DECIMALS = 7
"""Of a drawn vertex that is nobody's own number: 1 cm, as RFC 7946 section 11.2 advises."""

_ROUNDING_M = 0.02
"""By how much a drawn circle is larger than its circumscribed polygon, against that rounding."""

_Flat = tuple[float, float]
"""Longitude, which may run beyond 180 degrees, and latitude, degrees."""


def drawn(footprint: Footprint) -> tuple[Part, ...]:
    """Return the simple geometries that draw a footprint, none of them across the antimeridian.

    Rings follow the right-hand rule of RFC 7946, section 3.1.6, and are not closed.
    """
    if isinstance(footprint, Circle):
        if footprint.radius_m == 0.0:
            return (Part(Shape.POINT, ((footprint.center,),)),)
        return _drawn_rings([_round(footprint)])
    if isinstance(footprint, Polygon):
        return _drawn_rings([footprint.shell, *footprint.holes])
    line = _unwrapped(footprint.points)
    return tuple(Part(Shape.LINE, (piece,)) for piece in _cut_line(line))


def is_plain(footprint: Footprint) -> bool:
    """Tell whether the drawing, with its width, is the footprint itself, in either winding."""
    if isinstance(footprint, Circle):
        return footprint.radius_m == 0.0
    rings = (
        (footprint.shell, *footprint.holes)
        if isinstance(footprint, Polygon)
        else (footprint.points,)
    )
    parts = drawn(footprint)
    if len(parts) != 1 or len(parts[0].rings) != len(rings):
        return False
    # Either winding means the same polygon.
    return all(
        drawing in (ring, (ring[0], *reversed(ring[1:])))
        for drawing, ring in zip(parts[0].rings, rings, strict=True)
    )


def _round(circle: Circle) -> tuple[LatLon, ...]:
    """Return the corners of a polygon that holds a circle."""
    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    lat_deg, lon_deg = circle.center
    reach_m = circle.radius_m / math.cos(math.pi / _CORNERS) + _ROUNDING_M
    corners = []
    for corner in range(_CORNERS):
        azimuth_deg = 360.0 * corner / _CORNERS
        lon, lat, _ = geod.fwd(lon_deg, lat_deg, azimuth_deg, reach_m)
        corners.append((round(lat, _DECIMALS), round(lon, _DECIMALS)))
    return tuple(corners)


def _unwrapped(points: Sequence[LatLon]) -> list[_Flat]:
    """Return points whose longitudes never jump: each is within 180 degrees of the one before."""
    flat: list[_Flat] = []
    for lat_deg, lon_deg in points:
        if not flat:
            flat.append((lon_deg, lat_deg))
            continue
        before_deg = flat[-1][0]
        turns = round((before_deg - lon_deg) / 360.0)
        flat.append((lon_deg + 360.0 * turns, lat_deg))
    return flat


def _drawn_rings(rings: Sequence[Sequence[LatLon]]) -> tuple[Part, ...]:
    flats = [_around_pole(_unwrapped(ring)) for ring in rings]
    wound = [_wound(flat, counterclockwise=index == 0) for index, flat in enumerate(flats)]
    shell = wound[0]
    wound[1:] = [_turned_into(hole, shell) for hole in wound[1:]]
    low = math.floor((min(lon for lon, _ in shell) + 180.0) / 360.0)
    high = math.ceil((max(lon for lon, _ in shell) + 180.0) / 360.0)
    if high - low <= 1:
        return (Part(Shape.POLYGON, tuple(_wrapped(ring, low) for ring in wound)),)
    parts = []
    for window in range(low, high):
        west_deg = 360.0 * window - 180.0
        piece = _clipped(shell, west_deg)
        if len(piece) < 3:
            continue
        cuts = (_clipped(hole, west_deg) for hole in wound[1:])
        holes = (_wrapped(cut, window) for cut in cuts if len(cut) >= 3)
        parts.append(Part(Shape.POLYGON, (_wrapped(piece, window), *holes)))
    return tuple(parts)


def _turned_into(hole: list[_Flat], shell: list[_Flat]) -> list[_Flat]:
    """Return a hole moved by whole turns to where its shell was unwrapped."""
    middles_deg = [
        (min(lon for lon, _ in ring) + max(lon for lon, _ in ring)) / 2.0 for ring in (shell, hole)
    ]
    turn_deg = 360.0 * round((middles_deg[0] - middles_deg[1]) / 360.0)
    return [(lon + turn_deg, lat) for lon, lat in hole]


def _wrapped(flat: Sequence[_Flat], window: int) -> tuple[LatLon, ...]:
    return tuple((lat, lon - 360.0 * window) for lon, lat in flat)


def _around_pole(flat: list[_Flat]) -> list[_Flat]:
    """Return a ring that goes round a pole with the pole's edge of the map added."""
    first_lon, first_lat = flat[0]
    turns = round((flat[-1][0] - first_lon) / 360.0)
    if turns == 0:
        return flat
    # The smaller region holds the nearer pole.
    pole_deg = math.copysign(90.0, sum(lat for _, lat in flat))
    return [
        *flat,
        (first_lon + 360.0 * turns, first_lat),
        (first_lon + 360.0 * turns, pole_deg),
        (first_lon, pole_deg),
    ]


def _wound(flat: list[_Flat], *, counterclockwise: bool) -> list[_Flat]:
    doubled_area = sum(
        a_lon * b_lat - b_lon * a_lat
        for (a_lon, a_lat), (b_lon, b_lat) in zip(flat, [*flat[1:], flat[0]], strict=True)
    )
    if (doubled_area > 0.0) == counterclockwise:
        return flat
    # The first vertex stays the first one.
    return [flat[0], *reversed(flat[1:])]


def _clipped(ring: Sequence[_Flat], west_deg: float) -> list[_Flat]:
    """Return the part of a ring between two meridians 360 degrees apart (Sutherland-Hodgman)."""
    return _half(_half(list(ring), west_deg, keep_east=True), west_deg + 360.0, keep_east=False)


def _half(ring: list[_Flat], lon_deg: float, *, keep_east: bool) -> list[_Flat]:
    kept: list[_Flat] = []
    for index, point in enumerate(ring):
        before = ring[index - 1]
        inside, was_inside = (
            (lon >= lon_deg) if keep_east else (lon <= lon_deg) for lon in (point[0], before[0])
        )
        if inside != was_inside:
            kept.append(_crossing(before, point, lon_deg))
        if inside:
            kept.append(point)
    return [point for index, point in enumerate(kept) if point != kept[index - 1]]


def _crossing(a: _Flat, b: _Flat, lon_deg: float) -> _Flat:
    share = (lon_deg - a[0]) / (b[0] - a[0])
    return (lon_deg, round(a[1] + share * (b[1] - a[1]), _DECIMALS))


def _cut_line(line: list[_Flat]) -> list[tuple[LatLon, ...]]:
    """Return a line in pieces that each stay within one turn of the map."""
    pieces: list[tuple[LatLon, ...]] = []
    window = math.floor((line[0][0] + 180.0) / 360.0)
    if line[0][0] == 360.0 * window - 180.0 and line[1][0] < line[0][0]:
        window -= 1
    piece: list[_Flat] = [line[0]]
    for before, point in pairwise(line):
        west_deg = 360.0 * window - 180.0
        if not west_deg <= point[0] <= west_deg + 360.0:
            eastward = point[0] > before[0]
            cut = _crossing(before, point, west_deg + 360.0 if eastward else west_deg)
            if cut != piece[-1]:
                piece.append(cut)
            if len(piece) > 1:
                pieces.append(_wrapped(piece, window))
            window += 1 if eastward else -1
            piece = [cut]
        piece.append(point)
    pieces.append(_wrapped(piece, window))
    return pieces

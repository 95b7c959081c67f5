"""GeoJSON geometries (RFC 7946, section 3.1) as the simple parts of a footprint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from deconflict.formats.numbers import (
    MAX_DIGITS,
    NumberText,
    cell_half_diagonal_m,
    decimals,
    number,
    shown,
)
from deconflict.formats.part import Part, Shape
from deconflict.formats.reading import Limits
from deconflict.geo.errors import InputError
from deconflict.geo.position import LatLon, checked_lat_lon

SAID_THIRD = "third coordinates ignored: heights are stated by lower_m and upper_m"

_DEPTH = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
"""How many lists surround one position."""

GEOMETRY_TYPES = (*_DEPTH, "GeometryCollection")
"""The types of RFC 7946."""


def parts_of(geometry: object, limits: Limits) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Return the parts of a geometry, and what was assumed of it.

    Parameters
    ----------
    geometry
        A decoded geometry object, or ``None``, which has no parts. Where numbers are `NumberText`
        the parts hold the precision of their decimals.
    limits
        Vertices of all parts together, and depth of collections.

    Raises
    ------
    InputError
        With the place in the geometry as its field.
    """
    if geometry is None:
        return (), ()
    reading = _Reading(limits)
    parts = tuple(reading.parts(geometry, "geometry", limits.nesting))
    if not parts:
        raise InputError("the geometry is empty", "give it coordinates", field="geometry")
    return parts, (SAID_THIRD,) if reading.third else ()


class _Reading:
    """One geometry being read: how many vertices are still allowed, and what was met."""

    def __init__(self, limits: Limits) -> None:
        self.limit = limits.vertices
        self.left = limits.vertices
        self.third = False

    def parts(self, geometry: object, field: str, nesting: int) -> Iterator[Part]:
        if not isinstance(geometry, dict):
            raise InputError(
                f"{shown(geometry)} is no geometry", "write a GeoJSON geometry", field=field
            )
        kind = geometry.get("type")
        if kind == "GeometryCollection":
            members = geometry.get("geometries")
            if not isinstance(members, list):
                raise InputError(
                    "a GeometryCollection without a list of geometries",
                    "write geometries as a list",
                    field=field,
                )
            if nesting == 0:
                raise InputError(
                    "collections are nested too deep", "write them in one list", field=field
                )
            for index, member in enumerate(members, 1):
                yield from self.parts(member, f"{field}, member {index}", nesting - 1)
            return
        if not isinstance(kind, str) or kind not in _DEPTH:
            raise InputError(
                f"geometry type {shown(kind)} is not known",
                f"write one of: {', '.join(GEOMETRY_TYPES)}",
                field=field,
            )
        coordinates = geometry.get("coordinates")
        if kind == "Point":
            yield self.point(coordinates, field)
        elif kind == "LineString":
            yield self.line(coordinates, field)
        elif kind == "Polygon":
            yield self.polygon(coordinates, field)
        else:
            read = {
                "MultiPoint": self.point,
                "MultiLineString": self.line,
                "MultiPolygon": self.polygon,
            }[kind]
            for index, member in enumerate(self.listed(coordinates, field), 1):
                yield read(member, f"{field}, member {index}")

    @staticmethod
    def listed(value: object, field: str) -> list[Any]:
        if isinstance(value, list):
            return value
        raise InputError(
            f"coordinates are {shown(value)}, where a list is due",
            "nest the lists as RFC 7946 shows for this type of geometry",
            field=field,
        )

    def point(self, coordinates: object, field: str) -> Part:
        if type(coordinates) is list and len(coordinates) == 2 and self.left > 0:
            lon_deg, lat_deg = coordinates
            if (
                type(lon_deg) is float
                and type(lat_deg) is float
                and -180.0 <= lon_deg <= 180.0
                and -90.0 <= lat_deg <= 90.0
            ):
                self.left -= 1  # the usual one, at once
                return Part(Shape.POINT, (((lat_deg, lon_deg),),))
        points, precision = self.positions([coordinates], field)
        return Part(Shape.POINT, (points,), precision)

    def line(self, coordinates: object, field: str) -> Part:
        points, precision = self.positions(self.listed(coordinates, field), field)
        if len(points) < 2:
            raise InputError(
                f"a line of {len(points)} vertices", "give it at least two", field=field
            )
        return Part(Shape.LINE, (points,), precision)

    def polygon(self, coordinates: object, field: str) -> Part:
        rings: list[tuple[LatLon, ...]] = []
        worst_m = 0.0
        for index, ring in enumerate(self.listed(coordinates, field)):
            where = field if index == 0 else f"{field}, hole {index}"
            points, precision_m = self.positions(self.listed(ring, where), where)
            if len(points) < 4 or points[0] != points[-1]:
                raise InputError(
                    f"a ring of {len(points)} positions that doesn't end where it begins"
                    if len(points) >= 4
                    else f"a ring of {len(points)} positions",
                    "give it at least three vertices and repeat the first one at the end",
                    field=where,
                )
            rings.append(points[:-1])
            worst_m = max(worst_m, precision_m)
        if not rings:
            raise InputError("a polygon without a ring", "give it coordinates", field=field)
        return Part(Shape.POLYGON, tuple(rings), worst_m)

    def positions(self, listed: list[Any], field: str) -> tuple[tuple[LatLon, ...], float]:
        """Return the points, and the greatest half diagonal of their cells, metres."""
        self.left -= len(listed)
        if self.left < 0:
            raise InputError(
                f"the geometry has more than {self.limit:,} vertices",
                "simplify it outward, or split it into several entities",
                field=field,
            )
        columns = _columns(listed)
        if columns is not None:
            return columns
        points: list[LatLon] = []
        cells: list[tuple[int, int]] = []
        for index, pair in enumerate(listed, 1):
            points.append(
                self.position(pair, f"{field}, vertex {index}" if len(listed) > 1 else field)
            )
            lon, lat = pair[0], pair[1]
            if type(lat) is NumberText and type(lon) is NumberText:
                cells.append((decimals(lat), decimals(lon)))
        return tuple(points), _precision_m(points, cells)

    def position(self, pair: object, field: str) -> LatLon:
        if not isinstance(pair, list):
            raise InputError(
                f"{shown(pair)} is no position",
                "write [longitude, latitude] in degrees",
                field=field,
            )
        if len(pair) not in {2, 3}:
            raise InputError(
                f"a position of {len(pair)} numbers",
                "write [longitude, latitude] in degrees",
                field=field,
            )
        lon_deg, lat_deg = number(pair[0], field), number(pair[1], field)
        if len(pair) == 3:
            number(pair[2], field)
            self.third = True
        return checked_lat_lon(lat_deg, lon_deg, field=field)


def _columns(listed: list[Any]) -> tuple[tuple[LatLon, ...], float] | None:
    """Return points and precision of usual positions; ``None`` for all that need a closer look.

    Usual are pairs of numbers in range, all with a point and without an exponent. It only saves
    time: a file of 100,000 polygons is read in half of it.
    """
    try:
        lons, lats = zip(*listed, strict=True)
    except (TypeError, ValueError):
        return None
    types = {*map(type, lons), *map(type, lats)}
    if types == {float}:
        lons_deg, lats_deg = lons, lats
    elif types == {NumberText}:
        typed = "".join((*lons, *lats))
        if (
            typed.count(".") != 2 * len(listed)
            or "e" in typed
            or "E" in typed
            or len(typed) > MAX_DIGITS * len(listed)
        ):
            return None
        lons_deg, lats_deg = tuple(map(float, lons)), tuple(map(float, lats))
    else:
        return None
    if not (
        min(lons_deg) >= -180.0
        and max(lons_deg) <= 180.0
        and min(lats_deg) >= -90.0
        and max(lats_deg) <= 90.0
    ):
        return None
    points = tuple(zip(lats_deg, lons_deg, strict=True))
    if lons_deg is lons:
        return points, 0.0
    cells = [
        (len(lat) - lat.index(".") - 1, len(lon) - lon.index(".") - 1)
        for lat, lon in zip(lats, lons, strict=True)
    ]
    return points, _precision_m(points, cells)


def _precision_m(points: Sequence[LatLon], cells: Sequence[tuple[int, int]]) -> float:
    """Return the greatest half diagonal of the points' cells, metres, 0 where none are known.

    Parameters
    ----------
    points
        The points, degrees.
    cells
        Numbers of decimals of latitude and longitude: one a point, or none at all.
    """
    if len(cells) != len(points):
        return 0.0
    # Of points with equal decimals the one nearest to the equator has the widest cell.
    nearest_deg: dict[tuple[int, int], float] = {}
    for cell, (lat_deg, _) in zip(cells, points, strict=True):
        if abs(lat_deg) < nearest_deg.get(cell, 91.0):
            nearest_deg[cell] = abs(lat_deg)
    return max(
        (cell_half_diagonal_m(*cell, lat_deg) for cell, lat_deg in nearest_deg.items()),
        default=0.0,
    )

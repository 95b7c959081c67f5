"""The grids that mistakes are made on: UTM, UPS and Gauss-Krüger, as plain metres.

A mistake keeps the numbers of one grid and reads them on another, also where no careful
writer would use the grid. So these functions, unlike the readers of `deconflict.geo.notation`,
neither parse nor refuse: they only project.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproj import Geod, Proj

    from deconflict.geo.position import LatLon

GRID_SQUARE_M = 100_000.0
"""Side of the square that two letters of an MGRS text name."""

UTM_SOUTH_DEG, UTM_NORTH_DEG = -80.0, 84.0
"""Where UTM ends and UPS begins (NGA.STND.0037, section 3)."""

_FALSE_NORTHING_SOUTH_M = 10_000_000.0


@dataclass(frozen=True, slots=True)
class GridPoint:
    """Metres on UTM or UPS.

    Attributes
    ----------
    zone
        The UTM zone from 1 to 60; 0 for UPS.
    north
        Whether on the northern hemisphere's grid.
    easting_m, northing_m
        Metres with the usual false origins.
    """

    zone: int
    north: bool
    easting_m: float
    northing_m: float


@cache
def geod() -> Geod:
    """Return the WGS 84 ellipsoid's geodesics."""
    from pyproj import Geod

    return Geod(ellps="WGS84")


@cache
def _projection(definition: str) -> Proj:
    from pyproj import Proj

    return Proj(definition)


def _utm(zone: int) -> Proj:
    return _projection(
        f"+proj=tmerc +lon_0={zone * 6 - 183} +k=0.9996 +x_0=500000 +ellps=WGS84 +units=m"
    )


def _gauss_krueger(zone: int) -> Proj:
    return _projection(
        f"+proj=tmerc +lon_0={math.remainder(zone * 6 - 3, 360)} +k=1 +x_0=500000 +ellps=krass"
    )


def _ups(*, north: bool) -> Proj:
    pole = 90 if north else -90
    return _projection(f"+proj=stere +lat_0={pole} +k=0.994 +x_0=2000000 +y_0=2000000 +ellps=WGS84")


def plain_zone(lon_deg: float) -> int:
    """Return the six-degree UTM zone of a longitude, without the exceptions of MGRS."""
    return int((lon_deg + 180.0) // 6.0) % 60 + 1


def mgrs_zone(lat_deg: float, lon_deg: float) -> int:
    """Return the zone that MGRS uses: as UTM, but for south-west Norway and Svalbard."""
    if 56.0 <= lat_deg < 64.0 and 3.0 <= lon_deg < 12.0:
        return 32
    if 72.0 <= lat_deg < 84.0 and 0.0 <= lon_deg < 42.0:
        return 31 if lon_deg < 9.0 else 33 if lon_deg < 21.0 else 35 if lon_deg < 33.0 else 37
    return plain_zone(lon_deg)


def is_utm(lat_deg: float) -> bool:
    """Tell whether UTM, rather than UPS, covers the latitude."""
    return UTM_SOUTH_DEG <= lat_deg < UTM_NORTH_DEG


def to_utm(lat_deg: float, lon_deg: float, zone: int) -> GridPoint:
    """Project on a UTM zone, the point's own or another."""
    easting, northing = _utm(zone)(lon_deg, lat_deg)
    north = lat_deg >= 0.0
    return GridPoint(
        zone, north, easting, northing if north else northing + _FALSE_NORTHING_SOUTH_M
    )


def to_grid(lat_deg: float, lon_deg: float) -> GridPoint:
    """Project on the grid that MGRS uses at the point."""
    if is_utm(lat_deg):
        return to_utm(lat_deg, lon_deg, mgrs_zone(lat_deg, lon_deg))
    north = lat_deg > 0.0
    easting, northing = _ups(north=north)(lon_deg, lat_deg)
    return GridPoint(0, north, easting, northing)


def from_grid(point: GridPoint) -> LatLon | None:
    """Return latitude and longitude of metres on UTM or UPS; ``None`` beyond the grid."""
    if point.zone == 0:
        lon_deg, lat_deg = _ups(north=point.north)(point.easting_m, point.northing_m, inverse=True)
    else:
        northing = point.northing_m - (0.0 if point.north else _FALSE_NORTHING_SOUTH_M)
        lon_deg, lat_deg = _utm(point.zone)(point.easting_m, northing, inverse=True)
    return (lat_deg, lon_deg) if math.isfinite(lat_deg) and math.isfinite(lon_deg) else None


def gauss_krueger_zone(lon_deg: float) -> int:
    """Return the six-degree Gauss-Krüger zone of a longitude: 1 begins at Greenwich."""
    return int(lon_deg % 360.0 // 6.0) % 60 + 1


def to_gauss_krueger(lat_deg: float, lon_deg: float, zone: int) -> tuple[float, float]:
    """Project SK-42 degrees; return easting without the zone's digits, and northing, metres."""
    easting, northing = _gauss_krueger(zone)(lon_deg, lat_deg)
    return easting, northing


def distance_m(a: LatLon, b: LatLon) -> float:
    """Return the length of the geodesic, metres."""
    metres: float = geod().inv(a[1], a[0], b[1], b[0])[2]
    return metres

"""The grids that mistakes are made on: UTM, UPS and Gauss-Krüger, as plain metres.

A mistake keeps the numbers of one grid and reads them on another, also where no careful
writer would use the grid. So these functions, unlike the readers of `deconflict.geo.notation`,
neither parse nor refuse: they only project.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from deconflict.geo.elementary import ONE
from deconflict.geo.notation import grid
from deconflict.geo.notation.ellipsoids import WGS84
from deconflict.geo.projection import Ellipsoid, ellipsoid, transverse_mercator

if TYPE_CHECKING:
    from pyproj import Geod

    from deconflict.geo.position import LatLon

GRID_SQUARE_M: Final = 100_000.0
"""Side of the square that two letters of an MGRS text name."""

UTM_SOUTH_DEG: Final = -80.0
UTM_NORTH_DEG: Final = 84.0
"""Where UTM ends and UPS begins (NGA.STND.0037, section 3)."""


@dataclass(frozen=True, slots=True)
class GridPoint:
    """Metres on UTM or UPS.

    Attributes
    ----------
    zone
        The UTM zone from 1 to 60; 0 for UPS.
    easting_m
        Metres with the usual false easting.
    northing_m
        Metres from the equator on UTM, negative in the south; with the usual false northing,
        a multiple of every MGRS cell, on UPS.
    north
        For UPS: about which pole.
    """

    zone: int
    easting_m: float
    northing_m: float
    north: bool = True


@cache
def geod() -> Geod:
    """Return the WGS 84 ellipsoid's geodesics."""
    from pyproj import Geod

    return Geod(ellps="WGS84")


def _krassowsky() -> Ellipsoid:
    return ellipsoid(6_378_245.0, 298.3)


def plain_zone(lon_deg: float) -> int:
    """Return the six-degree UTM zone of a longitude, without the exceptions of MGRS."""
    return int((lon_deg + 180.0) // 6.0) % 60 + 1


def mgrs_zone(lat_deg: float, lon_deg: float) -> int:
    """Return the UTM zone of a point, with the exceptions of Norway and Svalbard."""
    return grid.zone_and_band(lat_deg, lon_deg)[0]


def is_utm(lat_deg: float) -> bool:
    """Tell whether UTM, rather than UPS, covers the latitude."""
    return UTM_SOUTH_DEG <= lat_deg < UTM_NORTH_DEG


def to_utm(lat_deg: float, lon_deg: float, zone: int) -> GridPoint:
    """Project on a UTM zone, the point's own or another."""
    middle_deg = 6 * zone - 183
    near_deg = middle_deg + math.remainder(lon_deg - middle_deg, 360.0)
    return GridPoint(zone, *grid.to_utm(lat_deg, near_deg, zone, WGS84, ONE))


def to_grid(lat_deg: float, lon_deg: float) -> GridPoint:
    """Project on the grid that MGRS uses at the point."""
    if is_utm(lat_deg):
        return to_utm(lat_deg, lon_deg, mgrs_zone(lat_deg, lon_deg))
    return GridPoint(0, *grid.to_ups(lat_deg, lon_deg, WGS84, ONE), north=lat_deg > 0.0)


def from_grid(point: GridPoint) -> LatLon:
    """Return latitude and longitude of metres on UTM or UPS, degrees."""
    if point.zone == 0:
        lat_deg, lon_deg, _ = grid.from_ups(
            point.easting_m, point.northing_m, WGS84, ONE, north=point.north
        )
    else:
        lat_deg, lon_deg, _ = grid.from_utm(
            point.easting_m, point.northing_m, point.zone, WGS84, ONE
        )
    return lat_deg, grid.wrapped(lon_deg)


def gauss_krueger_zone(lon_deg: float) -> int:
    """Return the six-degree Gauss-Krüger zone of a longitude: 1 begins at Greenwich."""
    return int(lon_deg % 360.0 // 6.0) % 60 + 1


def to_gauss_krueger(lat_deg: float, lon_deg: float, zone: int) -> tuple[float, float]:
    """Project SK-42 degrees; return easting without the zone's digits, and northing, metres."""
    from_middle_deg = math.remainder(lon_deg - (zone * 6 - 3), 360.0)
    east_m, north_m = transverse_mercator(lat_deg, from_middle_deg, _krassowsky(), ONE)
    return grid.FALSE_EASTING_M + east_m, north_m


def distance_m(a: LatLon, b: LatLon) -> float:
    """Return the length of the geodesic, metres."""
    metres: float = geod().inv(a[1], a[0], b[1], b[0])[2]
    return metres

"""The UTM and UPS grids: zones, bands, and metres to latitude and longitude and back.

Source: NGA.STND.0037_2.0.0_GRIDS, Universal Grids and Grid Reference Systems (2014).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final, NamedTuple

from deconflict.geo.elementary import Elementary, Number
from deconflict.geo.projection import (
    Ellipsoid,
    from_polar_stereographic,
    from_transverse_mercator,
    polar_stereographic,
    transverse_mercator,
)

UTM_SCALE: Final = 0.9996
UPS_SCALE: Final = 0.994
FALSE_EASTING_M: Final = 500_000.0
SOUTH_FALSE_NORTHING_M: Final = 10_000_000.0
UPS_FALSE_M: Final = 2_000_000.0
BANDS: Final = "CDEFGHJKLMNPQRSTUVWX"
"""Latitude bands of 8 degrees from 80 S; the last, X, has 12."""
SAME_PLACE_M: Final = 1e-3
"""An answer that does not encode to its text within this is an error, metres."""


class Bounds(NamedTuple):
    """Where a zone's band lies, degrees."""

    south_deg: float
    north_deg: float
    west_deg: float
    east_deg: float


@cache
def bounds(zone: int, band: str) -> Bounds | None:
    """Return where a band of a zone lies, with the exceptions of Norway and Svalbard.

    ``None`` for 32X, 34X and 36X, which do not exist. The east bound of zone 60 is 180.
    """
    south = -80.0 + 8.0 * BANDS.index(band)
    west = 6.0 * zone - 186.0
    east = west + 6.0
    if band == "V":
        if zone == 31:
            east = 3.0
        elif zone == 32:
            west = 3.0
    elif band == "X":
        if zone in (32, 34, 36):
            return None
        if zone in (31, 33, 35, 37):
            west, east = {31: (0.0, 9.0), 33: (9.0, 21.0), 35: (21.0, 33.0), 37: (33.0, 42.0)}[zone]
        return Bounds(south, 84.0, west, east)
    return Bounds(south, south + 8.0, west, east)


def zone_and_band(lat_deg: float, lon_deg: float) -> tuple[int, str]:
    """Return zone and band of a point from 80 S to 84 N; 180 lies in zone 1."""
    band = BANDS[max(0, min(19, math.floor((lat_deg + 80.0) / 8.0)))]
    lon_deg = -180.0 if lon_deg >= 180.0 else lon_deg
    zone = min(60, math.floor((lon_deg + 180.0) / 6.0) + 1)  # 179.99999999999997 rounds up
    if band == "V" and zone == 31 and lon_deg >= 3.0:
        zone = 32
    elif band == "X" and 0.0 <= lon_deg < 42.0:
        zone = 31 if lon_deg < 9.0 else 33 if lon_deg < 21.0 else 35 if lon_deg < 33.0 else 37
    return zone, band


def to_utm(
    lat_deg: Number, lon_deg: Number, zone: Number, shape: Ellipsoid, fn: Elementary
) -> tuple[Number, Number]:
    """Return easting, and northing from the equator (negative in the south), metres."""
    east_m, north_m = transverse_mercator(lat_deg, lon_deg - (6.0 * zone - 183.0), shape, fn)
    return FALSE_EASTING_M + UTM_SCALE * east_m, UTM_SCALE * north_m


def from_utm(
    easting_m: Number, north_m: Number, zone: Number, shape: Ellipsoid, fn: Elementary
) -> tuple[Number, Number, Number]:
    """Return latitude and longitude in degrees, and by how much they miss when encoded again.

    Parameters
    ----------
    easting_m
        Easting, metres.
    north_m
        Northing from the equator, negative in the south, metres.
    zone
        1 to 60.
    shape
        The ellipsoid.
    fn
        The functions for one number or for columns.

    Notes
    -----
    The longitude may lie beyond 180; the caller brings it back.
    """
    lat_deg, from_middle = from_transverse_mercator(
        (easting_m - FALSE_EASTING_M) / UTM_SCALE, north_m / UTM_SCALE, shape, fn
    )
    lon_deg = from_middle + (6.0 * zone - 183.0)
    again_easting_m, again_north_m = to_utm(lat_deg, lon_deg, zone, shape, fn)
    miss_m = fn.absolute(again_easting_m - easting_m) + fn.absolute(again_north_m - north_m)
    return lat_deg, lon_deg, miss_m


def wrapped(lon_deg: float) -> float:
    """Return a longitude in [-180, 180] of one that lies at most a turn beyond."""
    return lon_deg - 360.0 if lon_deg > 180.0 else lon_deg + 360.0 if lon_deg < -180.0 else lon_deg


def to_ups(lat_deg: float, lon_deg: float, shape: Ellipsoid, fn: Elementary) -> tuple[float, float]:
    """Return easting and northing on the nearer pole's UPS grid, metres."""
    north = lat_deg > 0.0
    x_m, y_m = polar_stereographic(abs(lat_deg), lon_deg, shape, fn)
    return UPS_FALSE_M + UPS_SCALE * x_m, UPS_FALSE_M + UPS_SCALE * (y_m if north else -y_m)


def from_ups(
    easting_m: float, northing_m: float, shape: Ellipsoid, fn: Elementary, *, north: bool
) -> tuple[float, float, float]:
    """Return latitude and longitude in degrees, and by how much they miss when encoded again."""
    x_m, y_m = (easting_m - UPS_FALSE_M) / UPS_SCALE, (northing_m - UPS_FALSE_M) / UPS_SCALE
    lat_deg, lon_deg = from_polar_stereographic(x_m, y_m if north else -y_m, shape, fn)
    lat_deg = min(lat_deg, 90.0) if north else max(-lat_deg, -90.0)
    again_easting_m, again_northing_m = to_ups(lat_deg, lon_deg, shape, fn)
    return lat_deg, lon_deg, abs(again_easting_m - easting_m) + abs(again_northing_m - northing_m)

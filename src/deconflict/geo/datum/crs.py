"""Coordinate systems of the EPSG data set: their axes, units, and way to latitude and longitude.

Only what a place on a map can be written in: two-dimensional geographic systems and projected
ones. Vertical, compound, geocentric and engineering systems are refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from deconflict.geo.datum.operation import geographic_crs, native_units
from deconflict.geo.errors import InputError

if TYPE_CHECKING:
    from pyproj import Transformer

AREA_MARGIN_LAT_DEG = 10.0
AREA_MARGIN_LON_DEG = 6.0
"""How far outside the area that EPSG states for a system a point may lie.

Gauss-Krüger sheets of the former Soviet Union's zones are used in Syria, five degrees south of
that area; a zone's width is six degrees. Farther off the numbers belong to another system."""
_BACK_M = 0.01
"""How well a point must come back when its latitude and longitude are projected again, metres."""
_METRES_PER_DEG = 111_320.0
_HEADINGS = {"north": (0, 1), "south": (0, -1), "east": (1, 1), "west": (1, -1)}


@dataclass(frozen=True, slots=True, eq=False)
class Crs:
    """One two-dimensional coordinate system.

    Attributes
    ----------
    epsg, name
        Code and name.
    datum_epsg, datum_name
        The geographic system that its latitudes and longitudes are on.
    geographic
        Whether its coordinates are latitude and longitude.
    axes
        For each axis where it counts to: ``"north"``, ``"south"``, ``"east"`` or ``"west"``. On
        a polar map both may point south.
    labels
        For each axis its abbreviation and its name, upper case: ``("X", "NORTHING")``.
    unit_name, unit
        Name of the unit of both axes, and its size: metres, or radians if `geographic`.
    box
        The area that it is meant for: west, south, east, north, degrees.
    projection
        From the datum's system to this one, both in the units and order of their authority;
        ``None`` for a geographic system.
    longitude_first
        Whether the datum's system has its longitude first.
    native_per_deg, meridian_deg
        Units of the datum's system in a degree, and its prime meridian east of Greenwich.
    """

    epsg: int
    name: str
    datum_epsg: int
    datum_name: str
    geographic: bool
    axes: tuple[str, str]
    labels: tuple[tuple[str, str], tuple[str, str]]
    unit_name: str
    unit: float
    box: tuple[float, float, float, float]
    projection: Transformer | None
    longitude_first: bool
    native_per_deg: float
    meridian_deg: float

    def to_geographic(self, first: float, second: float) -> tuple[float, float, tuple[str, ...]]:
        """Return latitude and longitude in degrees from Greenwich, and what was assumed.

        Raises
        ------
        InputError
            If the coordinates are no place of the system, or one far outside its area.
        """
        if not (math.isfinite(first) and math.isfinite(second)):
            raise InputError("a coordinate is not a finite number", "write both as numbers")
        if self.projection is None:
            lat, lon = self._north_east(first, second)
        else:
            from pyproj.enums import TransformDirection

            base = self.projection.transform(first, second, direction=TransformDirection.INVERSE)
            lat, lon = base[::-1] if self.longitude_first else base
            if not (math.isfinite(lat) and math.isfinite(lon)):
                raise self._nowhere(first, second)
            back = self.projection.transform(*base)
            miss = max(abs(back[0] - first), abs(back[1] - second)) * self.unit
            if not miss <= _BACK_M:
                raise self._nowhere(first, second)
        lat_deg = lat / self.native_per_deg
        lon_deg = lon / self.native_per_deg
        if abs(lat_deg) > 90.0 or abs(lon_deg) > 360.0:
            raise self._nowhere(first, second)
        lon_deg = math.remainder(lon_deg + self.meridian_deg, 360.0)
        return lat_deg, lon_deg, self._assumed(lat_deg, lon_deg, first, second)

    def from_geographic(self, lat_deg: float, lon_deg: float) -> tuple[float, float]:
        """Return the coordinates of a point on the system's datum, in the order of its axes.

        Raises
        ------
        InputError
            If the point lies far outside the system's area.
        """
        self._assumed(lat_deg, lon_deg, lat_deg, lon_deg)
        lat = lat_deg * self.native_per_deg
        lon = math.remainder(lon_deg - self.meridian_deg, 360.0) * self.native_per_deg
        if self.projection is None:
            north_east = (lat, lon)
            first, second = (
                north_east[_HEADINGS[axis][0]] * _HEADINGS[axis][1] for axis in self.axes
            )
            return first, second
        base = (lon, lat) if self.longitude_first else (lat, lon)
        first, second = self.projection.transform(*base)
        if not (math.isfinite(first) and math.isfinite(second)):
            raise InputError(
                f"latitude {lat_deg:g}, longitude {lon_deg:g} has no place in EPSG:{self.epsg}",
                "choose a system made for the place",
            )
        return first, second

    def precision_m(self, first_step: float, second_step: float, lat_deg: float) -> float:
        """Return half the diagonal of the cell that the last digits leave open, metres.

        Parameters
        ----------
        first_step, second_step
            What the last digit of each coordinate counts, in the units of the system.
        lat_deg
            Latitude of the place, for the length of a degree of longitude.
        """
        steps = [first_step, second_step]
        if self.geographic:
            for i, axis in enumerate(self.axes):
                steps[i] *= _METRES_PER_DEG / self.native_per_deg
                if _HEADINGS[axis][0] == 1:
                    steps[i] *= math.cos(math.radians(lat_deg))
        else:
            steps = [step * self.unit for step in steps]
        return 0.5 * math.hypot(*steps)

    def _north_east(self, first: float, second: float) -> tuple[float, float]:
        found = [0.0, 0.0]
        for axis, value in zip(self.axes, (first, second), strict=True):
            which, sign = _HEADINGS[axis]
            found[which] = sign * value
        return found[0], found[1]

    def _nowhere(self, first: float, second: float) -> InputError:
        order = " and ".join(label[1].lower() for label in self.labels)
        return InputError(
            f"{first:g} and {second:g} are no place in EPSG:{self.epsg} ({self.name})",
            f"write {order} in {self.unit_name}, in this order, and check the code",
        )

    def _assumed(
        self, lat_deg: float, lon_deg: float, first: float, second: float
    ) -> tuple[str, ...]:
        west, south, east, north = self.box
        width = (east - west) % 360.0 or 360.0
        beyond_lat = max(south - lat_deg, lat_deg - north)
        off_middle = abs(math.remainder(lon_deg - west - width / 2.0, 360.0))
        beyond_lon = off_middle - width / 2.0 if abs(lat_deg) < 85.0 else 0.0
        if max(beyond_lat, beyond_lon) <= 0.0:
            return ()
        if beyond_lat > AREA_MARGIN_LAT_DEG or beyond_lon > AREA_MARGIN_LON_DEG:
            order = " then ".join(label[1].lower() for label in self.labels)
            raise InputError(
                f"{first:.10g} and {second:.10g} in EPSG:{self.epsg} ({self.name}) would be "
                f"latitude {lat_deg:.3f}, longitude {lon_deg:.3f}, far outside the area "
                "that the system is made for",
                f"check the code and the order, {order}",
            )
        return (f"the place lies outside the area that EPSG:{self.epsg} is made for",)


@lru_cache(maxsize=512)
def crs_of(epsg: int) -> Crs:
    """Return a coordinate system.

    Raises
    ------
    InputError
        If the code is unknown, or of a system that no place on a map is written in.
    """
    from pyproj import CRS, Transformer
    from pyproj.exceptions import CRSError

    remedy = "write the code of a two-dimensional geographic or projected system"
    try:
        crs = CRS.from_epsg(epsg)
    except CRSError:
        raise InputError(f"EPSG has no coordinate system {epsg}", remedy, field="EPSG") from None
    kind = crs.type_name.removesuffix(" CRS").lower()
    base = crs.geodetic_crs
    base_epsg = base.to_epsg() if base is not None else None
    if (
        not (crs.is_geographic or crs.is_projected)
        or crs.is_compound
        or crs.is_bound
        or len(crs.axis_info) != 2
        or base is None
        or base_epsg is None
    ):
        raise InputError(f"EPSG:{epsg} is a {kind} system", remedy, field="EPSG")
    first, second = crs.axis_info
    axes = (first.direction.lower(), second.direction.lower())
    readable = all(axis in _HEADINGS for axis in axes)
    if crs.is_geographic:
        readable = readable and {_HEADINGS[axis][0] for axis in axes} == {0, 1}
    if not readable or first.unit_conversion_factor != second.unit_conversion_factor:
        raise InputError(
            f"EPSG:{epsg} ({crs.name}) has axes {first.name} ({first.direction}, "
            f"{first.unit_name}) and {second.name} ({second.direction}, {second.unit_name}), "
            "which are not read here",
            remedy,
            field="EPSG",
        )
    if base_epsg != epsg and len(base.axis_info) != 2:
        raise InputError(f"EPSG:{epsg} is based on a system of three dimensions", remedy)
    datum = geographic_crs(base_epsg)
    native_per_deg, meridian_deg = native_units(datum)
    area = crs.area_of_use
    box = (area.west, area.south, area.east, area.north) if area else (-180.0, -90.0, 180.0, 90.0)
    projection = None
    if crs.is_projected:
        projection = Transformer.from_crs(datum, crs, always_xy=False, allow_ballpark=False)
    return Crs(
        epsg=epsg,
        name=crs.name,
        datum_epsg=base_epsg,
        datum_name=datum.name,
        geographic=crs.is_geographic,
        axes=axes,
        labels=(
            (first.abbrev.upper(), first.name.upper()),
            (second.abbrev.upper(), second.name.upper()),
        ),
        unit_name=first.unit_name,
        unit=first.unit_conversion_factor,
        box=box,
        projection=projection,
        longitude_first=datum.axis_info[0].direction.lower() in {"east", "west"},
        native_per_deg=native_per_deg,
        meridian_deg=meridian_deg,
    )

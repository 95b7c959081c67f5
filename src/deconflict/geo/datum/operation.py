"""The published transformations from one datum to WGS 84."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from deconflict.geo.datum.coverage import Area, area_of
from deconflict.geo.errors import InputError

if TYPE_CHECKING:
    from pyproj import CRS, Transformer
    from pyproj.aoi import AreaOfUse

_UNKNOWN_ACCURACY_M = 999.0
"""What PROJ and EPSG write for an accuracy that nobody knows; -1 means the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One published transformation.

    Attributes
    ----------
    name
        Its name in the EPSG data set.
    label
        The name with the versions of PROJ and of the data set.
    accuracy_m
        Its stated accuracy, metres; infinity: unknown.
    box
        West, south, east, north, degrees; west > east over the antimeridian.
    area
        Its true area.
    transformer
        From the datum to WGS 84, longitude first, in the units of the datum's system.
    """

    name: str
    label: str
    accuracy_m: float
    box: tuple[float, float, float, float]
    area: Area
    transformer: Transformer

    def boxed(self, lat_deg: float, lon_deg: float) -> bool:
        """Whether the box holds a point."""
        west, south, east, north = self.box
        if not south <= lat_deg <= north:
            return False
        if west <= east:
            return west <= lon_deg <= east
        return lon_deg >= west or lon_deg <= east

    @property
    def rank(self) -> tuple[bool, float, float, str]:
        """Sorts the operation to be used first."""
        west, south, east, north = self.box
        size = ((east - west) % 360.0 or 360.0) * (north - south)
        return (self.area.offshore, self.accuracy_m, size, self.name)


@cache
def geographic_crs(epsg: int) -> CRS:
    """Return a two-dimensional geographic system.

    Raises
    ------
    InputError
        If the code is not one of such a system.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_epsg(epsg)
    except CRSError:
        crs = None
    if crs is None or not crs.is_geographic or len(crs.axis_info) != 2:
        raise InputError(
            f"EPSG:{epsg} is not a two-dimensional geographic system",
            "write the code of one, such as EPSG:4284",
            field="datum",
        )
    return crs


def native_units(crs: CRS) -> tuple[float, float]:
    """Return a geographic system's units in a degree, and its meridian in degrees of Greenwich."""
    meridian = crs.prime_meridian
    east_deg = 0.0
    if meridian is not None:
        east_deg = math.degrees(float(meridian.longitude) * float(meridian.unit_conversion_factor))
    return math.radians(1.0) / crs.axis_info[0].unit_conversion_factor, east_deg


def operations_from(crs: CRS) -> tuple[Operation, ...]:
    """Return every operation from a geographic system to WGS 84, the one to be used first first."""
    import pyproj
    from pyproj.database import get_database_metadata
    from pyproj.network import set_network_enabled  # type: ignore[attr-defined]
    from pyproj.transformer import TransformerGroup

    # A position must not depend on whether a server can be reached, nor tell one about it.
    set_network_enabled(active=False)
    versions = f"PROJ {pyproj.proj_version_str}, EPSG {get_database_metadata('EPSG.VERSION')}"
    with warnings.catch_warnings():
        # That an operation needs a grid file which is not here is no fault: it is not used.
        warnings.simplefilter("ignore", UserWarning)
        try:
            group = TransformerGroup(
                crs, pyproj.CRS.from_epsg(4326), always_xy=True, allow_ballpark=False
            )
        except IndexError:  # what pyproj 3.7 raises if there is no operation at all
            return ()
    found = []
    for transformer in group.transformers:
        area = cast("AreaOfUse | None", transformer.area_of_use)
        accuracy = transformer.accuracy
        if area is None:
            continue
        steps = [step.name for step in transformer.operations or ()]
        names = [name for name in steps if "axis order change" not in name]
        if any("ballpark" in name.lower() for name in names):
            continue
        name = " and ".join(names) or transformer.description
        found.append(
            Operation(
                name=name,
                label=f"{name} ({versions})",
                accuracy_m=accuracy if 0.0 <= accuracy < _UNKNOWN_ACCURACY_M else math.inf,
                box=(area.west, area.south, area.east, area.north),
                area=area_of(area.name),
                transformer=transformer,
            )
        )
    return tuple(sorted(found, key=lambda operation: operation.rank))

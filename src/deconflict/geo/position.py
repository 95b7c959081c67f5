"""A position: a WGS 84 point with its uncertainty and its provenance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from deconflict.geo.errors import InputError

LatLon = tuple[float, float]
"""Geodetic latitude and longitude on WGS 84, degrees; latitude first, everywhere."""


class Notation(StrEnum):
    """How a coordinate text was written."""

    DECIMAL_DEGREES = "decimal degrees"
    DEGREES_MINUTES = "degrees and decimal minutes"
    DEGREES_MINUTES_SECONDS = "degrees, minutes and seconds"
    MGRS = "MGRS"
    UTM = "UTM"
    UPS = "UPS"
    GAUSS_KRUEGER = "Gauss-Krüger"
    GEOREF = "GEOREF"
    PLUS_CODE = "Plus Code"
    EPSG = "EPSG"
    NUMBERS = "numbers of a file format"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A WGS 84 point, how well it is known, and where it comes from.

    Attributes
    ----------
    lat_deg, lon_deg
        WGS 84 geodetic latitude, and longitude in [-180, 180], degrees.
    precision_m, datum_uncertainty_m, stated_uncertainty_m
        The three parts of the uncertainty, metres, 95 %: what the notation's last digit
        leaves open, what the datum transformation adds, what the submitter states.
    text
        The text as typed.
    notation
        How it was written.
    datum
        Name of the datum that the text is on, such as ``"WGS 84"`` or ``"Pulkovo 1942"``.
    operation
        The datum transformation used, with the version of the library and of the
        EPSG data set that made it; empty where none was needed.
    obtained
        How the submitter says the position was obtained (``"gps"``, ``"map"``, ...).
    assumed
        Everything that was assumed rather than read, one sentence each.
    """

    lat_deg: float
    lon_deg: float
    precision_m: float = 0.0
    datum_uncertainty_m: float = 0.0
    stated_uncertainty_m: float = 0.0
    text: str = ""
    notation: Notation = Notation.NUMBERS
    datum: str = "WGS 84"
    operation: str = ""
    obtained: str | None = None
    assumed: tuple[str, ...] = ()

    @property
    def uncertainty_m(self) -> float:
        """The 95 % uncertainty: the sum of its three parts, metres."""
        return self.precision_m + self.datum_uncertainty_m + self.stated_uncertainty_m

    @property
    def lat_lon(self) -> LatLon:
        """Latitude and longitude, degrees."""
        return (self.lat_deg, self.lon_deg)


def checked_lat_lon(lat_deg: float, lon_deg: float, *, field: str = "") -> LatLon:
    """Return the point, longitude brought into [-180, 180].

    Raises
    ------
    InputError
        If either is not finite, the latitude lies beyond a pole, or the longitude
        beyond a full turn (|longitude| > 360).
    """
    if not (math.isfinite(lat_deg) and math.isfinite(lon_deg)):
        raise InputError(
            f"latitude {lat_deg} and longitude {lon_deg} are not both finite numbers",
            "write both as numbers in degrees",
            field=field,
        )
    if not -90.0 <= lat_deg <= 90.0:
        swapped = " (are latitude and longitude swapped?)" if abs(lon_deg) <= 90.0 else ""
        raise InputError(
            f"latitude {lat_deg:g} lies beyond the pole{swapped}",
            "write a latitude from -90 to 90",
            field=field,
        )
    if not -360.0 <= lon_deg <= 360.0:
        raise InputError(
            f"longitude {lon_deg:g} is more than a full turn",
            "write a longitude from -180 to 180",
            field=field,
        )
    if not -180.0 <= lon_deg <= 180.0:
        lon_deg = math.remainder(lon_deg, 360.0)
    return (lat_deg, lon_deg)

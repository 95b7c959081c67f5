"""GEOREF, the World Geographic Reference System.

Source: NGA.STND.0037_2.0.0_GRIDS, chapter 4. Two letters name a 15 degree quadrangle, two more a
degree in it, then as many digits for the longitude's minutes as for the latitude's. The position
is the cell's centre.
"""

from __future__ import annotations

import re

from deconflict.geo.elementary import ONE
from deconflict.geo.errors import InputError
from deconflict.geo.notation.ellipsoids import WGS84, ellipsoid_of
from deconflict.geo.notation.reading import Reading
from deconflict.geo.notation.text import NormalText
from deconflict.geo.position import Notation
from deconflict.geo.projection import half_diagonal_m

REFERENCE = re.compile(r"(GEOREF[ :]*)?([A-Z]{2}) ?([A-Z]{2})(?: ?(\d+)(?: (\d+))?)?")
LON_15 = "ABCDEFGHJKLMNPQRSTUVWXYZ"
LAT_15 = "ABCDEFGHJKLM"
ONE_DEGREE = "ABCDEFGHJKLMNPQ"
_MOST_DIGITS = 5

Parsed = tuple[float, float, float]
"""Latitude and longitude of the cell's centre, half its width; degrees."""


def claim(text: NormalText) -> tuple[Reading, ...]:
    """Claim a GEOREF text; see `deconflict.geo.notation.reading`."""
    found = REFERENCE.fullmatch(text.text)
    if found is None or not (found[1] or found[4]):
        if text.text.startswith("GEOREF"):
            raise InputError(
                "what follows GEOREF is no reference",
                'write four letters and an even number of digits: "PJAG3122"',
            )
        return ()
    lat_deg, lon_deg, half_deg = parse(found)
    shape, _ = ellipsoid_of(text.bare_datum)
    return (
        Reading(
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            precision_m=half_diagonal_m(lat_deg, half_deg, half_deg, shape, ONE),
            notation=Notation.GEOREF,
            datum=text.bare_datum,
            meaning="a GEOREF reference",
        ),
    )


def parse(found: re.Match[str]) -> Parsed:
    """Return the cell that a match of `REFERENCE` names.

    Raises
    ------
    InputError
        If it is none.
    """
    _, quadrangle, degree, digits, more = found.groups()
    x, y = LON_15.find(quadrangle[0]), LAT_15.find(quadrangle[1])
    x1, y1 = ONE_DEGREE.find(degree[0]), ONE_DEGREE.find(degree[1])
    if min(x, y, x1, y1) < 0:
        raise InputError(
            f"{quadrangle}{degree} is no degree of GEOREF",
            "write letters without I and O: A to Z, A to M, then twice A to Q",
        )
    digits = digits or ""
    if more is None:
        half, odd = divmod(len(digits), 2)
        east, north = digits[:half], digits[half:]
    else:
        east, north, odd = digits, more, len(digits) != len(more)
    if odd or len(east) == 1 or len(east) > _MOST_DIGITS:
        raise InputError(
            f"GEOREF digits {digits}{more or ''} are no minutes of longitude and of latitude",
            "write 4, 6, 8 or 10 digits: half of them for each",
        )
    if east and (east[0] > "5" or north[0] > "5"):
        raise InputError(
            f"GEOREF has {east[:2]} minutes of longitude and {north[:2]} of latitude, "
            "and there are only 60",
            "write minutes below 60",
        )
    steps = 60 * 10 ** (len(east) - 2) if east else 1  # cells a degree
    east_steps = (15 * x + x1) * steps + (int(east) if east else 0)
    north_steps = (15 * y + y1) * steps + (int(north) if north else 0)
    lon_deg = (east_steps + 0.5) / steps - 180.0
    lat_deg = (north_steps + 0.5) / steps - 90.0
    again = f"{quadrangle}{degree}{east}{north}"
    if _encoded(lat_deg, lon_deg, len(east)) != again:
        raise InputError("the GEOREF reference does not come out as typed", "check its letters")
    return lat_deg, lon_deg, 0.5 / steps


def _encoded(lat_deg: float, lon_deg: float, places: int) -> str:
    """Encode a point with so many digits for each of longitude and latitude (0, 2 to 5)."""
    steps = 60 * 10 ** (places - 2) if places else 1
    x = int(min((lon_deg + 180.0) * steps, 360 * steps - 1))
    y = int(min((lat_deg + 90.0) * steps, 180 * steps - 1))
    x_deg, x = divmod(x, steps)
    y_deg, y = divmod(y, steps)
    letters = (
        LON_15[x_deg // 15] + LAT_15[y_deg // 15] + ONE_DEGREE[x_deg % 15] + ONE_DEGREE[y_deg % 15]
    )
    return f"{letters}{x:0{places}d}{y:0{places}d}" if places else letters


def write(lat_deg: float, lon_deg: float, uncertainty_m: float = 0.0) -> str:
    """Write the cell that holds the point; see `deconflict.geo.notation.reading`."""
    lon_deg = -180.0 if lon_deg >= 180.0 else lon_deg
    places = _MOST_DIGITS
    for fewer in range(2, _MOST_DIGITS):
        half_deg = 0.5 / (60 * 10 ** (fewer - 2))
        if half_diagonal_m(lat_deg, half_deg, half_deg, WGS84, ONE) <= uncertainty_m:
            places = fewer
            break
    return _encoded(lat_deg, lon_deg, places)

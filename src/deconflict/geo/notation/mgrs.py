"""The Military Grid Reference System, at every precision from 100 km to 1 m, poles included.

Source: NGA.STND.0037_2.0.0_GRIDS, chapter 3. A text names a cell; the position is the cell's
centre and its precision half the cell's diagonal. Zone, band and 100 km square must fit: a
square that does not touch its band is refused, because libraries that let it pass return a
place a thousand kilometres away.
"""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache
from typing import NamedTuple

from deconflict.geo.elementary import ONE
from deconflict.geo.errors import InputError
from deconflict.geo.notation.ellipsoids import WGS84, ellipsoid_of
from deconflict.geo.notation.grid import (
    BANDS,
    SAME_PLACE_M,
    UPS_FALSE_M,
    UPS_SCALE,
    UTM_SCALE,
    Bounds,
    bounds,
    from_ups,
    from_utm,
    to_ups,
    to_utm,
    wrapped,
    zone_and_band,
)
from deconflict.geo.notation.reading import Reading
from deconflict.geo.notation.text import NormalText
from deconflict.geo.position import Notation
from deconflict.geo.projection import Ellipsoid

_SQUARE = r"(?:MGRS[ :]*)?(\d{1,2}) ?([A-Z]) ?([A-Z]) ?([A-Z])"
GRID = re.compile(_SQUARE + r"(?: ?(\d+)(?: (\d+))?)?")
_UNPAIRED = re.compile(_SQUARE + r"((?: ?\d)*)")
_POLAR = re.compile(r"(MGRS[ :]*)?([ABYZ]) ?([A-Z]) ?([A-Z])(?: ?(\d+)(?: (\d+))?)?")
_COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")  # by the zone's remainder by 3
ROWS = "ABCDEFGHJKLMNPQRSTUV"
_POLAR_COLUMNS = {"A": "JKLPQRSTUXYZ", "B": "ABCFGHJKLPQR", "Y": "RSTUXYZ", "Z": "ABCFGHJ"}
_POLAR_FIRST_COLUMN = {"A": 8, "B": 20, "Y": 13, "Z": 20}
_POLAR_ROWS = {False: ("ABCDEFGHJKLMNPQRSTUVWXYZ", 8), True: ("ABCDEFGHJKLMNP", 13)}
SQUARE_M = 100_000.0
SIZES_M = (100_000.0, 10_000.0, 1_000.0, 100.0, 10.0, 1.0)
_LOOK_ALIKE = str.maketrans("АВЕКМНРСТУХ", "ABEKMHPCTYX")
_ROUNDING_DEG = 1e-9
"""About 0.1 mm: what rounding may do to a corner that lies on a bound."""


class Cell(NamedTuple):
    """A cell of a zone's grid: its centre, metres from the equator, and its width."""

    zone: int
    band: str
    easting_m: float
    north_m: float
    size_m: float
    bounds: Bounds


class Zone(NamedTuple):
    """A zone's band: where it lies, its columns of squares, and how to number the rows."""

    number: int
    limits: Bounds
    columns: str
    first_row: int
    middle: float


@lru_cache(maxsize=16)
def half_diagonal_m(size_m: float, scale: float = UTM_SCALE) -> float:
    """Return half a cell's diagonal on the ground, rounded outward, metres."""
    return size_m * math.sqrt(0.5) / scale


def claim(text: NormalText) -> tuple[Reading, ...]:
    """Claim a grid reference; see `deconflict.geo.notation.reading`."""
    found = GRID.fullmatch(text.text)
    if found is not None:
        shape, older = ellipsoid_of(text.bare_datum)
        lat_deg, lon_deg, size_m = _placed(cell(found, older=older), found, shape)
        return (_reading(lat_deg, lon_deg, half_diagonal_m(size_m), text),)
    found = _POLAR.fullmatch(text.text)
    if found is not None and (found[1] or found[5]):
        return (_polar(found, text),)
    if found := _UNPAIRED.fullmatch(text.text):
        raise _unpaired(found[5])
    if not text.text.isascii():
        latin = text.text.translate(_LOOK_ALIKE)
        if latin.isascii() and GRID.fullmatch(latin):
            raise InputError(
                "the grid reference has Cyrillic letters that look like Latin ones",
                "type its letters on a Latin keyboard",
            )
    if text.text.startswith("MGRS"):
        raise InputError(
            "what follows MGRS is no grid reference",
            'write zone, band, square and an even number of digits: "37S CA 66842 26166"',
        )
    return ()


def _reading(lat_deg: float, lon_deg: float, precision_m: float, text: NormalText) -> Reading:
    return Reading(
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        precision_m=precision_m,
        notation=Notation.MGRS,
        datum=text.bare_datum,
        meaning="an MGRS grid reference",
    )


def cell(found: re.Match[str], *, older: bool = False) -> Cell:
    """Return the cell that a match of `GRID` names, wherever its band may be.

    Raises
    ------
    InputError
        If there is no such zone, band or square, or the digits are not in pairs.
    """
    number, band, column, row, digits, more = found.groups()
    if column in "IO" or row in "IO":
        raise _confusable()
    zone, limits, columns, first_row, middle = zone_of(number, band, older=older)
    place, step = columns.find(column), ROWS.find(row)
    if place < 0:
        raise InputError(
            f"zone {zone} has no column of squares {column}",
            f"write one of {columns}, or correct the zone",
        )
    if step < 0:
        raise InputError(f"there is no row of squares {row}", "write a row from A to V")
    step -= first_row
    step += 20 * round((middle - step) / 20.0)
    easting, northing, size_m = offset(digits or "", more)
    easting += (place + 1) * SQUARE_M
    return Cell(zone, band, easting, step * SQUARE_M + northing, size_m, limits)


def _confusable() -> InputError:
    return InputError(
        "the letters I and O are not used in grid references", "check whether 1 or 0 is meant"
    )


@cache
def zone_of(number: str, band: str, *, older: bool) -> Zone:
    """Return what a zone's number and a band's letter say of the squares.

    The rows of squares repeat every 2,000 km: the one meant is nearest to the last number, which
    is that of the middle of the band, at about 111 km a degree.
    """
    zone = int(number)
    if not 1 <= zone <= 60:
        raise InputError(f"there is no zone {zone}", "write a zone from 1 to 60")
    if band in "IO":
        raise _confusable()
    if band in "ABYZ":
        raise InputError(
            f"{band} is a polar letter and has no zone number",
            f"write it without {zone}, or a band from C to X",
        )
    limits = bounds(zone, band)
    if limits is None:
        raise InputError(
            f"zone {zone} has no band X", "write the zone of Svalbard that holds it: 31, 33, 35, 37"
        )
    first_row = (5 if zone % 2 == 0 else 0) + (10 if older else 0)
    middle = 0.5 * (limits.south_deg + limits.north_deg) * 1.11 - 0.5
    return Zone(zone, limits, _COLUMNS[zone % 3], first_row, middle)


def offset(digits: str, more: str | None = None) -> tuple[float, float, float]:
    """Return the cell's centre in its square and its width, metres.

    Parameters
    ----------
    digits
        The digits of easting and northing together, or of the easting.
    more
        The digits of the northing, if they stand apart.

    Raises
    ------
    InputError
        If they are not as many for the easting as for the northing, or more than ten.
    """
    if more is not None:
        half, unpaired = len(digits), abs(len(digits) - len(more))
        digits += more
    else:
        half, unpaired = divmod(len(digits), 2)
    if unpaired:
        raise _unpaired(digits)
    if half > 5:
        raise InputError(f"the grid reference has {2 * half} digits", "write at most ten (1 m)")
    size_m = SIZES_M[half]
    if not half:
        return 0.5 * size_m, 0.5 * size_m, size_m
    return (int(digits[:half]) + 0.5) * size_m, (int(digits[half:]) + 0.5) * size_m, size_m


def _unpaired(digits: str) -> InputError:
    return InputError(
        f"the digits {digits.strip()} are not as many for the easting as for the northing",
        "write an even number of digits, in one group or two equal ones",
    )


def _placed(c: Cell, found: re.Match[str], shape: Ellipsoid) -> tuple[float, float, float]:
    """Return the centre's latitude and longitude and the cell's width; refuse a misfit."""
    lat_deg, lon_deg, miss_m = from_utm(c.easting_m, c.north_m, c.zone, shape, ONE)
    if not inside(lat_deg, lon_deg, c.bounds) and not _touches(c, shape):
        raise _misfit(c, found, lat_deg, lon_deg)
    if not miss_m < SAME_PLACE_M:
        raise InputError(
            "the grid reference does not come out as typed", "check its zone and letters"
        )
    return lat_deg, wrapped(lon_deg), c.size_m


def inside(lat_deg: float, lon_deg: float, limits: Bounds) -> bool:
    """Return whether a point lies in its band and zone."""
    return (
        limits.south_deg <= lat_deg <= limits.north_deg
        and limits.west_deg <= lon_deg <= limits.east_deg
    )


def _touches(c: Cell, shape: Ellipsoid) -> bool:
    """Return whether some of the cell lies in its band and zone.

    Latitude and longitude of a cell, none of which spans the central meridian or the equator,
    are greatest and least at its corners.
    """
    half = 0.5 * c.size_m
    corners = [
        from_utm(c.easting_m + x * half, c.north_m + y * half, c.zone, shape, ONE)
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    lats: list[float] = [corner[0] for corner in corners]
    lons: list[float] = [corner[1] for corner in corners]
    return (
        max(lats) > c.bounds.south_deg - _ROUNDING_DEG
        and min(lats) < c.bounds.north_deg + _ROUNDING_DEG
        and max(lons) > c.bounds.west_deg - _ROUNDING_DEG
        and min(lons) < c.bounds.east_deg + _ROUNDING_DEG
    )


def _misfit(c: Cell, found: re.Match[str], lat_deg: float, lon_deg: float) -> InputError:
    column, row = found[3], found[4]
    if c.bounds.south_deg <= lat_deg <= c.bounds.north_deg:
        what = f"square {column}{row} lies outside zone {c.zone} at the latitude of band {c.band}"
        return InputError(what, "check zone, column and row")
    fitting = []
    for band in BANDS:
        limits = bounds(c.zone, band)
        middle = 0.5 if limits is None else 0.5 * (limits.south_deg + limits.north_deg) * 1.11
        step = round((middle * SQUARE_M - c.north_m) / (20.0 * SQUARE_M))
        moved = c._replace(band=band, north_m=c.north_m + 20.0 * SQUARE_M * step)
        if limits is not None and _touches(moved._replace(bounds=limits), WGS84):
            fitting.append(band)
    written = BANDS.index(c.band)
    fitting.sort(key=lambda band: abs(BANDS.index(band) - written))
    bands = " and ".join(sorted(fitting[:2]))
    return InputError(
        f"square {column}{row} of zone {c.zone} does not lie in band {c.band}; the nearest one "
        f"would be at {abs(lat_deg):.1f} {'S' if lat_deg < 0 else 'N'}, {lon_deg:.1f} E",
        f"check the letters: {column}{row} lies in bands such as {bands}"
        if bands
        else "check zone, band and letters",
    )


def _polar(found: re.Match[str], text: NormalText) -> Reading:
    _, band, column, row, digits, more = found.groups()
    north = band in "YZ"
    rows, first_row = _POLAR_ROWS[north]
    x, y = _POLAR_COLUMNS[band].find(column), rows.find(row)
    if x < 0 or y < 0:
        raise InputError(
            f"the polar area {band} has no square {column}{row}",
            f"write a column of {_POLAR_COLUMNS[band]} and a row of {rows}",
        )
    shape, older = ellipsoid_of(text.bare_datum)
    if older:
        raise InputError(
            f"polar grid references on {text.bare_datum} are not read",
            "write latitude and longitude",
        )
    easting, northing, size_m = offset(digits or "", more)
    easting += (x + _POLAR_FIRST_COLUMN[band]) * SQUARE_M
    northing += (y + first_row) * SQUARE_M
    lat_deg, lon_deg, miss_m = from_ups(easting, northing, shape, ONE, north=north)
    # The point of the cell that is nearest to the pole.
    half = 0.5 * size_m
    near_e = max(easting - half, min(UPS_FALSE_M, easting + half))
    near_n = max(northing - half, min(UPS_FALSE_M, northing + half))
    nearest_deg, _, _ = from_ups(near_e, near_n, shape, ONE, north=north)
    if abs(nearest_deg) < (84.0 if north else 80.0) - _ROUNDING_DEG:
        raise InputError(
            f"square {column}{row} lies outside the polar area, at latitude {lat_deg:.1f}",
            "write zone and band, or check the letters",
        )
    if not miss_m < SAME_PLACE_M:
        raise InputError("the grid reference does not come out as typed", "check its letters")
    return _reading(lat_deg, lon_deg, half_diagonal_m(size_m, UPS_SCALE), text)


def write(lat_deg: float, lon_deg: float, uncertainty_m: float = 0.0) -> str:
    """Write the cell that holds the point; see `deconflict.geo.notation.reading`."""
    polar = not -80.0 <= lat_deg <= 84.0
    scale = UPS_SCALE if polar else UTM_SCALE
    places = 5
    for fewer in range(5):
        if half_diagonal_m(10.0 ** (5 - fewer), scale) <= uncertainty_m:
            places = fewer
            break
    if polar:
        north = lat_deg > 0.0
        easting, northing = to_ups(lat_deg, lon_deg, WGS84, ONE)
        band = (
            ("Z" if easting >= UPS_FALSE_M else "Y")
            if north
            else ("B" if easting >= UPS_FALSE_M else "A")
        )
        rows, first_row = _POLAR_ROWS[north]
        x, y = int(easting // SQUARE_M), int(northing // SQUARE_M)
        square = _POLAR_COLUMNS[band][x - _POLAR_FIRST_COLUMN[band]] + rows[y - first_row]
        head = f"{band} {square}" if places else f"MGRS {band} {square}"
    else:
        zone, band = zone_and_band(lat_deg, lon_deg)
        middle = 6.0 * zone - 183.0
        easting, northing = to_utm(
            lat_deg, middle + math.remainder(lon_deg - middle, 360.0), zone, WGS84, ONE
        )
        x, y = int(easting // SQUARE_M), math.floor(northing / SQUARE_M)
        row = ROWS[(y + (5 if zone % 2 == 0 else 0)) % 20]
        head = f"{zone}{band} {_COLUMNS[zone % 3][x - 1]}{row}"
    if not places:
        return head
    size_m = 10 ** (5 - places)
    most = 10**places - 1  # a nanometre south of the equator rounds to the next square
    e = min(most, math.floor((easting - x * SQUARE_M) / size_m))
    n = min(most, math.floor((northing - y * SQUARE_M) / size_m))
    return f"{head} {e:0{places}d} {n:0{places}d}"

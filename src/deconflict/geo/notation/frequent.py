"""The frequent forms of the frequent notations on WGS 84, taken apart without asking the others.

A text that matches a form here can be in no other notation, so nothing is lost by not asking them.
Whatever matches none, or looks wrong in any way, is left to the notations themselves: every
refusal comes from there. The numbers are solved one by one or in columns, with the same bits.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from deconflict.geo.elementary import ONE, Elementary, Number
from deconflict.geo.errors import InputError
from deconflict.geo.notation import degrees, georef, mgrs, pluscode, utm
from deconflict.geo.notation.ellipsoids import WGS84
from deconflict.geo.notation.grid import (
    SAME_PLACE_M,
    SOUTH_FALSE_NORTHING_M,
    UTM_SCALE,
    from_utm,
    wrapped,
)
from deconflict.geo.notation.text import MAX_CHARACTERS, plain
from deconflict.geo.position import Notation
from deconflict.geo.projection import half_diagonal_m

_BEFORE = ("WGS 84 ", "WGS84 ")
_AFTER = (" WGS 84", " WGS84")
_ANYWHERE = (-math.inf, math.inf)
GEOREF = re.compile(r"()([A-Z]{2}) ?([A-Z]{2}) ?(\d+)(?: (\d+))?")

Angles = tuple[float, float, float, float]
"""Latitude, longitude, half of the height and width of the cell; degrees."""
Metres = tuple[float, float, float, float, float, float, float, float]
"""Zone, easting, northing from the equator, precision; south, north, west, east bound."""


class Frequent(NamedTuple):
    """A text in a frequent form.

    Attributes
    ----------
    numbers
        `Angles`, or `Metres` of a grid.
    notation
        How it is written.
    named
        Whether it names WGS 84 itself.
    """

    numbers: Angles | Metres
    notation: Notation
    named: bool


def frequent(typed: str, *, datum_is_set: bool, assume_datum: bool) -> Frequent | None:
    """Take a text apart; ``None`` if it is in no frequent form.

    Parameters
    ----------
    typed
        The text as typed.
    datum_is_set
        Whether texts without a datum are on WGS 84 by the caller's word.
    assume_datum
        Whether grid references without a datum are taken to be on it.
    """
    if len(typed) > MAX_CHARACTERS or not typed.isprintable():
        return None
    text, named = without_datum(plain(typed))
    try:
        if named or datum_is_set:
            parsed = _angles(text)
            if parsed is not None:
                return Frequent(parsed[:4], degrees.NOTATIONS[parsed[4]], named)
        if named or datum_is_set or assume_datum:
            if found := mgrs.GRID.fullmatch(text):
                c = mgrs.cell(found)
                half_m = mgrs.half_diagonal_m(c.size_m)
                row = (float(c.zone), c.easting_m, c.north_m, half_m, *c.bounds)
                return Frequent(row, Notation.MGRS, named)
            if found := utm.PLAIN.fullmatch(text):
                metres = _utm(found)
                return None if metres is None else Frequent(metres, Notation.UTM, named)
            if found := GEOREF.fullmatch(text):
                lat_deg, lon_deg, half_deg = georef.parse(found)
                return Frequent((lat_deg, lon_deg, half_deg, half_deg), Notation.GEOREF, named)
        if found := pluscode.CODE.fullmatch(text):
            return Frequent(pluscode.parse(found), Notation.PLUS_CODE, named)
    except InputError:
        return None  # its own notation will refuse it again, and say so to the user
    return None


def without_datum(text: str) -> tuple[str, bool]:
    """Return a text in normal form without the name of WGS 84, and whether it had it."""
    if text.endswith(_AFTER):
        return text[: text.rindex(" WGS")], True
    if text.startswith(_BEFORE):
        return text[7 if text[3] == " " else 6 :], True
    return text, False


def _angles(text: str) -> degrees.Parsed | None:
    if found := degrees.LETTERS_AFTER.fullmatch(text):
        d, m, s, letter, d2, m2, s2, letter2 = found.groups()
    elif found := degrees.LETTERS_BEFORE.fullmatch(text):
        letter, d, m, s, letter2, d2, m2, s2 = found.groups()
    else:
        return None
    return degrees.placed((d, m, s), letter, (d2, m2, s2), letter2)


def _utm(found: re.Match[str]) -> Metres | None:
    number, which, easting, _, northing = found.groups()
    zone, east, north = int(number), utm.length(easting), utm.length(northing)
    if not (1 <= zone <= 60 and utm.EASTINGS_M[0] <= east.value_m <= utm.EASTINGS_M[1]):
        return None
    southern, (low, high) = utm.limits(zone, which.lower() if len(which) > 1 else which, north)
    north_m = north.value_m - (SOUTH_FALSE_NORTHING_M if southern else 0.0)
    precision_m = utm.precision_m(east.half_m, north.half_m, UTM_SCALE)
    return (float(zone), east.value_m, north_m, precision_m, low, high, *_ANYWHERE)


def solved(one: Frequent) -> tuple[float, float, float] | None:
    """Return latitude, longitude and precision; ``None`` if it does not lie where it says."""
    if len(one.numbers) == 4:
        return solved_angles(*one.numbers, fn=ONE)
    lat_deg, lon_deg, precision_m, fits = solved_metres(*one.numbers, fn=ONE)
    return (lat_deg, wrapped(lon_deg), precision_m) if fits else None


def solved_angles(
    lat_deg: Number, lon_deg: Number, half_lat_deg: Number, half_lon_deg: Number, *, fn: Elementary
) -> tuple[Number, Number, Number]:
    """Return latitude, longitude and precision of `Angles` or of columns of them."""
    return lat_deg, lon_deg, half_diagonal_m(lat_deg, half_lat_deg, half_lon_deg, WGS84, fn)


def solved_metres(  # noqa: PLR0917
    zone: Number,
    easting_m: Number,
    north_m: Number,
    precision_m: Number,
    low: Number,
    high: Number,
    west: Number,
    east: Number,
    *,
    fn: Elementary,
) -> tuple[Number, Number, Number, Number]:
    """Return latitude, longitude, precision, and whether they fit, of `Metres` or columns.

    The longitude may lie beyond 180.
    """
    lat, lon, miss_m = from_utm(easting_m, north_m, zone, WGS84, fn)
    fits = (lat >= low) & (lat <= high) & (lon >= west) & (lon <= east) & (miss_m < SAME_PLACE_M)
    return lat, lon, precision_m, fits

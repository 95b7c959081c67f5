"""Gauss-Krüger coordinates on SK-42 and its kin: six-degree zones, northing X, easting Y.

A sheet counts X northward from the equator and Y eastward, in metres; the easting's leading
digits are the zone, and the middle meridian of zone *n*, 6*n* - 3 degrees east, has the easting
*n* million and 500,000. X comes first. That is the Soviet (and mathematical) custom: a screen
that takes X for the easting puts a point of zone 7 elsewhere without any sign of it, so numbers
without X and Y are read only if one order alone gives a place in a zone.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING

from deconflict.geo.errors import InputError
from deconflict.geo.notation.reading import Reading
from deconflict.geo.position import Notation

if TYPE_CHECKING:
    from pyproj import Transformer

    from deconflict.geo.notation.text import NormalText

MAX_NORTHING_M = 9_335_000.0
"""Northing of 84 degrees north at the rim of a zone, beyond which there are no sheets."""
MAX_FROM_MERIDIAN_DEG = 4.5
"""How far from its middle meridian a zone is used: half its width and an overlap."""
MEAN_OFFSET_M = 350_000.0
"""Half the width of a zone at the equator (334 km) and an overlap; orders the two numbers."""
_FALSE_EASTING_M = 500_000.0
_ZONE_M = 1_000_000.0
_BACK_M = 0.001
_FAMILY = frozenset({4284, 4200, 4178, 4179})
"""The datums on Krassowsky's ellipsoid whose sheets have these zones."""
_AMBIGUOUS_ZONES = range(1, 6)
"""Zone numbers that German three-degree zones have too, on another datum."""

_SYSTEM = r"(?:GAU(?:SS|ß)[ -]*KR(?:Ü|UE|U)GER|GK|ГАУСС?А?[ -]*КРЮГЕРА?|ГК)"
_KIN = r"(?:(?:SK|CK|СК)[ -]?(?:42|95)|PULKOVO[ -]*(?:1942|1995|42|95))"
_ZONE = r"(?:ZONE|ZONA|ЗОНА|ЗОНЫ|ЗОНЕ)[ :=.-]*(?P<{}>\d{{1,2}})(?!\d)"
_NUMBER = r"(?P<{0}>\d{{4,8}}(?:[.,]\d{{1,4}})?)"
_LABEL = r"(?P<{0}>[XYХУNERHCСВ]|NORTHING|EASTING|NORTH|EAST|СЕВЕР|ВОСТОК)[ ]*[:=]?[ ]*"
# Possessive: nothing behind a blank begins with one, and sharing out 200 of them takes minutes.
_HEAD = (
    rf"(?P<system>{_SYSTEM})?[ ,:;]*+(?P<kin>{_KIN})?[ ,:;]*+(?P<system2>{_SYSTEM})?[ ,:;]*+"
    rf"(?:{_ZONE.format('zone')})?[ ,:;]*+"
)
_TAIL = rf"[ ,:;(]*(?:{_ZONE.format('zone2')})?\)?"
_METRES = r"(?:[ ]?[MМ])?"
_FORMS = (
    # marks before the numbers, marks after them
    re.compile(
        rf"{_HEAD}(?:{_LABEL.format('mark1')})?{_NUMBER.format('first')}{_METRES}[ ,;/]+"
        rf"(?:{_LABEL.format('mark2')})?{_NUMBER.format('second')}{_METRES}{_TAIL}"
    ),
    re.compile(
        rf"{_HEAD}{_NUMBER.format('first')}{_METRES}[ ]?(?P<mark1>[NE])[ ,;/]+"
        rf"{_NUMBER.format('second')}{_METRES}[ ]?(?P<mark2>[NE]){_TAIL}"
    ),
)
_NORTHING = frozenset({"X", "Х", "N", "C", "С", "H", "NORTHING", "NORTH", "СЕВЕР"})
_EASTING = frozenset({"Y", "У", "E", "В", "R", "EASTING", "EAST", "ВОСТОК"})


def claim(text: NormalText) -> tuple[Reading, ...]:
    """Read a text such as ``SK-42 X=4026000 Y=7456000`` or ``GK zone 7 4026000 456000``.

    Returns
    -------
    tuple of Reading
        Two if the numbers make a place either way round. They are on the datum that the text
        names, else on Pulkovo 1942, which is said.

    Raises
    ------
    InputError
        If the text is in this notation and its numbers are no place in a zone, zones contradict
        one another, or nothing says what the numbers are.
    """
    match = _FORMS[0].fullmatch(text.text) or _FORMS[1].fullmatch(text.text)
    if match is None:
        return ()
    datum, named = _datum(text, match)
    if not named and match["system"] is None and match["system2"] is None:
        if match["zone"] is None and match["zone2"] is None and not _metric(match):
            return ()
        if text.datum is not None:
            return ()  # metres of another system, which is to be named by its EPSG code
        raise InputError(
            "two numbers in metres say nothing about their system",
            'name it: "SK-42 X=4026000 Y=7366000", "UTM 37S 366842 4026166" or '
            '"EPSG:28407 4026000 7366000"',
        )
    zone = _zone(match)
    found = _orders(match)
    readings, reasons = [], []
    for northing, easting in found:
        try:
            readings.append(_reading(northing, easting, zone, datum, named=named))
        except InputError as error:
            reasons.append(error)
    if not readings:
        raise reasons[0]
    if len(readings) == 2 and readings[0].lat_deg == readings[1].lat_deg:
        del readings[1]
    return tuple(readings)


def write(lat_deg: float, lon_deg: float, uncertainty_m: float = 0.0) -> str:
    """Write a WGS 84 point as ``SK-42 X=4027000 Y=7366000``.

    Parameters
    ----------
    lat_deg, lon_deg
        Degrees on WGS 84.
    uncertainty_m
        Metres; from 1 m upward no decimals are written.

    Raises
    ------
    InputError
        If the point lies south of the equator or beyond 84 degrees north, or where no
        transformation to SK-42 is published.
    """
    from deconflict.geo.datum import datum_named, from_wgs84

    on_datum = from_wgs84(datum_named("SK-42"), lat_deg, lon_deg)
    if not 0.0 <= on_datum.lat_deg <= 84.0:
        raise InputError(
            f"latitude {lat_deg:.4f} has no Gauss-Krüger sheet",
            "use another notation south of the equator and near the pole",
        )
    zone = min(int(on_datum.lon_deg % 360.0 // 6.0) + 1, 60)
    from_meridian_deg = math.remainder(on_datum.lon_deg - (6.0 * zone - 3.0), 360.0)
    easting, northing = _projection().transform(from_meridian_deg, on_datum.lat_deg)
    decimals = 0 if uncertainty_m >= 1.0 else 2
    return f"SK-42 X={northing:.{decimals}f} Y={zone * _ZONE_M + easting:.{decimals}f}"


def _datum(text: NormalText, match: re.Match[str]) -> tuple[str, bool]:
    from deconflict.geo.datum import datum_named

    name = text.datum or match["kin"] or _kin(text.default_datum)
    if name is None:
        return "SK-42", False
    datum = datum_named(name)
    if text.datum and match["kin"] and datum != datum_named(match["kin"]):
        raise InputError(
            f"the text names two datums, {text.datum} and {match['kin']}",
            "name the one that it is on",
        )
    if datum.epsg not in _FAMILY:
        if match["system"] or match["system2"]:
            raise InputError(
                f"Gauss-Krüger coordinates on {datum.name} are not read as such",
                "write the EPSG code of the sheet's system, such as EPSG:31467 4026000 3466000",
            )
        return datum.name, False
    return datum.name, True


def _kin(default_datum: str | None) -> str | None:
    """Return the datum of the whole input if it is one that has these zones."""
    from deconflict.geo.datum import datum_named

    if default_datum is None or datum_named(default_datum).epsg not in _FAMILY:
        return None
    return default_datum


def _metric(match: re.Match[str]) -> bool:
    return all(len(re.split("[.,]", match[name])[0]) >= 5 for name in ("first", "second"))


def _zone(match: re.Match[str]) -> int | None:
    zones = {int(match[name]) for name in ("zone", "zone2") if match[name]}
    if len(zones) > 1:
        first, second = sorted(zones)
        raise InputError(f"the text names zone {first} and zone {second}", "name one zone")
    zone = zones.pop() if zones else None
    if zone is not None and not 1 <= zone <= 60:
        raise InputError(f"there is no Gauss-Krüger zone {zone}", "write a zone from 1 to 60")
    return zone


def _orders(match: re.Match[str]) -> list[tuple[str, str]]:
    kinds = [
        "north" if mark in _NORTHING else "east" if mark in _EASTING else None
        for mark in (match["mark1"], match["mark2"])
    ]
    straight, turned = (match["first"], match["second"]), (match["second"], match["first"])
    if kinds[0] is not None and kinds[0] == kinds[1]:
        raise InputError(
            f"both numbers are marked as {kinds[0]}ings",
            "mark the northing with X and the easting with Y",
        )
    if kinds[0] == "north" or kinds[1] == "east":
        return [straight]
    if kinds[0] == "east" or kinds[1] == "north":
        return [turned]
    return [straight, turned]


def _reading(
    northing_text: str, easting_text: str, zone: int | None, datum: str, *, named: bool
) -> Reading:
    northing, north_step = _number(northing_text)
    easting, east_step = _number(easting_text)
    marked, offset = divmod(easting, _ZONE_M)
    if marked and zone is not None and marked != zone:
        raise InputError(
            f"the easting {easting_text} lies in zone {marked:.0f}, and the text names zone {zone}",
            "correct one of them",
        )
    used = int(marked) or zone
    if used is None:
        raise InputError(
            f"the easting {easting_text} does not begin with its zone",
            "write the zone before it, such as Y=7366000, or name it: zone 7",
        )
    if used > 60:
        raise InputError(
            f"the easting {easting_text} would lie in zone {used}, and there are 60",
            "check the digits, and mark northing and easting with X and Y",
        )
    if not named and used in _AMBIGUOUS_ZONES:
        raise InputError(
            f"zone {used} may be one of six degrees on SK-42 or a German one of three degrees",
            'name the datum, "SK-42 X=... Y=...", or the EPSG code of the system',
        )
    off_m = abs(offset - _FALSE_EASTING_M)
    if off_m > MEAN_OFFSET_M or northing > MAX_NORTHING_M:
        raise _nowhere(northing_text, easting_text, used)
    from pyproj.enums import TransformDirection

    projection = _projection()
    from_meridian_deg, lat_deg = projection.transform(
        offset, northing, direction=TransformDirection.INVERSE
    )
    if not abs(from_meridian_deg) <= MAX_FROM_MERIDIAN_DEG:
        raise _nowhere(northing_text, easting_text, used)
    back = projection.transform(from_meridian_deg, lat_deg)
    if not math.hypot(back[0] - offset, back[1] - northing) <= _BACK_M:
        raise _nowhere(northing_text, easting_text, used)
    said = ("Gauss-Krüger coordinates without a datum are taken to be on SK-42 (Pulkovo 1942)",)
    return Reading(
        lat_deg=lat_deg,
        lon_deg=math.remainder(6.0 * used - 3.0 + from_meridian_deg, 360.0),
        precision_m=0.5 * math.hypot(north_step, east_step),
        notation=Notation.GAUSS_KRUEGER,
        datum=datum,
        assumed=() if named else said,
        meaning=f"northing {northing_text} and easting {easting_text}, zone {used}",
    )


def _nowhere(northing: str, easting: str, zone: int) -> InputError:
    return InputError(
        f"northing {northing} and easting {easting} are no place in Gauss-Krüger zone {zone}",
        "check the digits, and mark northing and easting with X and Y",
    )


def _number(text: str) -> tuple[float, float]:
    whole, _, decimals = text.replace(",", ".").partition(".")
    return float(f"{whole}.{decimals or 0}"), 10.0 ** -len(decimals)


@cache
def _projection() -> Transformer:
    """From degrees east of the middle meridian, and latitude, to easting and northing."""
    from pyproj import Transformer

    return Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        f"+step +proj=tmerc +lat_0=0 +lon_0=0 +k=1 +x_0={_FALSE_EASTING_M} +y_0=0 +ellps=krass"
    )

"""UTM and UPS coordinates: zone or pole, easting and northing in metres.

The letter after a zone number is a trap: ``37S`` is band S (32 to 40 north) to one writer and
the southern hemisphere to another. Both readings are tried; where both give a place and the
places differ, the text is ambiguous.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from deconflict.geo.elementary import ONE
from deconflict.geo.errors import InputError
from deconflict.geo.notation.ellipsoids import WGS84, ellipsoid_of
from deconflict.geo.notation.grid import (
    BANDS,
    SAME_PLACE_M,
    SOUTH_FALSE_NORTHING_M,
    UPS_FALSE_M,
    UPS_SCALE,
    UTM_SCALE,
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

_NUMBER = r"(\d{1,3}(?:[,٬]\d{3}){1,2}(?:\.\d{1,6})?|\d{1,8}(?:[.,]\d{1,6})?)"
_METRES = r"(?: ?M(?:ETRES?|ETERS?)?)?"
_BETWEEN = r"(?: ?[,;/] ?| )"
_EAST, _NORTH = r"(?:E(?:ASTINGS?|AST)?)", r"(?:N(?:ORTHINGS?|ORTH)?)"
_EITHER = rf"({_EAST}|{_NORTH})"
_PAIRS = (
    rf"{_NUMBER}{_METRES}{_BETWEEN}{_NUMBER}{_METRES}",
    rf"{_NUMBER}{_METRES} ?{_EITHER}{_BETWEEN}?{_NUMBER}{_METRES} ?{_EITHER}",
    rf"{_EITHER}[ .:=]*{_NUMBER}{_METRES}{_BETWEEN}{_EITHER}[ .:=]*{_NUMBER}{_METRES}",
)
_HEMISPHERE = (
    r"\(?(?:(NORTH|SOUTH)(?:ERN)?(?:[ -]?HEMISPHERE)?|([NS])[ -]?HEMISPHERE"
    r"|HEMISPHERE[ :=]*([NS])(?:ORTH|OUTH)?)\)?"
)
_ZONE = (
    rf"(UTM)?[ :,/]*(?:ZONE)?[ :]*(\d{{1,2}})(?:, ?|[ -])?"
    rf"(?:{_HEMISPHERE}|\(?([A-Z])\)?)?(?: ?[,;:/] ?| )"
)
_POLE = rf"(UPS)?[ :,/]*(?:{_HEMISPHERE}|([A-Z]))(?: ?[,;:/] ?| )"
_TAIL = rf"(?:[ ,;]+{_HEMISPHERE})?"
_BEGINS = re.compile(rf"{_ZONE}|{_POLE}|UTM|UPS")
_UTM = tuple(re.compile(_ZONE + pair + _TAIL) for pair in _PAIRS)
_UPS = tuple(re.compile(_POLE + pair) for pair in _PAIRS)
PLAIN = re.compile(
    r"(?:UTM )?(?:ZONE )?(\d{1,2}) ?(NORTH|SOUTH|[C-HJ-MP-RT-X]) "
    r"(\d{6}(?:\.\d{1,6})?)( ?M ?E)? (\d{1,8}(?:\.\d{1,6})?)(?(4) ?M ?N)"
)
"""The frequent forms whose letter is no N and no S, for reading many at once."""
EASTINGS_M = (100_000.0, 900_000.0)
"""What eastings are taken for a zone's."""
_BEYOND_LAT_DEG = 0.5
"""UTM overlaps the polar areas by half a degree."""
_HALVES = MappingProxyType(
    {
        "north": (False, (0.0, 84.0 + _BEYOND_LAT_DEG)),
        "south": (True, (-80.0 - _BEYOND_LAT_DEG, 0.0)),
    }
)
_OVERLAP_M = 40_000.0
"""Neighbouring zones' grids overlap by 40 km on maps; farther out is said."""
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SHORTEST = re.compile(r"(?:UTM|UPS)\b|UTM\d")


class Metres(NamedTuple):
    """A typed length in metres and half of its last digit."""

    value_m: float
    half_m: float


def claim(text: NormalText) -> tuple[Reading, ...]:
    """Claim UTM or UPS coordinates; see `deconflict.geo.notation.reading`."""
    if not _BEGINS.match(text.text):
        return ()
    for labels, pattern in enumerate(_UTM):
        if found := pattern.fullmatch(text.text):
            return _utm(found.groups(), labels, text)
    for labels, pattern in enumerate(_UPS):
        if found := pattern.fullmatch(text.text):
            return _ups(found.groups(), labels, text)
    if _SHORTEST.match(text.text):
        raise InputError(
            f"what follows {text.text[:3]} is no zone with easting and northing",
            'write them in metres, such as "UTM zone 37 north 366842 mE 4026166 mN" or '
            '"UPS north 2222980 mE 1797474 mN"',
        )
    return ()


def _lengths(
    groups: tuple[str | None, ...], labels: int, word: str | None
) -> tuple[Metres, Metres] | None:
    """Return easting and northing; ``None`` if the labels are no pair and no word says UTM."""
    if labels == 0:
        first, second = groups
        easting, northing = first or "", second or ""
    else:
        number, label, number2, label2 = (
            groups if labels == 1 else (groups[1], groups[0], groups[3], groups[2])
        )
        pair = ((label or "")[0], (label2 or "")[0])
        if pair not in (("E", "N"), ("N", "E")):
            if word is None:
                return None
            raise InputError("the numbers are not one easting and one northing", "write E and N")
        easting, northing = number or "", number2 or ""
        if pair == ("N", "E"):
            easting, northing = northing, easting
    if ("," in easting) != ("," in northing):
        for number in (easting, northing):
            if re.fullmatch(r"\d{1,3},\d{3}", number):
                raise InputError(
                    f"the comma in {number} may be a decimal mark or separate thousands",
                    "write metres without commas",
                )
    return length(easting), length(northing)


def length(typed: str) -> Metres:
    """Return a typed length; a comma may separate thousands or decimals, as its place says."""
    plain = typed.replace("٬", "")
    if "," in plain:
        thousands = _THOUSANDS.fullmatch(plain)
        plain = plain.replace(",", "" if thousands else ".")
    _, mark, decimals = plain.partition(".")
    return Metres(float(plain), 0.5 / 10 ** len(decimals) if mark else 0.5)


def _hemisphere(*parts: str | None) -> str | None:
    said = {part[0] for part in parts if part}
    if len(said) > 1:
        raise InputError("the text names both hemispheres", "write north or south")
    return said.pop() if said else None


def _utm(groups: tuple[str | None, ...], labels: int, text: NormalText) -> tuple[Reading, ...]:
    word, number, letter = groups[0], groups[1] or "", groups[5]
    lengths = _lengths(groups[6:-3], labels, word)
    said = _hemisphere(*groups[2:5], *groups[-3:])
    certain = word is not None or (letter is not None and labels == 0)
    if lengths is None or (said is None and letter is None and not certain):
        return ()
    zone, (easting, northing) = int(number), lengths
    if not 1 <= zone <= 60:
        raise InputError(f"there is no zone {zone}", "write a zone from 1 to 60")
    if not EASTINGS_M[0] <= easting.value_m <= EASTINGS_M[1]:
        swapped = EASTINGS_M[0] <= northing.value_m <= EASTINGS_M[1]
        raise InputError(
            f"{easting.value_m:,.0f} m is no easting of a UTM zone"
            + (" (are easting and northing swapped?)" if swapped else ""),
            "write easting, then northing, or E and N with the numbers; eastings lie between "
            "100,000 and 900,000 m",
        )
    if letter is not None and (letter not in BANDS):
        raise InputError(
            f"{letter} is no band of a UTM zone", "write a band from C to X, or north or south"
        )
    readings: list[str] = [] if letter is None else [letter]
    if said is not None:
        readings.append("north" if said == "N" else "south")
    elif letter in ("N", "S"):
        readings.append("north" if letter == "N" else "south")
    if not readings:
        raise InputError(
            f"zone {zone} is given without its hemisphere",
            f'write "UTM {zone} north" or "UTM {zone} south", or the band\'s letter',
        )
    shape, _ = ellipsoid_of(text.bare_datum)
    results: list[Reading] = []
    refusals: list[InputError] = []
    for which in readings:
        try:
            results.append(_zoned(zone, which, lengths, shape, text))
        except InputError as refusal:
            refusals.append(refusal)
    if said is not None and refusals:
        raise refusals[0]
    if not results:
        raise refusals[-1]
    if said is not None or len({(one.lat_deg, one.lon_deg) for one in results}) == 1:
        only = results[0]
        if refusals:
            note = f"{letter} after the zone read as {readings[-1]}: {refusals[0].what}"
            return (replace(only, assumed=(*only.assumed, note)),)
        return (only,)
    return tuple(results)


def limits(zone: int, which: str, northing: Metres) -> tuple[bool, tuple[float, float]]:
    """Return whether a band ("S") or half ("south") is southern, and its latitudes in degrees.

    Raises
    ------
    InputError
        If the zone has no such band.
    """
    if which in _HALVES:
        return _HALVES[which]
    found = bounds(zone, which)
    if found is None:
        raise InputError(f"zone {zone} has no band X", "write the zone of Svalbard that holds it")
    slack_deg = slack_of(northing.half_m)
    return which < "N", (found.south_deg - slack_deg, found.north_deg + slack_deg)


def slack_of(half_m: float) -> float:
    """Return by how much half of a northing's last digit widens a band, degrees."""
    return half_m / 110_000.0


def _zoned(
    zone: int, which: str, lengths: tuple[Metres, Metres], shape: Ellipsoid, text: NormalText
) -> Reading:
    """Read in a band ("S") or a hemisphere ("south")."""
    easting, northing = lengths
    southern, (low, high) = limits(zone, which, northing)
    north_m = northing.value_m - (SOUTH_FALSE_NORTHING_M if southern else 0.0)
    lat_deg, lon_deg, miss_m = from_utm(easting.value_m, north_m, zone, shape, ONE)
    if not low <= lat_deg <= high:
        name = f"the {which}" if which in _HALVES else f"band {which}"
        raise InputError(
            f"northing {northing.value_m:,.0f} m lies outside {name}",
            "check the northing, and write north or south if the letter is no band",
        )
    if not miss_m < SAME_PLACE_M:
        raise InputError("the coordinates do not come out as typed", "check zone and numbers")
    assumed: tuple[str, ...] = ()
    home = bounds(zone, BANDS[max(0, min(19, math.floor((lat_deg + 80.0) / 8.0)))])
    west, east = (6.0 * zone - 186.0, 6.0 * zone - 180.0) if home is None else home[2:]
    outside_deg = max(west - lon_deg, lon_deg - east)
    if outside_deg * 111_320.0 * math.cos(math.radians(lat_deg)) > _OVERLAP_M:
        note = f"the point lies {outside_deg:.1f} degrees outside zone {zone}, whose grid was used"
        assumed = (note,)
    return Reading(
        lat_deg=lat_deg,
        lon_deg=wrapped(lon_deg),
        precision_m=precision_m(easting.half_m, northing.half_m, UTM_SCALE),
        notation=Notation.UTM,
        datum=text.bare_datum,
        assumed=assumed,
        meaning=f"zone {zone}, {which if which in _HALVES else f'band {which}'}",
    )


def precision_m(half_easting_m: float, half_northing_m: float, scale: float) -> float:
    """Return half the diagonal of the cell on the ground, rounded outward, metres."""
    return math.sqrt(half_easting_m**2 + half_northing_m**2) / scale


def _ups(groups: tuple[str | None, ...], labels: int, text: NormalText) -> tuple[Reading, ...]:
    word, letter = groups[0], groups[4]
    said = _hemisphere(*groups[1:4])
    if letter is not None and word is None and letter not in "ABYZ":
        return ()
    lengths = _lengths(groups[5:], labels, word)
    if lengths is None or (word is None and letter is None):
        return ()
    if letter is not None and letter not in "ABYZNS":
        raise InputError(f"{letter} is no polar area", "write north or south, or A, B, Y or Z")
    easting, northing = lengths
    north = said == "N" if said else letter in ("Y", "Z", "N")
    if letter in ("A", "B", "Y", "Z"):
        eastern = letter in "BZ"
        if easting.value_m != UPS_FALSE_M and eastern != (easting.value_m > UPS_FALSE_M):
            raise InputError(
                f"easting {easting.value_m:,.0f} m lies outside the polar area {letter}",
                "check the easting and the letter",
            )
    shape, _ = ellipsoid_of(text.bare_datum)
    lat_deg, lon_deg, miss_m = from_ups(easting.value_m, northing.value_m, shape, ONE, north=north)
    if abs(lat_deg) < (84.0 if north else 80.0) - _BEYOND_LAT_DEG:
        raise InputError(
            f"the point lies at latitude {lat_deg:.1f}, outside the polar area",
            "write a UTM zone, or check the numbers",
        )
    if not miss_m < SAME_PLACE_M:
        raise InputError("the coordinates do not come out as typed", "check the numbers")
    return (
        Reading(
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            precision_m=precision_m(easting.half_m, northing.half_m, UPS_SCALE),
            notation=Notation.UPS,
            datum=text.bare_datum,
            meaning=f"the polar area of the {'north' if north else 'south'}",
        ),
    )


def write(lat_deg: float, lon_deg: float, uncertainty_m: float = 0.0) -> str:
    """Write UTM or, about the poles, UPS; see `deconflict.geo.notation.reading`."""
    if -80.0 <= lat_deg <= 84.0:
        zone, _ = zone_and_band(lat_deg, lon_deg)
        middle = 6.0 * zone - 183.0
        easting, northing = to_utm(
            lat_deg, middle + math.remainder(lon_deg - middle, 360.0), zone, WGS84, ONE
        )
        northing += SOUTH_FALSE_NORTHING_M if lat_deg < 0.0 else 0.0
        head, scale = f"UTM zone {zone} {'south' if lat_deg < 0.0 else 'north'}", UTM_SCALE
    else:
        easting, northing = to_ups(lat_deg, lon_deg, WGS84, ONE)
        head, scale = f"UPS {'north' if lat_deg > 0.0 else 'south'}", UPS_SCALE
    decimals = 3
    for fewer in range(3):
        half_m = 0.5 / 10**fewer
        if precision_m(half_m, half_m, scale) <= uncertainty_m:
            decimals = fewer
            break
    return f"{head} {easting:.{decimals}f} mE {northing:.{decimals}f} mN"

"""Latitude and longitude: decimal degrees, degrees and minutes, degrees, minutes and seconds.

Read are texts that say which number is which: by hemisphere letters or words after or before
both numbers, or by axis names ("lat=-36.37 lon=37.515"). A number that has no letter and no
name is refused, however likely one reading may look.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from deconflict.geo.elementary import ONE
from deconflict.geo.errors import InputError
from deconflict.geo.notation.ellipsoids import WGS84
from deconflict.geo.notation.hemisphere import in_english
from deconflict.geo.notation.reading import Reading
from deconflict.geo.notation.text import NormalText
from deconflict.geo.position import Notation
from deconflict.geo.projection import half_diagonal_m

NOTATIONS = (
    Notation.DECIMAL_DEGREES,
    Notation.DEGREES_MINUTES,
    Notation.DEGREES_MINUTES_SECONDS,
)
_AXES = (("latitude", "N", "S"), ("longitude", "E", "W"))
_UNITS_PER_DEGREE = (1.0, 60.0, 3600.0)
_HALF = tuple(0.5 / 10.0**decimals for decimals in range(18))
SAME_ANGLE_S = 1e-6
"""An angle that does not come out as typed within this is an error, seconds."""
_ENOUGH_DECIMALS = (8, 6, 4)
"""Decimals of degrees, minutes and seconds that make about a millimetre."""

_ANGLE = (
    r"(\d{1,3}(?:[.,]\d{1,17})?)"
    r"(?:(?: ?° ?|[ :-])(\d{1,2}(?:[.,]\d{1,17})?)"
    r"(?:(?: ?' ?|[ :-])(\d{1,2}(?:[.,]\d{1,17})?)(?: ?\")?| ?')?| ?°)?"
)
_BETWEEN = "[ ,;/]*"
LETTERS_AFTER = re.compile(rf"{_ANGLE} ?([NSEW]){_BETWEEN}{_ANGLE} ?([NSEW])")
LETTERS_BEFORE = re.compile(rf"([NSEW]) ?{_ANGLE}{_BETWEEN}([NSEW]) ?{_ANGLE}")
_NAMED = rf"(LAT|LON)\.? ?[:=]? ?([NSEW])? ?([+-])?{_ANGLE} ?([NSEW])?"
_AXIS_NAMES = re.compile(rf"\(?{_NAMED}{_BETWEEN}{_NAMED}\)?")
# 362212N 0373054E and N3622.20 E03730.90, as in aeronautical publications: fixed widths.
_PACKED = r"(\d{2,3})(\d{2})((?:\d{2})?(?:[.,]\d{1,17})?)"
_PACKED_AFTER = re.compile(rf"{_PACKED} ?([NS]){_BETWEEN}{_PACKED} ?([EW])")
_PACKED_BEFORE = re.compile(rf"([NS]) ?{_PACKED}{_BETWEEN}([EW]) ?{_PACKED}")
_LOOSE = rf"[NSEW]? ?[+-]?{_ANGLE} ?[NSEW]?"
_UNSAID = re.compile(rf"\(?{_LOOSE}(?:[ ,;/]+|(?<=[NSEW])){_LOOSE}\)?")
_SIGNED = re.compile(r"(?<![\d°'\"])-")
_OTHER_LETTERS = re.compile(r"[^\W\d_NSEW]|[^\W\d_]{2}")

Angle = tuple[str, str | None, str | None]
Parsed = tuple[float, float, float, float, int]
"""Latitude, longitude, half of the last digit of each in degrees, and the smallest unit used."""


def claim(text: NormalText) -> tuple[Reading, ...]:
    """Claim latitude and longitude; see `deconflict.geo.notation.reading`."""
    if text.text[0] == "E" and text.text.startswith("EPSG"):
        return ()
    if not _OTHER_LETTERS.search(text.text):
        parsed = parse(text.text)
        return () if parsed is None else (_reading(parsed, text),)
    readings = []
    for english in in_english(text.text):
        parsed = parse(english)
        if parsed is not None:
            meaning = f"{_hemispheres(parsed)} in one language"
            readings.append(_reading(parsed, text, meaning=meaning))
    return tuple(readings)


def _hemispheres(parsed: Parsed) -> str:
    lat, lon = parsed[:2]
    return f"{'south' if lat < 0 else 'north'} and {'west' if lon < 0 else 'east'}"


def _reading(parsed: Parsed, text: NormalText, meaning: str = "") -> Reading:
    lat_deg, lon_deg, half_lat_deg, half_lon_deg, unit = parsed
    return Reading(
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        precision_m=half_diagonal_m(lat_deg, half_lat_deg, half_lon_deg, WGS84, ONE),
        notation=NOTATIONS[unit],
        datum=text.bare_datum,
        meaning=meaning,
    )


def parse(text: str) -> Parsed | None:
    """Return what a text in English letters says; ``None`` if it is no text of degrees.

    Raises
    ------
    InputError
        If it is one and does not say a place.
    """
    if found := LETTERS_AFTER.fullmatch(text):
        d, m, s, letter, d2, m2, s2, letter2 = found.groups()
        return placed((d, m, s), letter, (d2, m2, s2), letter2)
    if found := LETTERS_BEFORE.fullmatch(text):
        letter, d, m, s, letter2, d2, m2, s2 = found.groups()
        return placed((d, m, s), letter, (d2, m2, s2), letter2)
    if found := _PACKED_AFTER.fullmatch(text):
        d, m, s, letter, d2, m2, s2, letter2 = found.groups()
        return placed(_unpacked(d, m, s, 2), letter, _unpacked(d2, m2, s2, 3), letter2)
    if found := _PACKED_BEFORE.fullmatch(text):
        letter, d, m, s, letter2, d2, m2, s2 = found.groups()
        return placed(_unpacked(d, m, s, 2), letter, _unpacked(d2, m2, s2, 3), letter2)
    if found := _AXIS_NAMES.fullmatch(text):
        groups = found.groups()
        return placed(*_named(groups[:7]), *_named(groups[7:]))
    if _UNSAID.fullmatch(text):
        if any(letter in text for letter in "NSEW") and ("+" in text or _SIGNED.search(text)):
            raise InputError(
                "the text has signs and hemisphere letters, which may contradict each other",
                'write letters only, such as "36.37 S 37.515 E WGS 84"',
            )
        raise InputError(
            "the text does not say which number is latitude and which is longitude, "
            "or in which hemispheres they are",
            'write a letter with each number and the datum, such as "36.37 N 37.515 E WGS 84"',
        )
    return None


def _unpacked(degrees: str, minutes: str, rest: str, digits: int) -> Angle:
    if len(degrees) != digits:
        raise InputError(
            f"{degrees}{minutes}{rest} has too few or too many digits to be told apart",
            "write latitude as DDMM or DDMMSS and longitude as DDDMM or DDDMMSS, or put spaces "
            "between degrees, minutes and seconds",
        )
    if rest[:1].isdigit():
        return degrees, minutes, rest
    return degrees, minutes + rest, None


def _named(groups: Sequence[str | None]) -> tuple[Angle, str]:
    """Return one angle of a text with axis names, and its hemisphere letter."""
    axis, before, sign, degrees, minutes, seconds, after = groups
    name, positive, negative = _AXES[axis == "LON"]
    letter = before or after
    if letter is None:
        letter = negative if sign == "-" else positive
    elif sign is not None or (before and after):
        raise InputError(
            f"the {name} has more than one of sign and hemisphere letter", "write one of them"
        )
    elif letter not in (positive, negative):
        raise InputError(
            f"{letter} is no hemisphere of a {name}",
            "write N or S with the latitude, E or W with the longitude",
        )
    return (degrees or "", minutes, seconds), letter


def placed(first: Angle, letter: str, second: Angle, letter2: str) -> Parsed:
    """Return what two angles with hemisphere letters say.

    Raises
    ------
    InputError
        If they are no latitude and longitude, or out of their bounds.
    """
    if letter in "EW":
        first, letter, second, letter2 = second, letter2, first, letter
    if letter in "EW" or letter2 in "NS":
        raise InputError(
            f"the text has two {'longitudes' if letter in 'EW' else 'latitudes'}",
            "write one number with N or S and one with E or W",
        )
    lat_deg, half_lat_deg, unit, mark = _angle(first, 90, "latitude")
    lon_deg, half_lon_deg, unit2, mark2 = _angle(second, 180, "longitude")
    if unit != unit2:
        whole = first if unit < unit2 else second
        if any("." in part or "," in part for part in whole if part):
            raise InputError(
                "latitude and longitude are written in different ways",
                "write both in decimal degrees, in degrees and minutes, or with seconds",
            )
        unit = max(unit, unit2)
    if mark != mark2 and mark and mark2:
        raise InputError(
            "one number has a decimal comma and the other a decimal point", "write both alike"
        )
    return (
        -lat_deg if letter == "S" else lat_deg,
        -lon_deg if letter2 == "W" else lon_deg,
        half_lat_deg,
        half_lon_deg,
        unit,
    )


def _angle(parts: Angle, limit: int, name: str) -> tuple[float, float, int, str]:
    """Return degrees, half of the last digit in degrees, the smallest unit, the decimal mark."""
    d, m, s = parts
    last = s or m or d
    if last.isdigit():
        mark, decimals = "", 0
    elif "." in last:
        mark, decimals = ".", len(last) - last.index(".") - 1
    else:
        mark, decimals = ",", len(last) - last.index(",") - 1
        last = last.replace(",", ".")
    if m is None:
        value, unit, typed_s = float(last), 0, 0.0  # nothing to take apart and put together
    else:
        if not d.isdigit() or (s is not None and not m.isdigit()):
            raise InputError(
                f"the {name} has a fraction of {'minutes' if d.isdigit() else 'degrees'} and a "
                "smaller unit too",
                "write the fraction on the last number only",
            )
        minutes, seconds = (float(last), 0.0) if s is None else (float(m), float(last))
        if minutes >= 60.0 or seconds >= 60.0:
            what, count = ("minutes", minutes) if minutes >= 60.0 else ("seconds", seconds)
            raise InputError(
                f"the {name} has {count:g} {what}, and there are only 60",
                f"write {what} below 60, or decimal degrees",
            )
        degrees = float(d)
        value, unit = degrees + minutes / 60.0 + seconds / 3600.0, 1 if s is None else 2
        typed_s = degrees * 3600.0 + minutes * 60.0 + seconds
    if value > limit:
        raise InputError(
            f"{name} {value:g} lies beyond {limit} degrees",
            f"write a {name} from 0 to {limit} with its letter",
        )
    if unit and abs(_seconds(value) - typed_s) > SAME_ANGLE_S:
        raise InputError(f"the {name} does not come out as typed", "write it in decimal degrees")
    return value, half_last_digit_deg(decimals, unit), unit, mark


def half_last_digit_deg(decimals: int, unit: int) -> float:
    """Return half of the last decimal of degrees (unit 0), minutes or seconds, degrees."""
    return _HALF[decimals] / _UNITS_PER_DEGREE[unit]


def _seconds(value: float) -> float:
    """Encode an angle again: whole degrees, whole minutes, and the rest, in seconds."""
    degrees = int(value)
    rest = (value - degrees) * 60.0
    minutes = int(rest)
    return degrees * 3600.0 + minutes * 60.0 + (rest - minutes) * 60.0


def write_decimal(lat_deg: float, lon_deg: float, uncertainty_m: float = 0.0) -> str:
    """Write decimal degrees; see `deconflict.geo.notation.reading`."""
    return _written(lat_deg, lon_deg, uncertainty_m, 0)


def write_minutes(lat_deg: float, lon_deg: float, uncertainty_m: float = 0.0) -> str:
    """Write degrees and decimal minutes; see `deconflict.geo.notation.reading`."""
    return _written(lat_deg, lon_deg, uncertainty_m, 1)


def write_seconds(lat_deg: float, lon_deg: float, uncertainty_m: float = 0.0) -> str:
    """Write degrees, minutes and seconds; see `deconflict.geo.notation.reading`."""
    return _written(lat_deg, lon_deg, uncertainty_m, 2)


def _written(lat_deg: float, lon_deg: float, uncertainty_m: float, unit: int) -> str:
    decimals = _ENOUGH_DECIMALS[unit]
    for fewer in range(decimals):
        half_deg = _HALF[fewer] / _UNITS_PER_DEGREE[unit]
        if half_diagonal_m(lat_deg, half_deg, half_deg, WGS84, ONE) <= uncertainty_m:
            decimals = fewer
            break
    lat = _written_angle(abs(lat_deg), unit, decimals)
    lon = _written_angle(abs(lon_deg), unit, decimals)
    return f"{lat} {'S' if lat_deg < 0 else 'N'} {lon} {'W' if lon_deg < 0 else 'E'} WGS 84"


def _written_angle(value: float, unit: int, decimals: int) -> str:
    steps = round(value * _UNITS_PER_DEGREE[unit] * 10**decimals)
    whole, fraction = divmod(steps, 10**decimals)
    last = f".{fraction:0{decimals}d}" if decimals else ""
    if unit == 0:
        return f"{whole}{last}°"
    if unit == 1:
        degrees, minutes = divmod(whole, 60)
        return f"{degrees}° {minutes:02d}{last}'"
    minutes, seconds = divmod(whole, 60)
    degrees, minutes = divmod(minutes, 60)
    return f"{degrees}° {minutes:02d}' {seconds:02d}{last}\""

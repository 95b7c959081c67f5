"""Coordinates in a system of the EPSG data set: ``EPSG:4284 36.37 37.515``.

Without marks the two numbers are in the order of the authority (northing first in EPSG:28407,
easting first in EPSG:32637); with letters or the names of axes they are what these say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deconflict.geo.errors import InputError
from deconflict.geo.notation.reading import Reading
from deconflict.geo.position import Notation

if TYPE_CHECKING:
    from deconflict.geo.datum.crs import Crs
    from deconflict.geo.notation.text import NormalText

_BEGINS = re.compile(r"EPSG\b")
_CODE = re.compile(r"EPSG[ :/#-]*(?P<code>\d{1,6})(?:[ ,;:/]+|$)(?P<rest>.*)")
_NUMBER = (
    r"(?P<sign{0}>[+-]?)[ ]*(?P<number{0}>\d+(?:[.,]\d+)?)[ ]*(?P<unit{0}>°|DEG|MET[A-Z]+|M|FT)?"
)
_BETWEEN = r"(?P<between>[ ]*[;/][ ]*|[ ]*,[ ]+|[ ]+,?[ ]*|,)"
_BEFORE = r"(?:(?P<mark{0}>[A-Z]+)[ ]*[:=]?[ ]*)?" + _NUMBER
_AFTER = _NUMBER + r"[ ]*(?P<mark{0}>[NSEW]|NORTH|SOUTH|EAST|WEST)?"
_FORMS = tuple(
    re.compile(rf"\(?{form.format(1)}{_BETWEEN}{form.format(2)}\)?") for form in (_BEFORE, _AFTER)
)
_MEANT: dict[str, tuple[str, int]] = {
    "N": ("NORTHING", 1), "NORTH": ("NORTHING", 1), "NORTHING": ("NORTHING", 1),
    "E": ("EASTING", 1), "EAST": ("EASTING", 1), "EASTING": ("EASTING", 1),
    "S": ("NORTHING", -1), "SOUTH": ("NORTHING", -1), "SOUTHING": ("SOUTHING", 1),
    "W": ("EASTING", -1), "WEST": ("EASTING", -1), "WESTING": ("WESTING", 1),
    "LAT": ("NORTHING", 1), "LATITUDE": ("NORTHING", 1),
    "LON": ("EASTING", 1), "LONG": ("EASTING", 1), "LONGITUDE": ("EASTING", 1),
}  # fmt: skip
_ANGULAR = frozenset({"LAT", "LATITUDE", "LON", "LONG", "LONGITUDE"})
_UNITS = {"°": "degree", "DEG": "degree", "M": "metre", "FT": "foot"}


def claim(text: NormalText) -> tuple[Reading, ...]:
    """Read a text that begins with ``EPSG``; the answer is on WGS 84 already.

    Raises
    ------
    InputError
        If the code is unknown or of a system without a place on a map, if the text does not hold
        two coordinates of it, or if they are far from its area.
    """
    if not _BEGINS.match(text.text):
        return ()
    coded = _CODE.fullmatch(text.text)
    if coded is None:
        raise InputError(
            "the text begins with EPSG and has no code after it",
            "write it as EPSG:4284 36.37 37.515",
        )
    from deconflict.geo.datum import crs_to_wgs84, datum_named
    from deconflict.geo.datum.crs import crs_of

    crs = crs_of(int(coded["code"]))
    if text.datum is not None and datum_named(text.datum).epsg != crs.datum_epsg:
        raise InputError(
            f"the text names the datum {text.datum}, and EPSG:{crs.epsg} is on {crs.datum_name}",
            "leave one of them out",
        )
    first, second, steps = _coordinates(crs, coded["rest"])
    shifted = crs_to_wgs84(crs.epsg, first, second)
    return (
        Reading(
            lat_deg=shifted.lat_deg,
            lon_deg=shifted.lon_deg,
            precision_m=crs.precision_m(*steps, shifted.lat_deg),
            notation=Notation.EPSG,
            datum=crs.datum_name,
            shift=shifted,
            meaning=f"EPSG:{crs.epsg} ({crs.name})",
        ),
    )


def write(lat_deg: float, lon_deg: float, uncertainty_m: float = 0.0) -> str:
    """Write a WGS 84 point as ``EPSG:4326 36.370000 37.515000``; see `write_in`."""
    return write_in(4326, lat_deg, lon_deg, uncertainty_m)


def write_in(epsg: int, lat_deg: float, lon_deg: float, uncertainty_m: float = 0.0) -> str:
    """Write a WGS 84 point in a system of the EPSG data set, in the order of its authority.

    Parameters
    ----------
    epsg
        Code of a two-dimensional geographic or projected system.
    lat_deg, lon_deg
        Degrees on WGS 84.
    uncertainty_m
        Metres; the last digit counts at most this much, and no less than a centimetre.

    Raises
    ------
    InputError
        If the system does not reach the point, or no transformation to its datum is published.
    """
    from deconflict.geo.datum import wgs84_to_crs
    from deconflict.geo.datum.crs import crs_of

    first, second = wgs84_to_crs(epsg, lat_deg, lon_deg)
    crs = crs_of(epsg)
    decimals = 0
    while decimals < 8 and crs.precision_m(10.0**-decimals, 10.0**-decimals, 0.0) > max(
        uncertainty_m, 0.01
    ):
        decimals += 1
    return f"EPSG:{epsg} {first:.{decimals}f} {second:.{decimals}f}"


def _coordinates(crs: Crs, rest: str) -> tuple[float, float, tuple[float, float]]:
    before, after = _FORMS
    pairs = [pair] if (pair := before.fullmatch(rest)) else []
    if not pairs or bool(pairs[0]["mark1"]) != bool(pairs[0]["mark2"]):
        pairs += [pair] if (pair := after.fullmatch(rest)) else []
    if len(pairs) == 2:
        raise InputError(
            "a single mark between the two numbers may belong to either", "mark both numbers"
        )
    if not pairs:
        raise InputError(
            f"after EPSG:{crs.epsg} there are not two decimal numbers",
            _remedy(crs),
        )
    pair = pairs[0]
    numbers = (pair["number1"], pair["number2"])
    if pair["between"] == "," and any("," in number for number in numbers):
        raise InputError(
            "the comma stands between the numbers and within them",
            "write decimal points, or a semicolon between the numbers",
        )
    values, steps, axes = [], [], []
    for i in ("1", "2"):
        number = pair["number" + i].replace(",", ".")
        value = float(number)
        _check_unit(crs, pair["unit" + i])
        axis, sign = _axis(crs, pair["mark" + i])
        if sign < 0 and pair["sign" + i]:
            raise InputError(
                f"{pair['sign' + i]}{number} has a sign and a letter for it", "write one of them"
            )
        values.append(-value if sign < 0 or pair["sign" + i] == "-" else value)
        steps.append(10.0 ** -len(number.partition(".")[2]))
        axes.append(axis)
    given = [axis for axis in axes if axis is not None]
    if len(given) == 2 and given[0] == given[1]:
        raise InputError("both numbers are marked as the same axis", _remedy(crs))
    if axes[0] == 1 or axes[1] == 0:
        values.reverse()
        steps.reverse()
    return values[0], values[1], (steps[0], steps[1])


def _axis(crs: Crs, mark: str | None) -> tuple[int | None, int]:
    """Which axis a mark names (``None``: there is no mark), and whether it turns the sign."""
    if mark is None:
        return None, 1
    for i, (short, _) in enumerate(crs.labels):
        if mark == short:
            return i, 1
    wanted, sign = _MEANT.get(mark, ("", 1))
    if mark in _ANGULAR and not crs.geographic:
        wanted = ""
    if sign < 0 and not crs.geographic:
        wanted = ""
    for i, (axis, (_, long)) in enumerate(zip(crs.axes, crs.labels, strict=True)):
        name = long
        if crs.geographic:
            name = "NORTHING" if axis in {"north", "south"} else "EASTING"
        if wanted and name == wanted:
            return i, sign
    raise InputError(f"EPSG:{crs.epsg} has no axis {mark}", _remedy(crs))


def _check_unit(crs: Crs, unit: str | None) -> None:
    if unit is None:
        return
    meant = _UNITS.get(unit, "metre")
    if meant != crs.unit_name and not (meant == "foot" and "foot" in crs.unit_name):
        raise InputError(
            f"EPSG:{crs.epsg} counts in the unit {crs.unit_name}, and the text says {unit}",
            _remedy(crs),
        )


def _remedy(crs: Crs) -> str:
    first, second = (f"{long.lower()} ({short})" for short, long in crs.labels)
    return f"write {first} and {second} as decimal numbers in the unit {crs.unit_name}"

"""Plus Codes (Open Location Code): full codes only.

Source: the Open Location Code specification, version 1.2.1. A code names a cell; the position is
its centre. Codes are on WGS 84. A short code needs a town that it is counted from, and is refused.
"""

from __future__ import annotations

import re

from deconflict.geo.elementary import ONE
from deconflict.geo.errors import InputError
from deconflict.geo.notation.ellipsoids import WGS84
from deconflict.geo.notation.reading import Reading
from deconflict.geo.notation.text import NormalText
from deconflict.geo.position import Notation
from deconflict.geo.projection import half_diagonal_m

SIGNS = "23456789CFGHJMPQRVWX"
_VALUE = {sign: value for value, sign in enumerate(SIGNS)}
CODE = re.compile(rf"([{SIGNS}0]{{8}})\+([{SIGNS}]{{0,7}})")
_CODED = re.compile(rf"(?:PLUS ?CODE|OLC)?[ :]*([{SIGNS}0]{{2,8}}\+[{SIGNS}]{{0,15}})((?:[ ,].*)?)")
_WORDED = re.compile(r"PLUS ?CODE|OLC\b")
LAT_STEPS = 8000 * 5**5
"""Steps of latitude in a degree of a code of 15 digits; the least cell is 3 by 14 mm."""
LON_STEPS = 8000 * 4**5

Parsed = tuple[float, float, float, float]
"""Latitude and longitude of the cell's centre, half its height and width; degrees."""


def claim(text: NormalText) -> tuple[Reading, ...]:
    """Claim a Plus Code; see `deconflict.geo.notation.reading`."""
    found = _CODED.fullmatch(text.text)
    if found is None:
        if _WORDED.match(text.text):
            raise InputError(
                "what follows is no Plus Code", 'write a full code, such as "8G83923M+22"'
            )
        return ()
    code = CODE.fullmatch(found[1])
    if code is None or found[2]:
        if found[1].index("+") < 8:
            raise InputError(
                "a short Plus Code depends on the town that it is counted from",
                "write the full code, which has eight signs before the +",
            )
        raise InputError(
            f"{text.text[:40]} is no Plus Code", 'write a full code, such as "8G83923M+22"'
        )
    if text.datum is not None and text.datum.replace(" ", "").replace("-", "") != "WGS84":
        raise InputError(
            f"Plus Codes are on WGS 84, and the text says {text.datum}", "leave the datum out"
        )
    lat_deg, lon_deg, half_lat_deg, half_lon_deg = parse(code)
    return (
        Reading(
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            precision_m=half_diagonal_m(lat_deg, half_lat_deg, half_lon_deg, WGS84, ONE),
            notation=Notation.PLUS_CODE,
            datum="WGS 84",
            meaning="a Plus Code",
        ),
    )


def parse(found: re.Match[str]) -> Parsed:
    """Return the cell that a match of `CODE` names.

    Raises
    ------
    InputError
        If it is none.
    """
    before, after = found.groups()
    pairs = before.rstrip("0")
    padded = len(pairs) < 8
    if "0" in pairs or len(pairs) % 2 or not pairs or (padded and after) or len(after) == 1:
        raise InputError(
            f"{found[0]} is no Plus Code",
            "write eight signs, + and two or more; zeros only in pairs at the end before the +",
        )
    y = x = 0
    y_step, x_step = LAT_STEPS * 400, LON_STEPS * 400
    signs = pairs + after[:2]
    for north, east in zip(signs[::2], signs[1::2], strict=True):
        y_step //= 20
        x_step //= 20
        y += _VALUE[north] * y_step
        x += _VALUE[east] * x_step
    for sign in after[2:]:
        y_step //= 5
        x_step //= 4
        row, column = divmod(_VALUE[sign], 4)
        y += row * y_step
        x += column * x_step
    if y >= 180 * LAT_STEPS or x >= 360 * LON_STEPS:
        raise InputError(
            f"{found[0]} lies beyond the pole or the antimeridian", "check its first two signs"
        )
    lat_deg = (y + 0.5 * y_step) / LAT_STEPS - 90.0
    lon_deg = (x + 0.5 * x_step) / LON_STEPS - 180.0
    count = len(pairs) + len(after)
    if _encoded(lat_deg, lon_deg, count) != found[0]:
        raise InputError("the Plus Code does not come out as typed", "check its signs")
    return lat_deg, lon_deg, 0.5 * y_step / LAT_STEPS, 0.5 * x_step / LON_STEPS


def _encoded(lat_deg: float, lon_deg: float, count: int) -> str:
    """Encode a point with so many signs."""
    y = min(int((lat_deg + 90.0) * LAT_STEPS), 180 * LAT_STEPS - 1)
    x = min(int((lon_deg + 180.0) * LON_STEPS), 360 * LON_STEPS - 1)
    finer: list[str] = []
    for _ in range(5):
        (y, row), (x, column) = divmod(y, 5), divmod(x, 4)
        finer.append(SIGNS[4 * row + column])
    pairs: list[str] = []
    for _ in range(5):
        (y, north), (x, east) = divmod(y, 20), divmod(x, 20)
        pairs.append(SIGNS[north] + SIGNS[east])
    code = "".join(reversed(pairs)) + "".join(reversed(finer))
    code = code[:count].ljust(8, "0")
    return f"{code[:8]}+{code[8:]}"


def write(lat_deg: float, lon_deg: float, uncertainty_m: float = 0.0) -> str:
    """Write the cell that holds the point; see `deconflict.geo.notation.reading`."""
    lon_deg = -180.0 if lon_deg >= 180.0 else lon_deg
    for count in (4, 6, 8, 10, 11, 12, 13, 14):
        pairs, finer = min(count, 10) // 2, max(count - 10, 0)
        half_lat_deg = 0.5 * 400.0 / 20.0**pairs / 5.0**finer
        half_lon_deg = 0.5 * 400.0 / 20.0**pairs / 4.0**finer
        if half_diagonal_m(lat_deg, half_lat_deg, half_lon_deg, WGS84, ONE) <= uncertainty_m:
            return _encoded(lat_deg, lon_deg, count)
    return _encoded(lat_deg, lon_deg, 15)

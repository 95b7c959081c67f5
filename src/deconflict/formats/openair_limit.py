"""Vertical limits as OpenAir files write them: feet above mean sea level unless they say more."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deconflict.formats.numbers import shown
from deconflict.geo.errors import InputError
from deconflict.geo.height import FOOT_M, AltitudeReference, Height

_GROUND = re.compile(r"(?:0 ?)?(?:GND|SFC|GROUND|SURFACE)")
_UNLIMITED = re.compile(r"UNL|UNLIM|UNLIMITED|UNLTD")
_FLIGHT_LEVEL = re.compile(r"FL ?(?P<level>[0-9]{1,3})")
_HEIGHT = re.compile(
    r"(?P<value>-?[0-9]{1,6}(?:\.[0-9]{1,3})?) ?(?P<unit>FT|FEET|F|M)? ?"
    r"(?P<reference>MSL|AMSL|ASL|ALT|AGL|GND|SFC|ASFC|STD)?"
)
_REFERENCES = {
    "AGL": AltitudeReference.AGL,
    "GND": AltitudeReference.AGL,
    "SFC": AltitudeReference.AGL,
    "ASFC": AltitudeReference.AGL,
    "STD": AltitudeReference.FL,
}


@dataclass(frozen=True, slots=True)
class OpenAirLimit:
    """A vertical limit.

    Attributes
    ----------
    height
        The height; ``None`` where there is no limit.
    ground
        Whether the limit is the ground itself, then ``height`` is 0 m above it.
    assumed
        What the text left open, one sentence each.
    """

    height: Height | None
    ground: bool = False
    assumed: tuple[str, ...] = ()


def read_limit(text: str) -> OpenAirLimit:
    """Return the limit that the text of an AL or AH record states.

    Raises
    ------
    InputError
        If the text states none, or two of which either could be meant.
    """
    plain = " ".join(text.upper().split())
    if _GROUND.fullmatch(plain):
        return OpenAirLimit(Height(0.0, AltitudeReference.AGL), ground=True)
    if _UNLIMITED.fullmatch(plain):
        return OpenAirLimit(None)
    level = _FLIGHT_LEVEL.fullmatch(plain)
    if level is not None:
        return OpenAirLimit(Height(int(level["level"]) * 3048 / 100, AltitudeReference.FL))
    match = _HEIGHT.fullmatch(plain)
    if match is None:
        raise InputError(
            f"{shown(text)} is no vertical limit",
            "write one of GND, UNL, FL 95, 3000 ft MSL, 500 ft AGL, 900 m MSL",
        )
    assumed = []
    if match["unit"] is None:
        assumed.append(f"{shown(text)} is in feet, because OpenAir names no other unit")
    if match["reference"] is None:
        assumed.append(f"{shown(text)} is above mean sea level, because OpenAir says no more")
    unit_m = 1.0 if match["unit"] == "M" else FOOT_M
    reference = _REFERENCES.get(match["reference"] or "", AltitudeReference.MSL)
    return OpenAirLimit(Height(float(match["value"]) * unit_m, reference), assumed=tuple(assumed))

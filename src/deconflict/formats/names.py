"""The names of the fixed properties, names mistaken for them, and texts that serve as keys."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from deconflict.formats.numbers import shown
from deconflict.geo.errors import InputError

KNOWN = (
    "id",
    "kind",
    "party",
    "name",
    "start",
    "end",
    "times",
    "lower_m",
    "upper_m",
    "altitude_reference",
    "ground_m",
    "uncertainty_m",
    "radius_m",
    "width_m",
    "danger_radius_m",
    "rule",
    "applies_to",
    "priority",
    "position",
    "also_at",
    "own_position",
    "obtained",
    "obtained_at",
    "reach_m",
    "assumed",
)
"""The fixed properties, in the order in which they are written."""

ALL_KNOWN = frozenset(KNOWN)

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""Control characters and line ends; marks for the direction of writing are none of them."""

_SURROGATE = re.compile("[\ud800-\udfff]")

# A name, identifier or rank under another spelling changes no verdict, and foreign files are full
# of "Name", "ID" and "Position".
_LABELS = frozenset({"id", "name", "position", "obtained", "priority", "times", "assumed"})
_MARKS = re.compile(r"[^0-9a-z]")
_UNITS = ("", "m", "metre", "metres", "meter", "meters", "ft", "feet", "km", "nm")
_OTHER_WORDS = {
    "altituderef": "altitude_reference",
    "altref": "altitude_reference",
    "altitudereferences": "altitude_reference",
    "lowerlimit": "lower_m",
    "loweraltitude": "lower_m",
    "upperlimit": "upper_m",
    "upperaltitude": "upper_m",
    "starttime": "start",
    "timestart": "start",
    "startutc": "start",
    "endtime": "end",
    "timeend": "end",
    "endutc": "end",
    "appliesto": "applies_to",
    "danger": "danger_radius_m",
    "dangerdistance": "danger_radius_m",
    "parties": "party",
}


@lru_cache(maxsize=4096)
def near_miss(name: str) -> str | None:
    """Return the known property that an unknown name could have been meant for, else ``None``.

    They are the known names in other case, with other marks between the words, with another unit
    or none, and a few other words for the same.
    """
    return _mistakable().get(_MARKS.sub("", name.lower()))


@lru_cache(maxsize=1)
def _mistakable() -> dict[str, str]:
    """Return every spelling that is meant for a known property, without marks."""
    spellings: dict[str, str] = {}
    for known in KNOWN:
        if known in _LABELS:
            continue
        if known.endswith("_m"):
            base = known[:-2].replace("_", "")
            # "ground" alone is a word of maps; without ground_m a band is only wider.
            units = _UNITS[1:] if base == "ground" else _UNITS
            spellings |= {base + unit: known for unit in units}
        else:
            spellings[known.replace("_", "")] = known
    return spellings | _OTHER_WORDS


def party_name(text: str, field: str) -> str:
    """Return a party's name, as `trimmed` returns a key.

    Raises
    ------
    InputError
        If it is empty, or holds control characters or bytes that are no characters.
    """
    name = trimmed(text, field)
    if not name or _SURROGATE.search(name):
        raise InputError(
            "the name of a party is empty" if not name else f"{shown(text)} is no name in UTF-8",
            "write the name, or leave it out for a party unlike any other",
            field=field,
        )
    return name


def trimmed(text: str, field: str) -> str:
    """Return a text that serves as a key: composed (NFC), without spaces around or doubled.

    Raises
    ------
    InputError
        If it holds control characters.
    """
    if text.isascii() and text.isalnum():
        return text
    if CONTROL.search(text):
        raise InputError(
            f"{shown(text)} holds control characters", "write it without them", field=field
        )
    return " ".join(unicodedata.normalize("NFC", text).split())

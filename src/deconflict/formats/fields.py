"""Single properties, each read strictly: texts, words of a list, lengths, heights and times."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from deconflict.formats.instant import read_instant
from deconflict.formats.names import CONTROL
from deconflict.formats.numbers import NumberText, number, shown
from deconflict.formats.reading import MAX_TEXT
from deconflict.geo.errors import InputError
from deconflict.geo.height import EVERY_HEIGHT, AltitudeBand, AltitudeReference, Height

SAID_ALWAYS = "no start or end stated: taken as always"
SAID_BEGUN = "no start stated: taken as having begun"
SAID_ENDLESS = "no end stated: taken as never ending"
SAID_EVERY_HEIGHT = "no lower_m or upper_m stated: taken as every height"
SAID_NO_FLOOR = "no lower_m stated: taken as unbounded downward"
SAID_NO_CEILING = "no upper_m stated: taken as unbounded upward"
SAID_ELLIPSOID = "no altitude_reference stated: heights taken as above the WGS 84 ellipsoid (W84)"

_HIGHEST_LEVEL = 660
"""The highest flight level in use; whole values up to it look like levels, not like metres."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_Word = TypeVar("_Word", bound=StrEnum)


def word(words: type[_Word], value: object, field: str, like: Callable[[str], str]) -> _Word:
    """Return the word of a fixed list that a text is, in whatever case.

    Raises
    ------
    InputError
        If it is none of them; the remedy lists them.
    """
    text = string(value, field)
    try:
        found: _Word = _named(words, text, like)
    except ValueError:
        allowed = ", ".join(word.value for word in words)
        raise InputError(
            f"{shown(text)} is no {field}", f"write one of: {allowed}", field=field
        ) from None
    return found


@lru_cache(maxsize=256)
def _named(words: type[_Word], text: str, like: Callable[[str], str]) -> _Word:
    return words(like(text.strip()))


def string(value: object, field: str) -> str:
    """Return a value that has to be a text.

    Raises
    ------
    InputError
        If it is no text, is too long, or holds half of a surrogate pair.
    """
    if type(value) is str and value.isascii() and len(value) <= MAX_TEXT:
        return value
    if isinstance(value, str) and not isinstance(value, NumberText):
        if len(value) > MAX_TEXT:
            raise InputError(
                f"a text of {len(value):,} characters",
                f"write at most {MAX_TEXT:,}",
                field=field,
            )
        if not value.isascii() and _SURROGATE.search(value):
            raise InputError(
                "the text holds half of a surrogate pair, which is no character",
                "write the character itself, in UTF-8",
                field=field,
            )
        return value
    raise InputError(f"{shown(value)} is not a text", "write it as a text", field=field)


def text_for_people(stated: Mapping[str, Any], field: str, said: list[str]) -> str | None:
    """Return a text for people, control characters replaced and that said."""
    if field not in stated:
        return None
    text = string(stated[field], field)
    if text.isprintable():
        return text.strip()
    clean = CONTROL.sub(" ", text)
    if clean != text:
        said.append(f"control characters in {field} replaced by spaces")
    return clean.strip()


def length_m(stated: Mapping[str, Any], field: str) -> float | None:
    """Return a length, metres, or ``None`` where it is missing.

    Raises
    ------
    InputError
        If it is no number or negative.
    """
    if field not in stated:
        return None
    value_m = number(stated[field], field)
    if value_m < 0:
        raise InputError(
            f"{field} is {value_m:g}", "write 0 or a positive number of metres", field=field
        )
    return value_m


def band_from(stated: Mapping[str, Any], said: list[str]) -> AltitudeBand:
    """Return the band that ``lower_m``, ``upper_m``, ``altitude_reference``, ``ground_m`` state.

    Raises
    ------
    InputError
        If one can't be read, or the lower limit lies above the upper one.
    """
    lower_m = number(stated["lower_m"], "lower_m") if "lower_m" in stated else None
    upper_m = number(stated["upper_m"], "upper_m") if "upper_m" in stated else None
    ground_m = number(stated["ground_m"], "ground_m") if "ground_m" in stated else None
    reference = AltitudeReference.W84
    if "altitude_reference" in stated:
        reference = word(
            AltitudeReference, stated["altitude_reference"], "altitude_reference", str.upper
        )
    elif lower_m is not None or upper_m is not None:
        said.append(SAID_ELLIPSOID)
    if lower_m is None or upper_m is None:
        if lower_m is not None:
            said.append(SAID_NO_CEILING)
        elif upper_m is not None:
            said.append(SAID_NO_FLOOR)
        else:
            said.append(SAID_EVERY_HEIGHT)
            if ground_m is None:
                return EVERY_HEIGHT
    elif lower_m > upper_m:
        raise InputError(
            f"lower_m {lower_m:g} lies above upper_m {upper_m:g}", "exchange them", field="lower_m"
        )
    if reference is AltitudeReference.FL:
        for field, value_m in (("lower_m", lower_m), ("upper_m", upper_m)):
            if value_m and 0 < value_m <= _HIGHEST_LEVEL and value_m % 5 == 0:
                said.append(
                    f"{field} {value_m:g} taken as metres of pressure altitude; if flight level "
                    f"{value_m:g} is meant, write {value_m * 30.48:g}"
                )
    return AltitudeBand(
        None if lower_m is None else Height(lower_m, reference),
        None if upper_m is None else Height(upper_m, reference),
        ground_m,
    )


def times_from(stated: Mapping[str, Any], vertices: int | None) -> tuple[datetime, ...]:
    """Return the instants at the vertices of a line, of which `vertices` is the number.

    ``None`` vertices: the geometry is no single line, and times are refused.

    Raises
    ------
    InputError
        If they are not one a vertex, or not in order.
    """
    value = stated.get("times")
    if value is None:
        return ()
    if vertices is None:
        raise InputError(
            "times belong to the vertices of one line",
            "leave them out, or give the geometry as one LineString",
            field="times",
        )
    if not isinstance(value, list) or len(value) != vertices:
        found = f"{len(value)} times" if isinstance(value, list) else shown(value)
        raise InputError(
            f"{found} for {vertices} vertices", "write a list of one time a vertex", field="times"
        )
    times = tuple(
        read_instant(
            string(text, "times"), "ceil" if index == vertices - 1 else "floor", field="times"
        )
        for index, text in enumerate(value)
    )
    for index in range(1, vertices):
        if times[index] < times[index - 1]:
            raise InputError(
                f"time {index + 1} ({shown(value[index])}) lies before the one in front of it",
                "write the times in order",
                field="times",
            )
    return times


def window_from(
    stated: Mapping[str, Any], times: tuple[datetime, ...], said: list[str]
) -> tuple[datetime | None, datetime | None]:
    """Return the start, rounded down, and the end, rounded up.

    Raises
    ------
    InputError
        If one can't be read, or the start lies after the end.
    """
    start = end = None
    if "start" in stated:
        start = read_instant(string(stated["start"], "start"), "floor", field="start")
    if "end" in stated:
        end = read_instant(string(stated["end"], "end"), "ceil", field="end")
    if times:
        if (start is not None and start > times[0]) or (end is not None and end < times[-1]):
            raise InputError(
                "the times of the vertices lie outside start and end",
                "leave start and end out, or let them hold all the times",
                field="times",
            )
        return times[0], times[-1]
    if start is not None and end is not None:
        if start > end:
            raise InputError(
                f"start {stated['start']} lies after end {stated['end']}",
                "exchange them, or correct the date",
                field="start",
            )
    elif start is not None:
        said.append(SAID_ENDLESS)
    else:
        said.append(SAID_ALWAYS if end is None else SAID_BEGUN)
    return start, end

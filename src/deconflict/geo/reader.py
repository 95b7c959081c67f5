"""Coordinate text to positions: every notation is asked, and nothing is guessed.

A text is read if exactly one place claims it. Two claims that differ are refused with both
readings; a latitude and longitude without a datum is refused; a grid reference without one is
read as WGS 84 and says so, unless the caller refuses that too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from deconflict.geo.datum import WGS84, datum_named, to_wgs84
from deconflict.geo.errors import AmbiguousTextError, InputError
from deconflict.geo.notation.frequent import Frequent, frequent, solved
from deconflict.geo.notation.reading import Reading
from deconflict.geo.notation.table import CARRY_NO_DATUM, NEED_A_DATUM, claims
from deconflict.geo.notation.text import NormalText, normal_text
from deconflict.geo.position import Notation, Position

if TYPE_CHECKING:
    from deconflict.geo.reader_many import ReadPositions

BareDatum = Literal["assume", "refuse"]
"""What to do with a grid reference that names no datum: assume WGS 84 and say so, or refuse."""

_ASSUMED_DATUM = "datum assumed: WGS 84"
_WORDS = re.compile(r"/{2,}.*|[^\W\d_]+[.。・・︒។][^\W\d_]+[.。・・︒។][^\W\d_]+")
_EXAMPLES = (
    'write it in one notation and nothing else, such as "36.37 N 37.515 E WGS 84", '
    '"36°22\'12\\"N 37°30\'54\\"E WGS 84", "37S CA 66842 26166" or '
    '"UTM zone 37 north 366842 mE 4026166 mN"'
)


def read_position(
    text: str,
    *,
    stated_uncertainty_m: float = 0.0,
    obtained: str | None = None,
    default_datum: str | None = None,
    bare_datum: BareDatum = "assume",
) -> Position:
    """Read one position in any notation.

    Parameters
    ----------
    text
        As typed, at most 200 characters.
    stated_uncertainty_m
        What the submitter says it may be off beyond notation and datum, metres, 95 %.
    obtained
        How the submitter obtained it.
    default_datum
        The datum of texts that name none, if the whole input has one. Notations that carry
        their own (Plus Codes, EPSG systems, Gauss-Krüger) are not touched by it.
    bare_datum
        Whether a grid reference (MGRS, UTM, UPS, GEOREF) without a datum is read as WGS 84,
        which is said in `Position.assumed`, or refused.

    Raises
    ------
    AmbiguousTextError
        If the text means two places.
    InputError
        If it means none.

    Examples
    --------
    >>> read_position("36°22′12″N 37°30′54″E WGS 84").lat_lon
    (36.37, 37.515)
    """
    _check_stated(stated_uncertainty_m)
    one = _frequent(text, default_datum, bare_datum)
    if one is not None and (place := solved(one)):
        assumed: tuple[str, ...] = ()
        if not one.named and one.notation is not Notation.PLUS_CODE:
            assumed = (_set_datum(default_datum) if default_datum else _ASSUMED_DATUM,)
        return Position(
            lat_deg=place[0],
            lon_deg=place[1],
            precision_m=place[2],
            stated_uncertainty_m=stated_uncertainty_m,
            text=text,
            notation=one.notation,
            obtained=obtained,
            assumed=assumed,
        )
    return _read(text, stated_uncertainty_m, obtained, default_datum, bare_datum)


def _check_stated(uncertainty_m: float) -> None:
    if not (math.isfinite(uncertainty_m) and uncertainty_m >= 0.0):
        raise InputError(
            f"a stated uncertainty of {uncertainty_m} m is none",
            "write metres from zero up",
            field="uncertainty_m",
        )


def _frequent(text: str, default_datum: str | None, bare_datum: BareDatum) -> Frequent | None:
    datum_is_set = default_datum is not None
    if default_datum is not None and not datum_named(default_datum).is_wgs84:
        return None
    return frequent(text, datum_is_set=datum_is_set, assume_datum=bare_datum == "assume")


def _set_datum(name: str) -> str:
    return f"datum of the whole input: {name}"


def _read(
    text: str,
    stated_uncertainty_m: float,
    obtained: str | None,
    default_datum: str | None,
    bare_datum: BareDatum,
) -> Position:
    """Read a text by asking every notation."""
    normal = normal_text(text, default_datum)
    readings = _claimed(normal)
    positions = [
        _position(reading, normal, stated_uncertainty_m, obtained, bare_datum)
        for reading in readings
    ]
    if len(positions) > 1:
        _refuse_if_apart(readings, positions)
    return positions[0]


def read_positions(
    texts: Sequence[str],
    *,
    stated_uncertainty_m: float = 0.0,
    obtained: str | None = None,
    default_datum: str | None = None,
    bare_datum: BareDatum = "assume",
) -> ReadPositions:
    """Read many positions at once, faster; the same answers as `read_position` gives.

    Parameters are those of `read_position` and hold for every text. A text that is refused does
    not stop the others: its row has NaN, and its error.
    """
    from deconflict.geo.reader_many import read_many

    _check_stated(stated_uncertainty_m)
    return read_many(
        texts,
        stated_uncertainty_m=stated_uncertainty_m,
        obtained=obtained,
        default_datum=default_datum,
        bare_datum=bare_datum,
    )


def _claimed(normal: NormalText) -> tuple[Reading, ...]:
    readings, refusal = _asked(normal)
    if readings:
        return readings
    if _WORDS.fullmatch(normal.text):
        raise InputError(
            "three words are no position that can be checked here",
            "keep them as a note, and write the coordinates that the service shows for them",
        )
    if refusal is not None:
        raise refusal
    if normal.datum is None and (named := _with_rarer_datum(normal)):
        return named
    raise InputError("the coordinate text is in no notation that is known", _EXAMPLES)


def _asked(normal: NormalText) -> tuple[tuple[Reading, ...], InputError | None]:
    """Ask every notation; return what they read, and the first refusal."""
    readings: tuple[Reading, ...] = ()
    refusal: InputError | None = None
    for claim in claims():
        try:
            readings += claim(normal)
        except InputError as error:
            refusal = refusal or error
    return readings, refusal


def _with_rarer_datum(normal: NormalText) -> tuple[Reading, ...]:
    """Read a text that begins or ends with a datum's name that is not in the table of names."""
    words = normal.text.split(" ")
    for count in range(1, min(5, len(words))):
        for name, rest in ((words[-count:], words[:-count]), (words[:count], words[count:])):
            datum = " ".join(name).strip(" ,;()")
            if not any(character.isalpha() for character in datum) or len(datum) < 2:
                continue
            asked = replace(normal, text=" ".join(rest).strip(" ,;"), datum=datum)
            if not asked.text:
                continue
            try:
                readings, _ = _asked(replace(asked, datum=None, default_datum="WGS 84"))
            except InputError:
                continue
            if readings:
                datum_named(datum)
                return _asked(asked)[0]
    return ()


def _position(
    reading: Reading,
    normal: NormalText,
    stated_uncertainty_m: float,
    obtained: str | None,
    bare_datum: BareDatum,
) -> Position:
    assumed = reading.assumed
    name, shifted = reading.datum, reading.shift
    if name is None:
        if reading.notation in NEED_A_DATUM:
            raise InputError(
                "the latitude and longitude do not say on which datum they are",
                f'add it, such as "{normal.typed.strip()} WGS 84" if a GPS receiver shows them so',
                field="datum",
            )
        if bare_datum == "refuse":
            raise InputError(
                f"the {reading.notation} text does not say on which datum it is",
                f'add it, such as "{normal.typed.strip()} WGS 84"',
                field="datum",
            )
        name, assumed = "WGS 84", (*assumed, _ASSUMED_DATUM)
    elif (
        normal.datum is None
        and normal.default_datum is not None
        and reading.notation in (CARRY_NO_DATUM | NEED_A_DATUM)
    ):
        assumed = (*assumed, _set_datum(normal.default_datum))
    datum = WGS84 if name == WGS84.name else datum_named(name)
    if shifted is None:
        if datum.is_wgs84:
            return Position(
                lat_deg=reading.lat_deg,
                lon_deg=reading.lon_deg,
                precision_m=reading.precision_m,
                stated_uncertainty_m=stated_uncertainty_m,
                text=normal.typed,
                notation=reading.notation,
                datum=datum.name,
                obtained=obtained,
                assumed=assumed,
            )
        shifted = to_wgs84(datum, reading.lat_deg, reading.lon_deg)
    return Position(
        lat_deg=shifted.lat_deg,
        lon_deg=shifted.lon_deg,
        precision_m=reading.precision_m,
        datum_uncertainty_m=shifted.uncertainty_m,
        stated_uncertainty_m=stated_uncertainty_m,
        text=normal.typed,
        notation=reading.notation,
        datum=datum.name,
        operation=shifted.operation,
        obtained=obtained,
        assumed=(*assumed, *shifted.assumed),
    )


def _refuse_if_apart(readings: Sequence[Reading], positions: Sequence[Position]) -> None:
    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    apart_m = max(
        geod.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)[2]
        for a, b in combinations(positions, 2)
    )
    if apart_m == 0.0:
        return
    meanings = [
        f"{reading.meaning or reading.notation} "
        f"({abs(one.lat_deg):.4f} {'S' if one.lat_deg < 0 else 'N'} "
        f"{abs(one.lon_deg):.4f} {'W' if one.lon_deg < 0 else 'E'})"
        for reading, one in zip(readings, positions, strict=True)
    ]
    apart = f"{apart_m:,.0f} m" if apart_m < 10_000 else f"{apart_m / 1000:,.0f} km"
    raise AmbiguousTextError(
        f"the text means two places, {apart} apart: {' or '.join(meanings)}",
        "write which: the words north and south, the notation's name, or another notation",
        readings=tuple(positions),
        distance_m=apart_m,
    )

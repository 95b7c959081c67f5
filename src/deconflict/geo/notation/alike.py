"""Many texts in frequent forms, taken apart in columns.

Texts that have digits, letters and marks at the same places have one shape. One of them is matched
with the notations' own patterns; the others then have the same parts at the same places, and are
decoded together. A row of which anything looks wrong is left out, for `frequent` to look at it by
itself. The numbers are those of `frequent`, to the last bit: at most 15 digits are an exact
integer, and its quotient by a power of ten is rounded as a text's number is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from re import Match
from string import ascii_uppercase, digits
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deconflict.geo.errors import InputError
from deconflict.geo.notation import degrees, georef, mgrs, pluscode, utm
from deconflict.geo.notation.frequent import GEOREF, without_datum
from deconflict.geo.notation.grid import SOUTH_FALSE_NORTHING_M, UTM_SCALE
from deconflict.geo.notation.text import USUAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Columns = tuple[NDArray[np.float64], ...]
    Rows = NDArray[np.bool_]

_CLASSES = bytes.maketrans((ascii_uppercase + digits).encode(), b"A" * 26 + b"0" * 10)
_LONGEST = 100
"""Characters: what is so long in normal form was within the limit as typed."""
_FEWEST = 32
"""Fewer texts of a shape are faster one by one."""
_MOST_SAMPLES = 8
"""Texts of a shape that are matched, of which each stands for those with the same words."""
_EXACT_DIGITS = 15

Span = tuple[int, int]


class _Apart(NamedTuple):
    """Texts taken apart: their numbers, which of them are right, and which had other words."""

    columns: Columns
    right: Rows
    others: Rows


def alike(
    texts: Sequence[str], *, datum_is_set: bool, assume_datum: bool
) -> Iterator[tuple[NDArray[np.int64], Columns]]:
    """Yield rows, and the columns of their `Angles` or `Metres`, shape by shape.

    Parameters are those of `deconflict.geo.notation.frequent.frequent`.
    """
    lines, groups = _shapes(texts)
    for shape, members in groups.items():
        if len(members) < _FEWEST or not 0 < len(shape) <= _LONGEST:
            continue
        rows = np.array(members, dtype=np.int64)
        text = np.frombuffer(b"".join([lines[row] for row in members]), dtype=np.uint8)
        text = text.reshape(len(rows), -1)
        for _ in range(_MOST_SAMPLES):
            found = _apart(text, datum_is_set=datum_is_set, assume_datum=assume_datum)
            if found is None:
                text, rows = text[1:], rows[1:]
            else:
                if found.right.all():
                    yield rows, found.columns
                else:
                    right = found.right
                    yield rows[right], tuple(column[right] for column in found.columns)
                text, rows = text[found.others], rows[found.others]
            if len(rows) < _FEWEST:
                break


def _shapes(texts: Sequence[str]) -> tuple[list[bytes], dict[bytes, list[int]]]:
    """Return the texts in normal form, and the rows of each shape.

    What is not in the usual characters keeps a mark that no pattern takes.
    """
    joined = "\n".join(texts)
    if joined.count("\n") >= len(texts):
        joined = "\n".join("" if "\n" in text else text for text in texts)
    if not joined.isascii():
        for mark, usual in USUAL:
            joined = joined.replace(mark, usual)
    whole = joined.encode("latin-1", "replace").upper().replace(b"''", b'"')
    groups: dict[bytes, list[int]] = defaultdict(list)
    for row, shape in enumerate(whole.translate(_CLASSES).split(b"\n")):
        groups[shape].append(row)
    # A sign of a Plus Code is a letter or a digit as it happens.
    for shape in [shape for shape in groups if b"+" in shape]:
        members = groups.pop(shape)
        groups[shape.replace(b"A", b"0")].extend(members)
    return whole.split(b"\n"), groups


def _apart(text: Bytes, *, datum_is_set: bool, assume_datum: bool) -> _Apart | None:
    """Take texts apart as the first of them; ``None`` if that is in no frequent form."""
    whole = text[0].tobytes().decode("latin-1")
    sample, named = without_datum(whole)
    start = 0 if whole.startswith(sample) else len(whole) - len(sample)
    if sample != " ".join(sample.split()):
        return None
    inner = text[:, start : start + len(sample)]
    found = None
    try:
        if named or datum_is_set:
            found = _angles(inner, sample)
        if found is None and (named or datum_is_set or assume_datum):
            found = _mgrs(inner, sample) or _utm(inner, sample) or _georef(inner, sample)
        if found is None:
            found = _plus_code(inner, sample)
    except InputError:
        return None
    if found is None or len(sample) == len(whole):
        return found
    outer = np.r_[0:start, start + len(sample) : len(whole)]
    same = (text[:, outer] == text[0, outer]).all(axis=1)
    return _Apart(found.columns, found.right & same, found.others | ~same)


def _number(text: Bytes, span: Span, sample: str) -> tuple[NDArray[np.float64], int]:
    """Return the numbers at a place, and how many decimals they have."""
    first, end = span
    typed = sample[first:end].replace(",", ".")
    point = typed.find(".")
    if len(typed) > _EXACT_DIGITS:
        raise InputError("the number has more digits than are exact", "read it by itself")
    value = np.zeros(len(text), dtype=np.int64)
    for place in range(first, end):
        if place - first != point:
            value *= 10
            value += text[:, place]
            value -= 48
    decimals = len(typed) - point - 1 if point >= 0 else 0
    exact = value.astype(np.float64)
    return (exact / 10.0**decimals if decimals else exact), decimals


def _whole(text: Bytes, span: Span, sample: str) -> NDArray[np.int64]:
    return _number(text, span, sample)[0].astype(np.int64)


def _words_differ(text: Bytes, sample: str, variable: Sequence[Span]) -> Rows:
    """Tell the rows whose letters, outside the variable places, are not those of the sample."""
    places = [
        place
        for place, character in enumerate(sample)
        if "A" <= character <= "Z" and not any(first <= place < end for first, end in variable)
    ]
    differ: Rows = (text[:, places] != text[0, places]).any(axis=1)
    return differ


def _angles(text: Bytes, sample: str) -> _Apart | None:
    if found := degrees.LETTERS_AFTER.fullmatch(sample):
        first, letter, second, letter2 = (1, 2, 3), 4, (5, 6, 7), 8
    elif found := degrees.LETTERS_BEFORE.fullmatch(sample):
        letter, first, letter2, second = 1, (2, 3, 4), 5, (6, 7, 8)
    else:
        return None
    d, d2 = first[0], second[0]
    degrees.placed(
        (found[d], found[d + 1], found[d + 2]),
        found[letter],
        (found[d2], found[d2 + 1], found[d2 + 2]),
        found[letter2],
    )
    if found[letter] in "EW":
        first, letter, second, letter2 = second, letter2, first, letter
    lat, half_lat_deg, right = _angle(text, found, first, 90.0, sample)
    lon, half_lon_deg, right2 = _angle(text, found, second, 180.0, sample)
    north, east = text[:, found.start(letter)], text[:, found.start(letter2)]
    south, west = north == ord("S"), east == ord("W")
    ours = (south | (north == ord("N"))) & (west | (east == ord("E")))
    columns = (
        np.where(south, -lat, lat),
        np.where(west, -lon, lon),
        np.full(len(text), half_lat_deg),
        np.full(len(text), half_lon_deg),
    )
    return _Apart(columns, right & right2 & ours, ~ours)


def _angle(
    text: Bytes, found: Match[str], groups: tuple[int, int, int], limit: float, sample: str
) -> tuple[NDArray[np.float64], float, Rows]:
    """Return angles, half of their last digit in degrees, and which of them are right."""
    numbers = [_number(text, found.span(group), sample) for group in groups if found[group]]
    unit, decimals = len(numbers) - 1, numbers[-1][1]
    half_deg = degrees.half_last_digit_deg(decimals, unit)
    value = numbers[0][0]
    if not unit:
        return value, half_deg, value <= limit
    minutes = numbers[1][0]
    seconds = numbers[2][0] if unit == 2 else np.zeros(len(text))
    typed_s = value * 3600.0 + minutes * 60.0 + seconds
    value = value + minutes / 60.0 + seconds / 3600.0
    whole = np.floor(value)
    rest = (value - whole) * 60.0
    again = np.floor(rest)
    again_s = whole * 3600.0 + again * 60.0 + (rest - again) * 60.0
    right = (minutes < 60.0) & (seconds < 60.0) & (value <= limit)
    return value, half_deg, right & (np.abs(again_s - typed_s) <= degrees.SAME_ANGLE_S)


class _Zones(NamedTuple):
    """By zone and band: what `mgrs.zone_of` says, NaN where there is none; by letter: squares."""

    limits: NDArray[np.float64]
    first_row: NDArray[np.float64]
    middle: NDArray[np.float64]
    columns: NDArray[np.int64]
    rows: NDArray[np.int64]


@lru_cache(maxsize=1)
def _zones() -> _Zones:
    limits = np.full((100, 26, 4), np.nan)
    first_row, middle = np.zeros((100, 26)), np.zeros((100, 26))
    columns = np.full((100, 26), -1, dtype=np.int64)
    for zone in range(1, 61):
        for i, band in enumerate(ascii_uppercase):
            try:
                one = mgrs.zone_of(str(zone), band, older=False)
            except InputError:
                continue
            limits[zone, i], first_row[zone, i], middle[zone, i] = (
                one.limits,
                one.first_row,
                one.middle,
            )
            columns[zone] = [one.columns.find(letter) for letter in ascii_uppercase]
    rows = np.array([mgrs.ROWS.find(letter) for letter in ascii_uppercase])
    return _Zones(limits, first_row, middle, columns, rows)


def _letter(text: Bytes, place: int) -> NDArray[np.int64]:
    return text[:, place].astype(np.int64) - ord("A")


def _mgrs(text: Bytes, sample: str) -> _Apart | None:
    found = mgrs.GRID.fullmatch(sample)
    if found is None:
        return None
    half = len(found[5] or "")
    first = found.start(5)
    if found[6] is None:
        half, odd = divmod(half, 2)
        east, north = (first, first + half), (first + half, first + 2 * half)
    else:
        odd = len(found[6]) != half
        east, north = found.span(5), found.span(6)
    if odd or half > 5:
        return None
    tables, size_m = _zones(), mgrs.SIZES_M[half]
    zone, band = _whole(text, found.span(1), sample), _letter(text, found.start(2))
    column = tables.columns[zone, _letter(text, found.start(3))]
    row = tables.rows[_letter(text, found.start(4))]
    limits = tables.limits[zone, band]
    step = row - tables.first_row[zone, band]
    step += 20.0 * np.rint((tables.middle[zone, band] - step) / 20.0)
    if half:
        easting = (_number(text, east, sample)[0] + 0.5) * size_m
        northing = (_number(text, north, sample)[0] + 0.5) * size_m
    else:
        easting = northing = np.full(len(text), 0.5 * size_m)
    columns = (
        zone.astype(np.float64),
        easting + (column + 1) * mgrs.SQUARE_M,
        step * mgrs.SQUARE_M + northing,
        np.full(len(text), mgrs.half_diagonal_m(size_m)),
        *np.ascontiguousarray(limits.T),
    )
    others = _words_differ(text, sample, [found.span(group) for group in (2, 3, 4)])
    right = (column >= 0) & (row >= 0) & ~np.isnan(limits[:, 0]) & ~others
    return _Apart(columns, right, others)


def _utm(text: Bytes, sample: str) -> _Apart | None:
    found = utm.PLAIN.fullmatch(sample)
    if found is None:
        return None
    zone, which = _whole(text, found.span(1), sample), found[2]
    east, decimals = _number(text, found.span(3), sample)
    north, decimals2 = _number(text, found.span(5), sample)
    half_m, half2_m = 0.5 / 10**decimals, 0.5 / 10**decimals2
    # One letter stands for its band, of which the texts of a sample need the same.
    zones = _zones().limits
    if len(which) > 1:
        southern, (south_deg, north_deg) = utm.limits(1, which.lower(), utm.Metres(0.0, half2_m))
        low, high = np.full(len(text), south_deg), np.full(len(text), north_deg)
    else:
        southern = which < "N"
        slack_deg = utm.slack_of(half2_m)
        band = zones[zone, ord(which) - ord("A")]
        low, high = band[:, 0] - slack_deg, band[:, 1] + slack_deg
    others = _words_differ(text, sample, ())
    columns = (
        zone.astype(np.float64),
        east,
        north - (SOUTH_FALSE_NORTHING_M if southern else 0.0),
        np.full(len(text), utm.precision_m(half_m, half2_m, UTM_SCALE)),
        low,
        high,
        np.full(len(text), -np.inf),
        np.full(len(text), np.inf),
    )
    right = (zone >= 1) & (zone <= 60) & ~others & ~np.isnan(low)
    right &= (east >= utm.EASTINGS_M[0]) & (east <= utm.EASTINGS_M[1])
    return _Apart(columns, right, others)


@lru_cache(maxsize=4)
def _values(signs: str) -> NDArray[np.int64]:
    """Return the values of signs by their codes, -1 for all others."""
    values = np.full(256, -1, dtype=np.int64)
    values[list(signs.encode())] = range(len(signs))
    return values


def _georef(text: Bytes, sample: str) -> _Apart | None:
    found = GEOREF.fullmatch(sample)
    if found is None:
        return None
    georef.parse(found)  # refuses what no text of this shape can be
    quadrangle, degree, first = found.start(2), found.start(3), found.start(4)
    if found[5] is None:
        places = len(found[4]) // 2
        east, north = (first, first + places), (first + places, first + 2 * places)
    else:
        places, east, north = len(found[4]), found.span(4), found.span(5)
    x = _values(georef.LON_15)[text[:, quadrangle]]
    y = _values(georef.LAT_15)[text[:, quadrangle + 1]]
    x1, y1 = (_values(georef.ONE_DEGREE)[text[:, degree + i]] for i in (0, 1))
    steps = 60 * 10 ** (places - 2)
    across, up = _whole(text, east, sample), _whole(text, north, sample)
    east_steps = (15 * x + x1) * steps + across
    north_steps = (15 * y + y1) * steps + up
    lon = (east_steps + 0.5) / steps - 180.0
    lat = (north_steps + 0.5) / steps - 90.0
    right = (x >= 0) & (y >= 0) & (x1 >= 0) & (y1 >= 0) & (across < steps) & (up < steps)
    right &= ((lon + 180.0) * steps).astype(np.int64) == east_steps
    right &= ((lat + 90.0) * steps).astype(np.int64) == north_steps
    half = np.full(len(text), 0.5 / steps)
    return _Apart((lat, lon, half, half), right, np.zeros(len(text), dtype=np.bool_))


def _plus_code(text: Bytes, sample: str) -> _Apart | None:
    found = pluscode.CODE.fullmatch(sample)
    if found is None or len(found[2]) == 1:
        return None
    values = _values(pluscode.SIGNS)[text[:, [*range(8), *range(9, len(sample))]]]
    lat_steps, lon_steps = pluscode.LAT_STEPS, pluscode.LON_STEPS
    y_step, x_step = lat_steps * 400, lon_steps * 400
    y = x = np.zeros(len(text), dtype=np.int64)
    paired = min(values.shape[1], 10)
    for place in range(0, paired, 2):
        y_step //= 20
        x_step //= 20
        y = y + values[:, place] * y_step
        x = x + values[:, place + 1] * x_step
    for place in range(paired, values.shape[1]):
        y_step //= 5
        x_step //= 4
        y = y + values[:, place] // 4 * y_step
        x = x + values[:, place] % 4 * x_step
    lat = (y + 0.5 * y_step) / lat_steps - 90.0
    lon = (x + 0.5 * x_step) / lon_steps - 180.0
    right = (values >= 0).all(axis=1) & (y < 180 * lat_steps) & (x < 360 * lon_steps)
    right &= ((lat + 90.0) * lat_steps).astype(np.int64) // y_step == y // y_step
    right &= ((lon + 180.0) * lon_steps).astype(np.int64) // x_step == x // x_step
    columns = (
        lat,
        lon,
        np.full(len(text), 0.5 * y_step / lat_steps),
        np.full(len(text), 0.5 * x_step / lon_steps),
    )
    return _Apart(columns, right, np.zeros(len(text), dtype=np.bool_))

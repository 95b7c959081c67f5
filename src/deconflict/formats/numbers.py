"""Numbers as typed: their value, and how far their last decimal leaves them open."""

from __future__ import annotations

import math
import re

from deconflict.geo.errors import InputError

MAX_DIGITS = 64
"""Characters of one number; more than a 64-bit float can tell apart many times over."""

MAX_PRIORITY = 1_000_000_000
"""Real ones stay below 1,000; numbers beyond 64 bits can't be written into any answer."""

DEGREE_M = 111_694.0
"""Upper bound of the length of one degree along a meridian anywhere, and, times the cosine of the
latitude, of one degree of longitude, metres: the WGS 84 radius of curvature at the poles,
6,399,593.6 m, times pi / 180."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")


class NumberText(str):
    """A number as it was typed. Plain ``str`` values are texts, never numbers.

    Readers make one of each number whose decimals count; `number` turns it into a float.
    """

    __slots__ = ()


Number = NumberText | float | int
"""A number of a file: as typed, or as a value where nobody asks for its decimals."""


def number(value: object, field: str) -> float:
    """Return a number of a file as a finite float.

    Raises
    ------
    InputError
        If the value is no number (a text that looks like one, and true or false, are none),
        or isn't finite.
    """
    kind = type(value)
    if kind is float and -math.inf < value < math.inf:  # type: ignore[operator]
        return value  # type: ignore[return-value]
    if kind is float or kind is int or kind is NumberText:
        if kind is NumberText and len(value) > MAX_DIGITS:  # type: ignore[arg-type]
            raise InputError(
                f"a number of {len(value):,} characters",  # type: ignore[arg-type]
                f"write at most {MAX_DIGITS}",
                field=field,
            )
        try:
            result = float(value)  # type: ignore[arg-type]
        except (ValueError, OverflowError):
            result = math.inf
        if math.isfinite(result):
            return result
        raise InputError(
            f"{shown(value)} is no finite number", "write a number in plain digits", field=field
        )
    if isinstance(value, str):
        raise InputError(
            f"{shown(value)} is a text, not a number",
            "write the number without quotation marks, in the digits 0 to 9",
            field=field,
        )
    raise InputError(f"{shown(value)} is not a number", "write a number", field=field)


def checked_priority(value: float, field: str) -> int:
    """Return a priority: a whole number that every format can hold.

    Raises
    ------
    InputError
        If it is none, or beyond `MAX_PRIORITY` either way.
    """
    if value != int(value) or abs(value) > MAX_PRIORITY:
        raise InputError(
            f"priority {shown(value)} is no whole number up to {MAX_PRIORITY:,}",
            "write a whole number, the higher the more urgent",
            field=field,
        )
    return int(value)


def number_from_text(text: str, field: str = "") -> NumberText:
    """Return the number that a cell or element holds as text.

    Accepted is what JSON accepts, with an optional plus sign and zeros in front: ``12``, ``-0.5``,
    ``007``, ``1e3``.

    Raises
    ------
    InputError
        If the text is anything else: other digits than 0 to 9, a decimal comma, a unit.
    """
    typed = text.strip().removeprefix("+")
    sign = "-" if typed.startswith("-") else ""
    digits = typed.removeprefix("-")
    if len(digits) > 1 and digits[0] == "0" and digits[1] in "0123456789":
        digits = digits.lstrip("0")
        digits = digits if digits[:1].isdigit() else "0" + digits
    if len(typed) > MAX_DIGITS or not _NUMBER.fullmatch(sign + digits):
        raise InputError(
            f"{shown(text)} is not a number",
            "write it in the digits 0 to 9 with a decimal point and without a unit, such as 120.5",
            field=field,
        )
    return NumberText(sign + digits)


def decimals(text: str) -> int:
    """Return how many decimals a number was typed with; negative for ``1e3``.

    Parameters
    ----------
    text
        A number in JSON's grammar.
    """
    point = text.find(".")
    if "e" not in text and "E" not in text:
        return len(text) - point - 1 if point >= 0 else 0
    mantissa, _, exponent = text.lower().partition("e")
    return (len(mantissa) - point - 1 if point >= 0 else 0) - int(exponent)


def cell_half_diagonal_m(lat_decimals: int, lon_decimals: int, lat_deg: float) -> float:
    """Return how far off a typed point may lie for want of further decimals, metres.

    It is half the diagonal of the cell of all the points that round to the one typed; an upper
    bound, not more than 1.1 % above it.

    Parameters
    ----------
    lat_decimals, lon_decimals
        With how many decimals its latitude and longitude in degrees were typed.
    lat_deg
        Its latitude.
    """
    # Beyond 20 decimals nothing changes, and 10.0 ** 400 would overflow.
    half_lat_deg = 0.5 * 10.0 ** -max(-3, min(20, lat_decimals))
    half_lon_deg = 0.5 * 10.0 ** -max(-3, min(20, lon_decimals))
    # The side of the cell that is nearer to the equator is the longer one.
    nearest_deg = max(0.0, min(90.0, abs(lat_deg)) - half_lat_deg)
    return DEGREE_M * math.hypot(half_lat_deg, half_lon_deg * math.cos(math.radians(nearest_deg)))


def shown(value: object) -> str:
    """Return a value of a file as it is shown in a sentence, shortened to 40 characters."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, NumberText | float | int):
        return shortened(str(value))
    if isinstance(value, str):
        return f'"{shortened(value)}"'
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else "a value"


def shortened(text: str) -> str:
    """Return a text in one line of at most 40 characters, control characters escaped."""
    plain = "".join(mark if mark.isprintable() else f"\\u{ord(mark):04x}" for mark in text[:41])
    return plain if len(plain) <= 40 else plain[:37] + "..."

"""Instants as RFC 3339 writes them, read strictly and rounded outward."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

from deconflict.formats.numbers import shown
from deconflict.geo.errors import InputError

_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,30}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_WITHOUT_OFFSET = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9.]+)?")
_USUAL = re.compile(
    r"[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{3}(?:[0-9]{3})?)?(?:Z|\+00:00)"
)
"""Instants of UTC that surely exist: `datetime.fromisoformat` reads them alike, and faster."""
_REMEDY = "write it as 2026-11-22T08:40:00Z or 2026-11-22T10:40:00+02:00, in the digits 0 to 9"

Rounding = Literal["floor", "ceil"]
"""Where an instant finer than a microsecond goes: a start down, an end up."""


def read_instant(text: str, rounding: Rounding = "floor", *, field: str = "") -> datetime:
    """Return the instant that an RFC 3339 text names, in UTC.

    Fractions beyond microseconds, and leap seconds, go outward: down for a start, up for an end.

    Raises
    ------
    InputError
        If the text is no RFC 3339 date and time with seconds and an offset, names a day, hour,
        minute or second that doesn't exist, or lies outside the years 1 to 9999 in UTC.
    """
    if _USUAL.fullmatch(text):
        return datetime.fromisoformat(text)
    match = _INSTANT.fullmatch(text)
    if match is None:
        if _WITHOUT_OFFSET.fullmatch(text):
            raise InputError(
                f"time {shown(text)} states no offset from UTC, or no seconds", _REMEDY, field=field
            )
        raise InputError(f"{shown(text)} is no time as RFC 3339 writes it", _REMEDY, field=field)
    year, month, day, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    leap = second == 60
    try:
        local = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC)
    except ValueError:
        reason = "hour 24 doesn't exist: write 00:00:00 of the next day" if hour == 24 else _REMEDY
        raise InputError(
            f"time {shown(text)} names a day, hour, minute or second that doesn't exist",
            reason,
            field=field,
        ) from None
    fraction = match.group(7) or ""
    try:
        instant = local - _offset(match, text, field) if match.group(8) else local
        if leap:
            return _leap(instant, rounding, text, field)
        if fraction:
            microseconds = int(fraction[:6].ljust(6, "0"))
            if rounding == "ceil" and fraction[6:].strip("0"):
                microseconds += 1
            instant += timedelta(microseconds=microseconds)
    except OverflowError:
        raise InputError(
            f"time {shown(text)} lies outside the years 1 to 9999 in UTC",
            "leave the start or end out where there is none",
            field=field,
        ) from None
    return instant


def _offset(match: re.Match[str], text: str, field: str) -> timedelta:
    hours, minutes = int(match.group(9)), int(match.group(10))
    if hours > 23 or minutes > 59:
        raise InputError(
            f"time {shown(text)} states an offset from UTC that doesn't exist", _REMEDY, field=field
        )
    offset = timedelta(hours=hours, minutes=minutes)
    return offset if match.group(8) == "+" else -offset


def _leap(second_before: datetime, rounding: Rounding, text: str, field: str) -> datetime:
    """Return the instant for a leap second; one occurs only at the end of a month in UTC."""
    next_minute = second_before + timedelta(seconds=1)
    if (next_minute.day, next_minute.hour, next_minute.minute) != (1, 0, 0):
        raise InputError(
            f"time {shown(text)} names second 60, which only the last minute of a month can have",
            _REMEDY,
            field=field,
        )
    return next_minute if rounding == "ceil" else next_minute - timedelta(microseconds=1)


def write_instant(instant: datetime) -> str:
    """Return an aware instant as RFC 3339 text in UTC, with microseconds only if it has any."""
    utc = instant.astimezone(UTC)
    text = (
        f"{utc.year:04d}-{utc.month:02d}-{utc.day:02d}"
        f"T{utc.hour:02d}:{utc.minute:02d}:{utc.second:02d}"
    )
    return f"{text}.{utc.microsecond:06d}Z" if utc.microsecond else f"{text}Z"

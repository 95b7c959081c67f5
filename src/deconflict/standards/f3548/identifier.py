"""Identifiers: UUIDs of version 4, in the one spelling by which two are compared."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from deconflict.geo.errors import InputError

NULL_SUBSCRIPTION: Final = "00000000-0000-4000-8000-000000000000"
"""What a reference names where an operational intent has no subscription."""

_USUAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_ANY = re.compile(
    r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE
)
_SUFFIX = re.compile(
    r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
_REMEDY = "give a version 4 UUID, such as 2f8343be-6482-4d1b-a474-16847e01af1e"


def identifier_of(text: str, field: str) -> str:
    """Return an identifier in lower case with dashes.

    Parameters
    ----------
    text
        A version 4 UUID of the RFC 4122 variant; dashes may be missing.
    field
        Where it stands, for messages.

    Raises
    ------
    InputError
        If it is none.
    """
    if _USUAL.fullmatch(text):
        return text
    if not _ANY.fullmatch(text):
        raise InputError(f"{text[:80]!r} is no UUID", _REMEDY, field=field)
    found = UUID(text)
    if found.version != 4:
        raise InputError(f"{text} is no UUID of version 4", _REMEDY, field=field)
    return str(found)


def checked_ovn_suffix(text: str, now_us: int, skew_s: int) -> str:
    """Return a requested suffix of an OVN as it is.

    Parameters
    ----------
    text
        A version 7 UUID (RFC 9562, section 5.7) with dashes; its first 48 bits are the
        milliseconds since 1970 UTC.
    now_us
        Microseconds since 1970 UTC.
    skew_s
        How far its time may be from now, seconds.

    Raises
    ------
    InputError
        If it is none, or its time too far from now.
    """
    field = "requested_ovn_suffix"
    match = _SUFFIX.fullmatch(text)
    if match is None:
        raise InputError(
            f"{text[:80]!r} is no UUID of version 7",
            "give one made within the last minutes, or leave it out",
            field=field,
        )
    made_us = int(match[1] + match[2], 16) * 1000
    if abs(made_us - now_us) > skew_s * 1_000_000:
        raise InputError(
            f"its time is {abs(made_us - now_us) // 1_000_000} s from now",
            f"make one whose time is at most {skew_s} s from now",
            field=field,
        )
    return text

"""Identifiers: UUIDs as 128-bit integers, which take less memory and sort alike."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from deconflict.register.state.errors import RegisterError

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_REMEMBERED: Final = 8192
"""One decision looks up the same few identifiers a dozen times."""


@lru_cache(_REMEMBERED)
def key_of(identifier: str) -> int | None:
    """Return the number of a UUID in lower case with dashes; ``None`` for any other text."""
    if _CANONICAL.fullmatch(identifier) is None:
        return None
    return int(identifier.replace("-", ""), 16)


def sure_key_of(identifier: str) -> int:
    """Return the number of a UUID in lower case with dashes.

    Raises
    ------
    RegisterError
        If the text is none.
    """
    key = key_of(identifier)
    if key is None:
        raise RegisterError(
            f"{identifier[:60]!r} is no UUID in lower case with dashes; the journal holds an event "
            "that this version can't apply, so use the version that wrote it"
        )
    return key


def identifier_of(key: int) -> str:
    """Return the UUID of a number, in lower case with dashes."""
    digits = f"{key:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

"""Base URLs: where a party answers for details and takes notifications."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from deconflict.formats.numbers import shown
from deconflict.geo.errors import InputError

LONGEST: Final = 2_048
"""Characters of a base URL; what is longer is cut off by some clients and proxies."""
_REMEDY = "write it as https://uss.example.com/utm"


def checked_base_url(text: str, field: str, *, plain_http: bool) -> str:
    """Return a base URL as it is.

    A slash at its end is let pass, though the standard has none there, because services in use
    let it pass.

    Parameters
    ----------
    text
        The URL.
    field
        Where it stands, for messages.
    plain_http
        Whether http will do.

    Raises
    ------
    InputError
        If it is no absolute https (or http) URL, is longer than `LONGEST`, or holds blanks,
        control characters, a fragment or a password.
    """
    if len(text) > LONGEST:
        raise InputError(
            f"a URL of {len(text):,} characters", f"give at most {LONGEST:,}", field=field
        )
    fault = _fault(text, plain_http)
    if fault is not None:
        raise InputError(fault, _REMEDY, field=field)
    return text


@lru_cache(maxsize=1024)
def _fault(text: str, plain_http: bool) -> str | None:  # noqa: FBT001 - a private cache's key
    """Return what is wrong with a URL; each party gives the same few again and again."""
    if not text:
        return "the base URL is empty"
    if not text.isprintable() or " " in text or "\\" in text:
        return f"{shown(text)} holds blanks, backslashes or control characters"
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        return f"{shown(text)} is no URL"
    if "@" in url.netloc:
        return "the base URL holds a user or password, which everyone would be shown"
    if url.scheme == "http" and not plain_http:
        return f"{shown(text)} is not https, and this service takes no other"
    if url.scheme not in {"https", "http"} or not host:
        return f"{shown(text)} is no https URL"
    if "#" in text:
        return f"{shown(text)} has a fragment, to which no path can be added"
    return None

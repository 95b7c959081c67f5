"""Instants on the command line."""

from __future__ import annotations


def instant_us(text: str, field: str) -> int:
    """Return an instant of the command line, microseconds since 1970 UTC.

    Raises
    ------
    InputError
        If it is none.
    """
    from deconflict.formats.instant import read_instant
    from deconflict.geo.packed.table import microseconds

    return microseconds(read_instant(text, field=field))

"""The table of notations: who may claim a text, in the order of asking, and who writes."""

from __future__ import annotations

from functools import lru_cache

from deconflict.geo.notation.reading import Claim, Write
from deconflict.geo.position import Notation

CARRY_NO_DATUM = frozenset({Notation.MGRS, Notation.UTM, Notation.UPS, Notation.GEOREF})
"""Grids: a text without a datum is read as WGS 84, which is said, unless a setting refuses it."""
NEED_A_DATUM = frozenset(
    {Notation.DECIMAL_DEGREES, Notation.DEGREES_MINUTES, Notation.DEGREES_MINUTES_SECONDS}
)
"""Latitude and longitude: a text without a datum is refused."""


@lru_cache(maxsize=1)
def claims() -> tuple[Claim, ...]:
    """Return every notation's `claim`. Each text is shown to all of them."""
    from deconflict.geo.notation import (
        degrees,
        epsg,
        gauss_krueger,
        georef,
        mgrs,
        pluscode,
        utm,
    )

    return (
        degrees.claim,
        mgrs.claim,
        utm.claim,
        georef.claim,
        pluscode.claim,
        gauss_krueger.claim,
        epsg.claim,
    )


@lru_cache(maxsize=1)
def writers() -> tuple[tuple[Notation, Write], ...]:
    """Return what writes a place, by notation. UTM's writer writes UPS about the poles."""
    from deconflict.geo.notation import degrees, gauss_krueger, georef, mgrs, pluscode, utm

    return (
        (Notation.DECIMAL_DEGREES, degrees.write_decimal),
        (Notation.DEGREES_MINUTES, degrees.write_minutes),
        (Notation.DEGREES_MINUTES_SECONDS, degrees.write_seconds),
        (Notation.MGRS, mgrs.write),
        (Notation.UTM, utm.write),
        (Notation.GEOREF, georef.write),
        (Notation.PLUS_CODE, pluscode.write),
        (Notation.GAUSS_KRUEGER, gauss_krueger.write),
    )

"""Heights and altitude bands: metres above the ellipsoid, the sea, the ground, or by pressure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FOOT_M = 0.3048
"""The international foot, metres (exact)."""


class AltitudeReference(StrEnum):
    """What a height is measured from."""

    W84 = "W84"
    """The WGS 84 ellipsoid."""
    MSL = "MSL"
    """Mean sea level, as the EGM96 geoid."""
    AGL = "AGL"
    """The ground."""
    FL = "FL"
    """Pressure altitude in the standard atmosphere: FL 100 is 3,048 m."""


@dataclass(frozen=True, slots=True)
class Height:
    """One height.

    Attributes
    ----------
    value_m
        Metres above (negative: below) the reference; for `AltitudeReference.FL` metres of
        pressure altitude.
    reference
        What it is measured from.
    """

    value_m: float
    reference: AltitudeReference = AltitudeReference.W84


@dataclass(frozen=True, slots=True)
class AltitudeBand:
    """The heights from `lower` to `upper`; ``None`` is no limit, and never zero.

    Attributes
    ----------
    lower, upper
        The limits; ``None``: unbounded downward or upward.
    ground_m
        Elevation of the ground above mean sea level, metres; ``None``: not known. Without it
        a limit above ground can't be converted to another reference and is then unbounded,
        which is said.
    """

    lower: Height | None = None
    upper: Height | None = None
    ground_m: float | None = None


EVERY_HEIGHT = AltitudeBand()
"""No limit downward or upward."""

"""Heights and altitude bands: metres above the ellipsoid, the sea, the ground, or by pressure.

Two limits in one reference are compared in that reference: FL 120 lies below FL 130 whatever the
pressure. Only across references is a limit turned into an interval of heights above the
ellipsoid, outward, and what that takes for granted is said.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from deconflict.geo.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deconflict.geo.position import LatLon

FOOT_M = 0.3048
"""The international foot, metres (exact)."""
LOWEST_M, HIGHEST_M = -100_000.0, 1_000_000.0
"""Heights beyond these are refused as typing errors or place-holders.

No mine or trench is deeper than 11 km, and above 1,000 km there is no deconfliction of airspace;
below there is room for margins and danger radii that are taken off a lower limit."""

SAME_HEIGHT_M = 1e-6
"""Limits this close touch: 3,000 ft and 914.4 m are one height, whatever the rounding of either."""

LOWEST_PRESSURE_M, HIGHEST_PRESSURE_M = -1_270.0, 580.0
"""By how much a flight level may lie lower or higher because of the pressure at sea level alone.

The extremes on record reduced to sea level, 870 hPa (1979) and 1,085 hPa (2001), are the
pressures of the standard atmosphere at 1,269 m and at -574 m; 1 hPa is about 8.3 m."""
COLDEST_K, WARMEST_K = -60.0, 40.0
"""Mean departure of the air below a flight level from the standard atmosphere, kelvin.

30 K colder lowers a level at 3 km by 323 m. Surface records go farther (-83 K, in an inversion
some hundred metres thick); means of a whole column do not."""
_STANDARD_K, _LAPSE_K_PER_M = 288.15, 0.0065
_TROPOPAUSE_M, _STRATOSPHERE_K = 11_000.0, 216.65
"""The ICAO standard atmosphere."""
_GRAVITY_SHARE = 0.004
"""Gravity departs from the standard 9.80665 m/s² by at most 0.27 % at sea level; a flight level
counts work against standard gravity."""
_EARTH_RADIUS_M = 6_356_752.0


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

    Raises
    ------
    InputError
        If the value is not a number from `LOWEST_M` to `HIGHEST_M`.
    """

    value_m: float
    reference: AltitudeReference = AltitudeReference.W84

    def __post_init__(self) -> None:
        if not LOWEST_M <= self.value_m <= HIGHEST_M:
            raise InputError(
                f"a height of {self.value_m:g} m is beyond all that flies or is dug",
                "write metres, or leave the field empty where there is no limit",
                field="height",
            )


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

    Raises
    ------
    InputError
        If the lower limit lies above the upper one in the same reference, or the elevation is
        not a number from `LOWEST_M` to `HIGHEST_M`.
    """

    lower: Height | None = None
    upper: Height | None = None
    ground_m: float | None = None

    def __post_init__(self) -> None:
        lower, upper, ground_m = self.lower, self.upper, self.ground_m
        if (
            lower is not None
            and upper is not None
            and lower.reference is upper.reference
            and lower.value_m > upper.value_m
        ):
            raise InputError(
                f"the lower limit of {lower.value_m:g} m lies above the upper limit of "
                f"{upper.value_m:g} m",
                "exchange or correct them",
                field="height",
            )
        if ground_m is not None and not LOWEST_M <= ground_m <= HIGHEST_M:
            raise InputError(
                f"the ground can't lie {ground_m:g} m above the sea",
                "write metres, or leave the field empty where it is not known",
                field="ground_m",
            )


EVERY_HEIGHT = AltitudeBand()
"""No limit downward or upward."""


class EllipsoidInterval(NamedTuple):
    """Heights above the ellipsoid, rounded outward.

    Attributes
    ----------
    lower_m, upper_m
        The least and the greatest height, metres; infinite where there is no limit.
    assumed
        What was taken for granted, one sentence each.
    """

    lower_m: float
    upper_m: float
    assumed: tuple[str, ...] = ()


class HeightGap(NamedTuple):
    """How far apart two bands are.

    Attributes
    ----------
    gap_m
        Metres between them; 0 or less: they touch or overlap by as much; minus infinity where
        an unbounded limit decides.
    assumed
        What was taken for granted, one sentence each.
    """

    gap_m: float
    assumed: tuple[str, ...] = ()


_SEA_SAID = "mean sea level is taken as the EGM96 geoid"
_AT_GROUND_SAID = "a lower limit at the ground is taken as unbounded downward"
_NO_FLOOR_SAID = (
    "the ground's elevation is not known, so a lower limit above ground is taken as unbounded "
    "downward"
)
_NO_CEILING_SAID = (
    "the ground's elevation is not known, so an upper limit above ground is taken as unbounded "
    "upward"
)
_LEVEL_SAID = (
    "a flight level is compared with other heights for every pressure at sea level from 870 to "
    f"1,085 hPa and air from {-COLDEST_K:.0f} K colder to {WARMEST_K:.0f} K warmer than standard"
)

_FEET = r"(?:FT|FEET|FOOT|')"
_METRES = r"(?:M|MTRS?|METRES?|METERS?)"
_REFERENCES = {
    "MSL": AltitudeReference.MSL, "AMSL": AltitudeReference.MSL, "ASL": AltitudeReference.MSL,
    "ALT": AltitudeReference.MSL,
    "AGL": AltitudeReference.AGL, "ASFC": AltitudeReference.AGL, "GND": AltitudeReference.AGL,
    "SFC": AltitudeReference.AGL,
    "W84": AltitudeReference.W84, "WGS84": AltitudeReference.W84, "HAE": AltitudeReference.W84,
    "STD": AltitudeReference.FL,
}  # fmt: skip
_REFERENCE = rf"(?P<{{}}>{'|'.join(sorted(_REFERENCES, key=len, reverse=True))})"
_HEIGHT_TEXT = re.compile(
    rf"(?:{_REFERENCE.format('before')}[ :]*)?(?P<number>[+-]?\d+(?:[.,]\d+)?)[ ]*"
    rf"(?:(?P<feet>{_FEET})|(?P<metres>{_METRES}))?[ ]*(?:\(?{_REFERENCE.format('after')}\)?)?"
)
_LEVEL_TEXT = re.compile(r"FL[ .:-]*(?P<level>-?\d{1,3})")
_GROUND_TEXT = frozenset({"GND", "SFC", "GROUND", "SURFACE", "SURF", "AGL"})
_UNLIMITED_TEXT = frozenset({"UNL", "UNLIM", "UNLIMITED", "UNLTD", "UNLD"})
_REMEDY = 'write it as "FL100", "3000 ft MSL", "500 m AGL", "GND" or "UNL"'


def read_height(text: str) -> Height | None:
    """Read a height as aeronautical texts write it; ``None`` is "UNL", no limit.

    Raises
    ------
    InputError
        If it is none, or lacks its unit or what it is measured from.

    Examples
    --------
    >>> read_height("FL100")
    Height(value_m=3048.0, reference=<AltitudeReference.FL: 'FL'>)
    >>> read_height("500 m AGL").value_m
    500.0
    """
    plain = " ".join(text.replace("′", "'").replace("’", "'").upper().split())
    if plain in _UNLIMITED_TEXT:
        return None
    if plain in _GROUND_TEXT:
        return Height(0.0, AltitudeReference.AGL)
    if plain in {"MSL", "AMSL"}:
        return Height(0.0, AltitudeReference.MSL)
    if level := _LEVEL_TEXT.fullmatch(plain):
        # Hundreds of feet; multiplied as whole numbers, so that FL100 is 3,048 m exactly.
        return Height(int(level["level"]) * 3048 / 100, AltitudeReference.FL)
    match = _HEIGHT_TEXT.fullmatch(plain)
    if match is None:
        raise InputError(f"{text.strip()[:40]!r} is no height", _REMEDY, field="height")
    number = match["number"]
    if "," in number and len(number.partition(",")[2]) == 3:
        raise InputError(
            f"{number} may be thousands or a decimal fraction",
            f"write {number.replace(',', '')}, or a decimal point",
            field="height",
        )
    if match["feet"] is None and match["metres"] is None:
        raise InputError(f"the height {text.strip()[:40]!r} has no unit", _REMEDY, field="height")
    names = [name for name in (match["before"], match["after"]) if name]
    if not names:
        raise InputError(
            f"the height {text.strip()[:40]!r} does not say above what", _REMEDY, field="height"
        )
    references = {_REFERENCES[name] for name in names}
    if len(references) > 1:
        raise InputError(f"{names[0]} and {names[1]} contradict one another", _REMEDY)
    value = float(number.replace(",", "."))
    return Height(value * FOOT_M if match["feet"] else value, references.pop())


def height_gap(
    a: AltitudeBand, b: AltitudeBand, points: Sequence[LatLon], reach_m: float = 0.0
) -> HeightGap:
    """Return how far apart two bands are, each limit against the opposite one.

    Parameters
    ----------
    a, b
        The bands.
    points
        Vertices of the footprints; where heights in different references are compared, the
        geoid's height over their box is taken.
    reach_m
        How far the footprints extend beyond the points (radius, growth), metres.
    """
    sea = _Sea(points, reach_m)
    above_m, said = _clear(b.lower, b.ground_m, a.upper, a.ground_m, sea)
    below_m, also = _clear(a.lower, a.ground_m, b.upper, b.ground_m, sea)
    return HeightGap(max(above_m, below_m), _joined(said, also))


def ellipsoid_interval(
    band: AltitudeBand, points: Sequence[LatLon], reach_m: float = 0.0
) -> EllipsoidInterval:
    """Return the heights above the ellipsoid that a band may reach anywhere in a footprint.

    Parameters
    ----------
    band
        The band.
    points, reach_m
        As in `height_gap`.
    """
    sea = _Sea(points, reach_m)
    lower_m, upper_m = -math.inf, math.inf
    said: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    if band.lower is not None:
        lower_m, said = _least(band.lower, band.ground_m, sea)
    if band.upper is not None:
        upper_m, also = _most(band.upper, band.ground_m, sea)
    return EllipsoidInterval(lower_m, upper_m, _joined(said, also))


def to_ellipsoid(
    height: Height, lat_deg: float, lon_deg: float, ground_m: float | None = None
) -> EllipsoidInterval:
    """Return between which heights above the ellipsoid one height at one point lies."""
    return ellipsoid_interval(AltitudeBand(height, height, ground_m), ((lat_deg, lon_deg),))


def _clear(
    lower: Height | None,
    lower_ground_m: float | None,
    upper: Height | None,
    upper_ground_m: float | None,
    sea: _Sea,
) -> tuple[float, tuple[str, ...]]:
    """By how much a lower limit surely lies above an upper one, metres."""
    if lower is None or upper is None:
        return -math.inf, ()
    if lower.reference is upper.reference:
        return lower.value_m - upper.value_m, ()
    least_m, said = _least(lower, lower_ground_m, sea)
    most_m, also = _most(upper, upper_ground_m, sea)
    return least_m - most_m, _joined(said, also)


def _joined(said: tuple[str, ...], also: tuple[str, ...]) -> tuple[str, ...]:
    return (*said, *(sentence for sentence in also if sentence not in said)) if also else said


class _Sea:
    """Heights of mean sea level above the ellipsoid over footprints; looked up when needed."""

    __slots__ = ("_points", "_range_m", "_reach_m")

    def __init__(self, points: Sequence[LatLon], reach_m: float) -> None:
        self._points = points
        self._reach_m = reach_m
        self._range_m: tuple[float, float] | None = None

    @property
    def range_m(self) -> tuple[float, float]:
        """The least and the greatest."""
        if self._range_m is None:
            from deconflict.geo.geoid import GEOID_ERROR_M, geoid_range_m

            least_m, most_m = geoid_range_m(self._points, self._reach_m)
            self._range_m = (least_m - GEOID_ERROR_M, most_m + GEOID_ERROR_M)
        return self._range_m


def _least(height: Height, ground_m: float | None, sea: _Sea) -> tuple[float, tuple[str, ...]]:
    """Return the least height above the ellipsoid that a lower limit may have."""
    value_m = height.value_m
    match height.reference:
        case AltitudeReference.W84:
            return value_m, ()
        case AltitudeReference.MSL:
            return sea.range_m[0] + value_m, (_SEA_SAID,)
        case AltitudeReference.FL:
            return sea.range_m[0] + _level_m(value_m)[0], (_LEVEL_SAID, _SEA_SAID)
        case AltitudeReference.AGL:
            if value_m <= 0.0:
                return -math.inf, (_AT_GROUND_SAID,)
            if ground_m is None:
                return -math.inf, (_NO_FLOOR_SAID,)
            return sea.range_m[0] + ground_m + value_m, _ground_said(ground_m)


def _most(height: Height, ground_m: float | None, sea: _Sea) -> tuple[float, tuple[str, ...]]:
    """Return the greatest height above the ellipsoid that an upper limit may have."""
    value_m = height.value_m
    match height.reference:
        case AltitudeReference.W84:
            return value_m, ()
        case AltitudeReference.MSL:
            return sea.range_m[1] + value_m, (_SEA_SAID,)
        case AltitudeReference.FL:
            return sea.range_m[1] + _level_m(value_m)[1], (_LEVEL_SAID, _SEA_SAID)
        case AltitudeReference.AGL:
            if ground_m is None:
                return math.inf, (_NO_CEILING_SAID,)
            return sea.range_m[1] + ground_m + value_m, _ground_said(ground_m)


def _ground_said(ground_m: float) -> tuple[str, ...]:
    return (f"the ground is taken to lie {ground_m:g} m above mean sea level", _SEA_SAID)


def _level_m(pressure_altitude_m: float) -> tuple[float, float]:
    """Least and greatest height above mean sea level of a pressure altitude."""
    # Between the standard altitude of the pressure at sea level and that of the level, air that
    # is k kelvin warmer than standard is thicker by k / T at each height.
    bounds = [
        pressure_altitude_m
        - base_m
        + k * (_per_kelvin_m(pressure_altitude_m) - _per_kelvin_m(base_m))
        for base_m in (-LOWEST_PRESSURE_M, -HIGHEST_PRESSURE_M)
        for k in (COLDEST_K, 0.0, WARMEST_K)
    ]
    least_m, most_m = min(bounds), max(bounds)
    least_m -= _GRAVITY_SHARE * abs(least_m)
    most_m += _GRAVITY_SHARE * abs(most_m) + most_m * most_m / (_EARTH_RADIUS_M - most_m)
    return least_m, most_m


def _per_kelvin_m(altitude_m: float) -> float:
    """How much thicker the standard air below an altitude is if it is one kelvin warmer."""
    below_m = min(altitude_m, _TROPOPAUSE_M)
    thicker_m = -math.log1p(-_LAPSE_K_PER_M * below_m / _STANDARD_K) / _LAPSE_K_PER_M
    return thicker_m + max(altitude_m - _TROPOPAUSE_M, 0.0) / _STRATOSPHERE_K

"""Mistakes on a grid or by compass: zones, letters, corners, bearings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

from deconflict.geo.mistake import grid
from deconflict.geo.mistake.datums import sk42_numbers
from deconflict.geo.mistake.guess import SIGMAS_OF_95, Guess, Pair
from deconflict.geo.position import Notation

_UTM = frozenset({Notation.UTM, Notation.MGRS})
_MGRS = frozenset({Notation.MGRS})
_CELLS_M = (100, 1_000, 10_000, 100_000)
"""Cells of MGRS whose corner is visibly another place: 6, 4, 2 and 0 digits."""

_DECLINATION_MAX_DEG = 30.0
"""Magnetic declination exceeds it only within some 1,500 km of a magnetic pole."""

_ORIGIN_NOISE_M = 5.0
"""Standard deviation a side of where the bearing was measured from, metres."""

_DECLINATION_MIN_M = 200.0
"""A bearing over less than this is drawn, not measured."""


_LOG_CORNER = MappingProxyType({Notation.MGRS: -0.5, Notation.NUMBERS: -2.0})
_LOG_CORNER_OTHER = -4.0
"""Numbers alone rarely come from MGRS, a text in another notation hardly ever; and near the
corner of some cell lies much by chance."""


def gauss_krueger_as_utm(pair: Pair) -> Iterator[Guess]:
    """Read the numbers of a Gauss-Krüger zone on SK-42 in the UTM zone of its meridian."""
    lat_deg, lon_deg = pair.right.lat_lon
    if not 0.0 <= lat_deg < grid.UTM_NORTH_DEG:
        return
    sk42 = sk42_numbers(lat_deg, lon_deg)
    if sk42 is None:
        return
    zone = grid.gauss_krueger_zone(lon_deg)
    easting_m, northing_m = grid.to_gauss_krueger(sk42.lat_deg, sk42.lon_deg, zone)
    utm_zone = (zone + 29) % 60 + 1
    point = grid.from_grid(grid.GridPoint(utm_zone, easting_m, northing_m))
    yield Guess(
        name="Gauss-Krüger read as UTM",
        sentence=f"{{wrong}} was given in Gauss-Krüger zone {zone} on SK-42 and read as "
        f"UTM zone {utm_zone}",
        either=f"the numbers of Gauss-Krüger zone {zone} on SK-42 in {{right}} were read as UTM "
        f"zone {utm_zone} in {{wrong}}, or the reverse",
        point=point,
        log_prior=0.0,
        spread_m=sk42.uncertainty_m / SIGMAS_OF_95,
        given=frozenset({Notation.GAUSS_KRUEGER, Notation.EPSG}),
        read=_UTM,
        assumed=sk42.assumed,
    )


def utm_zone_off(pair: Pair) -> Iterator[Guess]:
    """Read easting and northing of one UTM zone in the zone beside it."""
    lat_deg, lon_deg = pair.right.lat_lon
    if not grid.is_utm(lat_deg):
        return
    for zone in sorted({grid.mgrs_zone(lat_deg, lon_deg), grid.plain_zone(lon_deg)}):
        at = grid.to_utm(lat_deg, lon_deg, zone)
        for step in (-1, 1):
            other = (zone - 1 + step) % 60 + 1
            yield Guess(
                name="UTM zone off by one",
                sentence=f"the UTM zone of one of the two is off by one: {zone} and {other}",
                point=grid.from_grid(replace(at, zone=other)),
                log_prior=-0.7,
                symmetric=True,
                given=_UTM,
                read=_UTM,
            )


def mgrs_letter_off(pair: Pair) -> Iterator[Guess]:
    """Take one of the two letters of the 100 km square from the square beside it."""
    at = grid.to_grid(*pair.right.lat_lon)
    for letter, east, north in (
        ("column", -1, 0),
        ("column", 1, 0),
        ("row", 0, -1),
        ("row", 0, 1),
    ):
        easting_m = at.easting_m + east * grid.GRID_SQUARE_M
        # Each zone has eight columns of its own letters; beyond them the text is refused.
        if at.zone and not grid.GRID_SQUARE_M <= easting_m < 9 * grid.GRID_SQUARE_M:
            continue
        northing_m = at.northing_m + north * grid.GRID_SQUARE_M
        yield Guess(
            name=f"MGRS 100 km {letter} letter off by one",
            sentence=f"the {letter} letter of the MGRS 100 km square of one of the two is "
            "off by one",
            point=grid.from_grid(replace(at, easting_m=easting_m, northing_m=northing_m)),
            log_prior=-1.5,
            symmetric=True,
            given=_MGRS,
            read=_MGRS,
        )


def mgrs_corner(pair: Pair) -> Iterator[Guess]:
    """Take the south-west corner of an MGRS cell for the place."""
    at = grid.to_grid(*pair.right.lat_lon)
    seen = grid.to_grid(*pair.wrong.lat_lon)
    log_prior = _LOG_CORNER.get(pair.right.notation, _LOG_CORNER_OTHER)
    for cell_m in _CELLS_M:
        east_m, east_over_m = _corner(at.easting_m, seen.easting_m, cell_m, pair.slack_m)
        north_m, north_over_m = _corner(at.northing_m, seen.northing_m, cell_m, pair.slack_m)
        point = grid.from_grid(replace(at, easting_m=east_m, northing_m=north_m))
        cell = f"{cell_m // 1000} km" if cell_m >= 1000 else f"{cell_m} m"
        yield Guess(
            name="MGRS cell taken as its corner",
            sentence=f"{{wrong}} is the south-west corner of the {cell} MGRS cell that {{right}} "
            "lies in: the corner was taken for the place",
            point=point,
            log_prior=log_prior,
            overflow_m=math.hypot(east_over_m, north_over_m),
            gain=0.0,
        )


def _corner(at_m: float, seen_m: float, cell_m: int, slack_m: float) -> tuple[float, float]:
    """Return the corner nearest to the one seen, and how far the place is outside its cell."""
    slack_m = min(slack_m, float(cell_m))
    best = (math.inf, 0.0, 0.0)
    for count in range(
        math.floor((at_m - slack_m) / cell_m), math.floor((at_m + slack_m) / cell_m) + 1
    ):
        corner_m = float(count * cell_m)
        rest_m = at_m - corner_m
        over_m = max(-rest_m, rest_m - cell_m, 0.0)
        best = min(best, (abs(corner_m - seen_m) + over_m, corner_m, over_m))
    return best[1], best[2]


def magnetic_north(pair: Pair) -> Iterator[Guess]:
    """Draw a bearing by magnetic north from true north, or the reverse."""
    if pair.origin is None:
        return
    origin = pair.origin
    geod = grid.geod()
    azimuth_right, _, right_m = geod.inv(
        origin.lon_deg, origin.lat_deg, pair.right.lon_deg, pair.right.lat_deg
    )
    azimuth_wrong = geod.inv(
        origin.lon_deg, origin.lat_deg, pair.wrong.lon_deg, pair.wrong.lat_deg
    )[0]
    turn_deg = math.remainder(azimuth_wrong - azimuth_right, 360.0)
    if right_m < _DECLINATION_MIN_M or abs(turn_deg) > _DECLINATION_MAX_DEG:
        return
    lon_deg, lat_deg, _ = geod.fwd(origin.lon_deg, origin.lat_deg, azimuth_wrong, right_m)
    yield Guess(
        name="magnetic declination",
        sentence="the bearing from the origin was measured from magnetic north in one of the two "
        f"and from true or grid north in the other: {abs(turn_deg):.1f}° over {right_m:.0f} m",
        point=(lat_deg, lon_deg),
        log_prior=-0.7,
        spread_m=math.hypot(_ORIGIN_NOISE_M, origin.uncertainty_m / SIGMAS_OF_95),
        arc_m=2.0 * math.radians(_DECLINATION_MAX_DEG) * right_m,
        symmetric=True,
    )

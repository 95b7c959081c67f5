"""The sweep and the index against every pair of 5,000 volumes, and against GeographicLib."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.height import AltitudeBand, AltitudeReference, Height
from deconflict.geo.index import Index
from deconflict.geo.separation import meets
from deconflict.geo.sweep import sweep
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D

COUNT = 5_000
DAY = datetime(2026, 11, 22, tzinfo=UTC)
NOON = DAY + timedelta(hours=12)
EARTH_M = 6_371_008.8
REGIONS = (
    (36.37, 37.515),  # al-Bab
    (0.0, 0.0),
    (12.0, 180.0),  # the seam
    (-17.0, -179.98),
    (70.0, 25.0),
    (89.99, 40.0),  # the poles
    (-89.97, -120.0),
)


@dataclass(frozen=True)
class Made:
    """A volume, and a cap on a sphere that surely holds it: middle and greatest distance."""

    volume: Volume4D
    lat_deg: float
    lon_deg: float
    extent_m: float


def moved(lat_deg: float, lon_deg: float, azimuth_deg: float, distance_m: float):
    """A point on a sphere; good enough to make up volumes."""
    lat, lon, azimuth = (math.radians(x) for x in (lat_deg, lon_deg, azimuth_deg))
    arc = distance_m / EARTH_M
    sin_lat = math.sin(lat) * math.cos(arc) + math.cos(lat) * math.sin(arc) * math.cos(azimuth)
    east = math.sin(azimuth) * math.sin(arc) * math.cos(lat)
    turned = lon + math.atan2(east, math.cos(arc) - math.sin(lat) * sin_lat)
    return (
        math.degrees(math.asin(max(-1.0, min(1.0, sin_lat)))),
        math.degrees(math.remainder(turned, 2 * math.pi)),
    )


def made(random: np.random.Generator) -> Made:
    lat, lon = REGIONS[random.integers(len(REGIONS))]
    lat, lon = moved(lat, lon, random.uniform(0, 360), abs(random.normal(0, 12_000)))
    size = random.uniform(50, 500) if random.random() < 0.9 else random.uniform(500, 3_000)
    if random.random() < 0.006:
        size = random.uniform(20_000, 400_000)
    uncertainty = 0.0 if random.random() < 0.5 else random.uniform(0, 60)
    danger = 0.0 if random.random() < 0.8 else random.uniform(0, 200)
    start = DAY + timedelta(seconds=int(random.integers(0, 86_400)))
    end = start + timedelta(seconds=int(random.integers(600, 7_200)))
    extent = size
    shape = random.integers(4)
    if shape == 0 or size > 200_000:
        footprint = Circle((lat, lon), size)
    elif shape == 3:
        azimuth = random.uniform(0, 360)
        points = [moved(lat, lon, azimuth + 180, size), (lat, lon)]
        points.append(moved(lat, lon, azimuth + random.uniform(-90, 90), size))
        times = (start, start + (end - start) / 3, end) if random.random() < 0.5 else ()
        footprint = Route(tuple(points), random.uniform(0, 300), times)
        extent += 150
    else:
        count = int(random.integers(3, 10))
        turns = (np.arange(count) + random.uniform(0, 0.7, count)) * 360 / count
        far = random.uniform(0.5, 1.0, count) * size
        shell = [moved(lat, lon, *pair) for pair in zip(turns, far, strict=True)]
        hole = ()
        if count >= 6 and random.random() < 0.3:
            hole = (tuple(moved(lat, lon, turn, size * 0.1) for turn in (0, 120, 240)),)
        footprint = Polygon(tuple(shell), hole)
    # Across references, boxes round a pole or a country take the geoid of half the world.
    mixed = random.random() < 0.15 and size < 3_000 and abs(lat) < 80
    reference = list(AltitudeReference)[random.integers(4) if mixed else 0]
    low = float(random.integers(0, 240))
    band = AltitudeBand(Height(low, reference), Height(low + 60, reference))
    if random.random() < 0.1:
        band = AltitudeBand(None, band.upper) if random.random() < 0.5 else AltitudeBand()
    lasting = random.random() < 0.04
    return Made(
        Volume4D(
            footprint=footprint,
            band=band,
            start=None if lasting else start,
            end=None if lasting else end,
            uncertainty_m=uncertainty,
            danger_radius_m=danger,
        ),
        lat,
        lon,
        extent + uncertainty + danger,
    )


def near_pairs(many: list[Made]) -> list[tuple[int, int]]:
    """All pairs that caps and windows don't rule out; the sphere is off by at most 0.56 %."""
    lat = np.radians([m.lat_deg for m in many])
    lon = np.radians([m.lon_deg for m in many])
    extent = np.array([m.extent_m for m in many])
    begin = np.array(
        [-math.inf if m.volume.start is None else _seconds(m.volume.start) for m in many]
    )
    end = np.array([math.inf if m.volume.end is None else _seconds(m.volume.end) for m in many])
    pairs = []
    for i in range(len(many)):
        rest = slice(i + 1, None)
        half = np.sin((lat[rest] - lat[i]) / 2) ** 2
        half += np.cos(lat[i]) * np.cos(lat[rest]) * np.sin((lon[rest] - lon[i]) / 2) ** 2
        apart = 2 * EARTH_M * np.arcsin(np.sqrt(np.minimum(half, 1)))
        close = apart * 0.99 <= (extent[i] + extent[rest]) * 1.02 + 1
        close &= (begin[rest] <= end[i]) & (end[rest] >= begin[i])
        pairs += [(i, int(j) + i + 1) for j in np.flatnonzero(close)]
    return pairs


def _seconds(time: datetime) -> float:
    return (time - DAY).total_seconds()


@pytest.fixture(scope="module")
def many() -> list[Made]:
    random = np.random.default_rng(20170209)
    return [made(random) for _ in range(COUNT)]


@pytest.fixture(scope="module")
def brute(many) -> set[tuple[int, int]]:
    return {(i, j) for i, j in near_pairs(many) if meets(many[i].volume, many[j].volume)}


@pytest.mark.slow
def test_the_sweep_finds_the_pairs_that_brute_force_finds(many, brute) -> None:
    pairs = sweep([m.volume for m in many])
    assert len(brute) > COUNT / 4
    assert {tuple(pair) for pair in pairs.tolist()} == brute


@pytest.mark.slow
def test_the_index_finds_the_pairs_that_brute_force_finds(many, brute) -> None:
    half = COUNT // 2
    index = Index(range(half), [m.volume for m in many[:half]])
    found = set()
    for number, one in enumerate(many):
        if number >= half:
            met = index.query(one.volume)
            assert set(met) <= set(index.candidates(one.volume))
            found |= {(other, number) for other in met}
            index.insert(number, one.volume)
    assert found == {pair for pair in brute if pair[1] >= half}


@pytest.mark.slow
def test_plans_are_swept_against_others_but_not_others_among_themselves(many, brute) -> None:
    plans = np.arange(COUNT) % 5 == 0
    pairs = sweep([m.volume for m in many], plans=plans)
    assert {tuple(pair) for pair in pairs.tolist()} == {
        (i, j) for i, j in brute if plans[i] or plans[j]
    }


@pytest.mark.slow
def test_circles_meet_where_geographiclib_says_that_their_middles_are_near(many) -> None:
    circles = [
        Volume4D(footprint=Circle((m.lat_deg, m.lon_deg), m.extent_m / 2)) for m in many[:3000:2]
    ]
    found = {tuple(pair) for pair in sweep(circles).tolist()}
    tried = 0
    for i, a in enumerate(circles):
        for j in range(i + 1, min(i + 12, len(circles))):
            b = circles[j]
            line = Geodesic.WGS84.Inverse(*a.footprint.center, *b.footprint.center)
            gap = line["s12"] - a.footprint.radius_m - b.footprint.radius_m
            if abs(gap) > 0.01:
                assert ((i, j) in found) == (gap < 0), (i, j, gap)
                tried += 1
    assert tried > 15_000

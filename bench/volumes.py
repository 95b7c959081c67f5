"""Made-up volumes for the benchmarks: drone flights over cities and the land between.

Half are polygons of 4 to 12 vertices and half circles; radius 50 to 500 m, 10 to 30 minutes
within 24 hours, bands of 60 m below 600 m; 70 % in cities (400 for a million volumes) and the
others all over the world's inhabited latitudes. City radius and number go with the count so
that the density, and with it the number of conflicts a volume, stays the same.
"""

from __future__ import annotations

import math

import numpy as np

from deconflict.geo.packed.table import VolumeTable

VOLUMES_A_CITY = 1750
SPREAD_M = 480.0
"""Standard deviation of the distance from a city's middle, in each direction: gives about one
conflict a volume."""
DAY_US = 86_400_000_000
FIRST_US = 1_795_305_600_000_000
"""22 November 2026, 00:00 UTC."""
EARTH_M = 6_371_000.0


def arrays(count: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Return the arguments of `VolumeTable.of_arrays` for that many volumes."""
    random = np.random.default_rng(seed)
    cities = max(1, round(count * 0.7 / VOLUMES_A_CITY))
    wide_deg = 360.0 * min(1.0, count / 1_000_000)

    def anywhere(size: int) -> tuple[np.ndarray, np.ndarray]:
        low, high = math.sin(math.radians(-55)), math.sin(math.radians(70))
        return (
            np.degrees(np.arcsin(random.uniform(low, high, size))),
            random.uniform(-180.0, -180.0 + wide_deg, size),
        )

    city_lat, city_lon = anywhere(cities)
    lat, lon = anywhere(count)
    city = random.integers(0, cities, count)
    urban = random.random(count) < 0.7
    north, east = random.normal(0.0, SPREAD_M, (2, count))
    lat_in = city_lat[city] + np.degrees(north / EARTH_M)
    lon_in = city_lon[city] + np.degrees(east / EARTH_M / np.cos(np.radians(city_lat[city])))
    lat, lon = np.where(urban, lat_in, lat), np.where(urban, lon_in, lon)

    radius = random.uniform(50.0, 500.0, count)
    corners = random.integers(4, 13, count)
    corners[::2] = 1
    first = np.concatenate([[0], np.cumsum(corners)])
    center = np.repeat(np.arange(count), corners)
    step = np.arange(first[-1]) - np.repeat(first[:-1], corners)
    turn = 2 * np.pi * (step + random.uniform(0.0, 0.8, len(step))) / np.repeat(corners, corners)
    length = radius[center] * random.uniform(0.6, 1.0, len(step))
    length[np.repeat(corners == 1, corners)] = 0.0
    lat_v = lat[center] + np.degrees(length * np.cos(turn) / EARTH_M)
    across = np.cos(np.radians(lat[center]))
    lon_v = lon[center] + np.degrees(length * np.sin(turn) / EARTH_M / across)
    lon_v = (lon_v + 180.0) % 360.0 - 180.0

    begin = FIRST_US + random.integers(0, DAY_US - 1_800_000_000, count)
    end = begin + random.integers(600_000_000, 1_800_000_000, count)
    low = random.uniform(0.0, 540.0, count).round()
    return {
        "lat_deg": lat_v,
        "lon_deg": lon_v,
        "first": first.astype(np.int64),
        "radius_m": np.where(corners == 1, radius, 0.0),
        "time_us": np.stack([begin, end], axis=1),
        "height_m": np.stack([low, low + 60.0], axis=1),
    }


def table(count: int, seed: int = 1) -> VolumeTable:
    """Return that many volumes, packed."""
    return VolumeTable.of_arrays(**arrays(count, seed))

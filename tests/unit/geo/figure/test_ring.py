"""Rings that are accepted in degrees bound regions on the ellipsoid too."""

from __future__ import annotations

import math
import random
import tracemalloc

import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.errors import InputError
from deconflict.geo.figure import ring

WGS84 = Geodesic.WGS84


def star(rng, lat_deg, lon_deg, radius_m, count, *, ragged):
    """Return vertices round a place, by geodesics; ragged ones may turn back."""
    azimuths = sorted(rng.uniform(0.0, 360.0) for _ in range(count))
    if ragged:
        rng.shuffle(azimuths)
    points = []
    for azimuth in azimuths:
        there = WGS84.Direct(lat_deg, lon_deg, azimuth, radius_m * rng.uniform(0.3, 1.0))
        points.append((there["lat2"], there["lon2"]))
    return points


def crosses(points):
    """Tell whether two edges cross, on a map about the first vertex, by distance and azimuth."""
    flat = []
    for lat_deg, lon_deg in points:
        line = WGS84.Inverse(*points[0], lat_deg, lon_deg)
        azimuth = math.radians(line["azi1"])
        flat.append((line["s12"] * math.sin(azimuth), line["s12"] * math.cos(azimuth)))

    def side(a, b, c):
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    edges = [(flat[i - 1], flat[i]) for i in range(len(flat))]
    for i, (a, b) in enumerate(edges):
        for c, d in edges[i + 2 : len(edges) - (i == 0)]:
            if side(a, b, c) * side(a, b, d) < 0.0 and side(c, d, a) * side(c, d, b) < 0.0:
                return True
    return False


@pytest.mark.parametrize("ragged", [False, True])
def test_a_small_ring_that_is_seen_whole_in_degrees_does_not_cross_itself(ragged):
    rng = random.Random(17)
    accepted = refused = 0
    for _ in range(400):
        points = star(
            rng,
            rng.uniform(-79.9, 79.9),
            rng.uniform(-180.0, 180.0),
            10.0 ** rng.uniform(-1.0, 3.1),
            rng.randint(3, 7),
            ragged=ragged,
        )
        if ring._small_seen_whole(points):
            accepted += 1
            assert not crosses(points)
            assert ring._seen_whole(points)
        elif crosses(points):
            refused += 1
            with pytest.raises(InputError):
                ring.check_ring(points)
    assert accepted > 20
    assert refused > (50 if ragged else -1)


@pytest.mark.parametrize(
    "points",
    [
        [(36.0, 37.0), (36.0, 37.01)],
        [(36.0, 37.0), (36.01, 37.0), (36.01, 37.01), (36.01, 37.01)],
        [(36.0, 37.0), (36.01, 37.01), (36.01, 37.0), (36.0, 37.01)],
        [(36.0, 37.0), (36.005, 37.0), (36.01, 37.0)],
        [(36.0, 37.0), (36.0, 37.0), (36.0, 37.0)],
    ],
)
def test_a_small_ring_that_bounds_no_region_is_refused(points):
    with pytest.raises(InputError):
        ring.check_ring(points)


@pytest.mark.parametrize(
    "points",
    [
        [(36.0, 37.0), (36.0, 37.03), (36.01, 37.01)],
        [(36.0, 37.0), (36.0, 37.01), (36.03, 37.005)],
        [(81.0, 37.0), (81.0, 37.01), (81.01, 37.005)],
        [(36.0, 179.999), (36.0, -179.999), (36.01, 180.0)],
        [(36.0, 37.0), (36.0, 37.00000001), (36.00000001, 37.0)],
        [(36.0, 37.0), (36.0, 37.01), (36.00000001, 37.005)],
    ],
)
def test_a_ring_that_is_wide_thin_tiny_or_near_a_pole_is_judged_with_more_care(points):
    assert not ring._small_seen_whole(points)
    ring.check_ring(points)


def test_a_ring_of_which_all_edges_cross_is_refused_without_listing_the_pairs():
    # 10,000 edges to and fro between two parallels have some 50 million crossings.
    count = 10_000
    points = [(47.0 + i % 2 * 0.1, 8.0 + i * 7919 % count * 1e-5) for i in range(count)]
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="crosses or touches"):
            ring.check_ring(points)
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()

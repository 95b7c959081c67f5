"""Areas of rings, against GeographicLib's own Python port."""

import random

import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.figure.area import ring_area_m2, ring_exceeds


def oracle_m2(points):
    polygon = Geodesic.WGS84.Polygon()
    for lat, lon in points:
        polygon.AddPoint(lat, lon)
    _, _, area = polygon.Compute()
    return abs(area)


def ring(lat, lon, size_m, corners, rng):
    azimuths = sorted(rng.uniform(0.0, 360.0) for _ in range(corners))
    line = Geodesic.WGS84
    places = (line.Direct(lat, lon, a, size_m * rng.uniform(0.5, 1.0)) for a in azimuths)
    return tuple((place["lat2"], place["lon2"]) for place in places)


RINGS = [
    pytest.param(
        ring(lat, lon, size_m, corners, random.Random(f"{lat} {lon} {size_m} {corners}")),
        id=f"{lat},{lon},{size_m},{corners}",
    )
    for lat in (-89.9, -45.0, 0.0, 47.0, 60.0, 84.0, 89.95)
    for lon in (8.0, 179.99)
    for size_m in (100.0, 20_000.0, 60_000.0, 500_000.0)
    for corners in (3, 8)
]


@pytest.mark.parametrize("points", RINGS)
def test_an_area_is_that_of_geographiclib(points):
    assert ring_area_m2(points) == pytest.approx(oracle_m2(points), rel=1e-6, abs=1.0)


@pytest.mark.parametrize("points", RINGS)
@pytest.mark.parametrize("share", [0.5, 0.999, 1.001, 2.0])
def test_a_ring_exceeds_a_limit_just_above_it(points, share):
    assert ring_exceeds(points, oracle_m2(points) * share) is (share < 1.0)


def test_a_sliver_along_a_parallel_is_not_taken_for_its_box():
    # Its box has 60 square kilometres; the geodesic along its foot bulges 0.19 degrees beyond it.
    points = ((60.0, 0.0), (60.0, 10.0), (60.001, 5.0))
    assert oracle_m2(points) > 2e9
    assert ring_exceeds(points, 2e9)


def test_either_winding_has_the_smaller_area():
    points = ((47.0, 8.0), (47.0, 8.1), (47.1, 8.1), (47.1, 8.0))
    assert ring_area_m2(points) == pytest.approx(ring_area_m2(points[::-1]))
    assert ring_area_m2(points) < 1e8

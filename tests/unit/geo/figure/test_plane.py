from __future__ import annotations

import math
import random
from itertools import pairwise

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.figure.geodesic import between, densified, foot
from deconflict.geo.figure.plane import Plane, distance_m, moved, to_ecef, to_lat_lon

WORLD = Geodesic.WGS84
PLACES = [(0.0, 0.0), (36.37, 37.515), (70.0, 180.0), (90.0, 0.0), (-89.999, -120.0), (-45.0, 90.0)]


def away(point, azimuth, metres):
    there = WORLD.Direct(*point, azimuth, metres)
    return (there["lat2"], there["lon2"])


def apart(a, b):
    return WORLD.Inverse(*a, *b, Geodesic.DISTANCE)["s12"]


@pytest.mark.parametrize("contact", PLACES)
def test_a_point_comes_back_from_the_plane_where_it_was(contact):
    plane = Plane(contact)
    for azimuth in range(0, 360, 30):
        point = away(contact, azimuth, 180_000.0)
        assert apart(plane.lat_lon(*plane.project(to_ecef(point))), point) < 1e-6
        assert apart(to_lat_lon(to_ecef(point)), point) < 1e-6


@pytest.mark.parametrize("contact", PLACES)
def test_distances_are_stretched_never_shortened_within_two_hundred_kilometres(contact):
    rng = random.Random(3)
    plane = Plane(contact)
    for _ in range(60):
        a = away(contact, rng.uniform(0, 360), rng.uniform(0, 200_000))
        b = away(contact, rng.uniform(0, 360), rng.uniform(0, 200_000))
        flat = math.dist(plane.project(to_ecef(a)), plane.project(to_ecef(b)))
        stretch = flat / apart(a, b)
        assert 1.0 - 1e-9 < stretch < 1.0 / math.cos(200_000 / 6_335_439) ** 2


@pytest.mark.parametrize("contact", PLACES)
def test_ten_kilometres_of_a_geodesic_are_straight_to_a_quarter_of_a_millimetre(contact):
    rng = random.Random(4)
    plane = Plane(contact)
    for _ in range(60):
        a = away(contact, rng.uniform(0, 360), rng.uniform(0, 190_000))
        azimuth = rng.uniform(0, 360)
        start, middle, end = (
            np.array(plane.project(to_ecef(away(a, azimuth, s)))) for s in (0.0, 5_000.0, 10_000.0)
        )
        along = (end - start) / np.linalg.norm(end - start)
        offset = middle - start
        assert abs(along[0] * offset[1] - along[1] * offset[0]) < 0.00025


def test_points_put_between_lie_on_the_geodesic_and_close_together():
    a, b = (60.0, 179.0), (60.5, -179.0)
    chain = densified([a, b], 10_000.0)
    assert chain[0] == a
    assert chain[-1] == b
    line = WORLD.InverseLine(*a, *b)
    for i, point in enumerate(chain):
        there = line.Position(line.s13 * i / (len(chain) - 1))
        assert apart(point, (there["lat2"], there["lon2"])) < 1e-6
    assert max(apart(p, q) for p, q in pairwise(chain)) <= 10_000.0


def test_an_east_west_edge_of_100_km_at_60_north_leaves_its_parallel_by_340_metres():
    other_end = (60.0, 24.0 + math.degrees(100_000.0 / 6_394_209.0 / math.cos(math.pi / 3)))
    north = max(point[0] for point in densified([(60.0, 24.0), other_end], 1_000.0))
    assert apart((60.0, 24.0), (north, 24.0)) == pytest.approx(340.0, abs=2.0)


def test_the_foot_of_a_perpendicular_is_square_to_the_line():
    rng = random.Random(6)
    for _ in range(30):
        start = (rng.uniform(-70, 70), rng.uniform(-180, 180))
        azimuth = rng.uniform(0, 360)
        end = away(start, azimuth, 60_000.0)
        on_line = away(start, azimuth, 30_000.0)
        heading = WORLD.Direct(*start, azimuth, 30_000.0)["azi2"]
        point = away(on_line, heading + 90.0, rng.uniform(1.0, 9_000_000.0))
        assert apart(foot(start, end, point), on_line) < 0.01


def test_beyond_the_ends_of_an_edge_the_foot_is_the_end():
    start, end = (50.0, 8.0), (50.0, 9.0)
    assert foot(start, end, (51.0, 3.0)) == start
    assert apart(foot(start, end, (50.0, 15.0)), end) < 1e-6


def test_moving_and_measuring_agree_with_geographiclib():
    here = (36.37, 37.515)
    there = moved(here, 200.0, 12_345.0)
    assert apart(there, away(here, 200.0, 12_345.0)) < 1e-6
    assert distance_m(here, there) == pytest.approx(12_345.0, abs=1e-6)
    assert apart(between(here, there, 345.0), away(here, 200.0, 345.0)) < 1e-6
    assert between(here, there, 20_000.0) == there

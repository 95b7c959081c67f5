"""Plan distances and overlaps against GeographicLib, over the world."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.separation import meets, separation
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D

WORLD = Geodesic.WGS84
CENTIMETRE = 0.01


def away(point, azimuth, metres):
    there = WORLD.Direct(*point, azimuth, metres)
    return (there["lat2"], there["lon2"])


def apart(a, b):
    return WORLD.Inverse(*a, *b, Geodesic.DISTANCE)["s12"]


def azimuth(a, b):
    return WORLD.Inverse(*a, *b, Geodesic.AZIMUTH)["azi1"]


def turn(to, since):
    return math.remainder(to - since, 360.0)


def nearest_on_edge(point, edge):
    """Least distance from a point to a geodesic edge, by halving: is the point ahead or behind?"""
    line = WORLD.InverseLine(*edge[0], *edge[1])
    low, high = 0.0, line.s13
    while high - low > 0.005:
        middle = (low + high) / 2
        here = line.Position(middle)
        toward = WORLD.Inverse(here["lat2"], here["lon2"], *point)["azi1"]
        if abs(turn(toward, here["azi2"])) < 90:
            low = middle
        else:
            high = middle
    here = line.Position((low + high) / 2)
    return min(apart(point, (here["lat2"], here["lon2"])), *(apart(point, end) for end in edge))


def distance_by_search(a, b):
    """Least distance of two lists of edges that don't cross: from an end of one to the other."""
    jobs = []
    for edges, others in ((a, b), (b, a)):
        for point in {end for edge in edges for end in edge}:
            for edge in others:
                length = apart(*edge)
                ends = apart(point, edge[0]), apart(point, edge[1])
                jobs.append(((sum(ends) - length) / 2, min(ends), point, edge))
    best = min(job[1] for job in jobs)
    for least, _, point, edge in sorted(jobs):
        if least < best:
            best = min(best, nearest_on_edge(point, edge))
    return best


def holds(ring, point):
    """Whether a ring goes round a point: the azimuths of its vertices, seen from there."""
    seen = [azimuth(point, vertex) for vertex in (*ring, ring[0])]
    return abs(sum(turn(b, a) for a, b in pairwise(seen))) > 180


def cross(edge, other):
    def sides(edge, other):
        ahead = azimuth(*edge)
        return [turn(azimuth(edge[0], end), ahead) for end in other]

    first, second = sides(edge, other), sides(other, edge)
    return first[0] * first[1] < 0 and second[0] * second[1] < 0


def edges_of(footprint):
    if isinstance(footprint, Circle):
        return [(footprint.center, footprint.center)]
    if isinstance(footprint, Route):
        return list(pairwise(footprint.points))
    return list(pairwise((*footprint.shell, footprint.shell[0])))


def oracle(a, b):
    """Distance of the skeletons; 0 where they overlap."""
    first, second = edges_of(a), edges_of(b)
    if isinstance(a, Polygon) and holds(a.shell, second[0][0]):
        return 0.0
    if isinstance(b, Polygon) and holds(b.shell, first[0][0]):
        return 0.0
    if any(cross(x, y) for x in first for y in second if x[0] != x[1] and y[0] != y[1]):
        return 0.0
    return distance_by_search(first, second)


def star(rng, center, radius_m, count):
    return tuple(
        away(center, (i + rng.uniform(0.1, 0.9)) * 360 / count, radius_m * rng.uniform(0.4, 1))
        for i in range(count)
    )


def footprint(rng, center, size_m):
    kind = rng.randrange(5)
    if kind == 0:
        return Circle(center, rng.choice((0.0, rng.uniform(1, size_m / 2))))
    if kind == 1:
        points = [away(center, rng.uniform(0, 360), size_m / 2)]
        for _ in range(rng.randint(1, 3)):
            points.append(away(points[-1], rng.uniform(0, 360), size_m * rng.uniform(0.1, 0.4)))
        return Route(tuple(points), rng.uniform(0, size_m / 50))
    return Polygon(star(rng, center, size_m / 2, rng.randint(3, 9)))


def reach(shape):
    if isinstance(shape, Circle):
        return shape.radius_m
    return shape.width_m / 2 if isinstance(shape, Route) else 0.0


PLACES = {
    "Syria": (36.37, 37.515),
    "seam": (12.0, 180.0),
    "seam far north": (70.3, -179.99),
    "north pole": (89.99, 20.0),
    "south pole": (-90.0, 0.0),
    "equator": (0.01, -77.0),
    "60 N": (60.0, 24.0),
    "southern": (-41.0, 174.0),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size_m", [200.0, 10_000.0, 100_000.0])
def test_plan_distance_is_that_of_geographiclib_to_a_centimetre(place, size_m):
    rng = random.Random(f"{place} {size_m}")
    checked = 0
    while checked < 6:
        a = footprint(rng, PLACES[place], size_m)
        center = away(PLACES[place], rng.uniform(0, 360), size_m * rng.uniform(0.3, 3))
        b = footprint(rng, center, size_m * rng.choice((1.0, 0.1)))
        first, second = Volume4D(footprint=a), Volume4D(footprint=b, uncertainty_m=3.0)
        expected = oracle(a, b)
        found = separation(first, second)
        grown = expected - reach(a) - reach(b) - 3.0
        assert found.meets == (grown <= 0) == meets(first, second) == meets(second, first)
        if grown > 0:
            assert found.plan_m == pytest.approx(grown, abs=CENTIMETRE)
            between = apart(found.nearest_a, found.nearest_b)
            assert between == pytest.approx(grown, abs=CENTIMETRE)
            back = separation(second, first)
            assert back.plan_m == pytest.approx(found.plan_m, abs=CENTIMETRE)
        checked += 1


@pytest.mark.parametrize("distance_m", [300_000.0, 2_000_000.0, 9_000_000.0, 17_000_000.0])
def test_far_apart_volumes_are_measured_as_exactly(distance_m):
    rng = random.Random(int(distance_m))
    for _ in range(4):
        start = (rng.uniform(-80, 80), rng.uniform(-180, 180))
        a = footprint(rng, start, 100_000.0)
        b = footprint(rng, away(start, rng.uniform(0, 360), distance_m), 30_000.0)
        expected = oracle(a, b) - reach(a) - reach(b)
        found = separation(Volume4D(footprint=a), Volume4D(footprint=b))
        assert found.plan_m == pytest.approx(expected, abs=CENTIMETRE)


def test_a_region_of_thousands_of_kilometres_is_measured_as_exactly():
    rng = random.Random(5)
    for _ in range(6):
        center = (rng.uniform(-60, 89), rng.uniform(-180, 180))
        a = Polygon(star(rng, center, 2_500_000.0, 7))
        place = away(center, rng.uniform(0, 360), rng.uniform(1_000_000, 3_500_000))
        b = footprint(rng, place, 5_000.0)
        expected = oracle(a, b) - reach(b)
        found = separation(Volume4D(footprint=a), Volume4D(footprint=b))
        assert found.meets == (expected <= 0)
        if expected > 0:
            assert found.plan_m == pytest.approx(expected, abs=CENTIMETRE)


def turned(shape, degrees):
    def shift(points):
        return tuple((lat, math.remainder(lon + degrees, 360)) for lat, lon in points)

    if isinstance(shape, Circle):
        return Circle(shift([shape.center])[0], shape.radius_m)
    if isinstance(shape, Route):
        return Route(shift(shape.points), shape.width_m)
    return Polygon(shift(shape.shell))


def test_turning_the_earth_under_two_volumes_changes_nothing():
    rng = random.Random(17)
    for _ in range(60):
        center = (rng.choice((0.0, 70.0, 89.9, -89.99, 45.0)), rng.uniform(-180, 180))
        a = footprint(rng, center, 50_000.0)
        b = footprint(rng, away(center, rng.uniform(0, 360), 40_000.0), 50_000.0)
        here = separation(Volume4D(footprint=a), Volume4D(footprint=b))
        degrees = 180.0 - center[1] + rng.uniform(-0.1, 0.1)
        there = separation(
            Volume4D(footprint=turned(a, degrees)), Volume4D(footprint=turned(b, degrees))
        )
        assert there.meets == here.meets
        assert there.plan_m == pytest.approx(here.plan_m, abs=CENTIMETRE, rel=2e-3)

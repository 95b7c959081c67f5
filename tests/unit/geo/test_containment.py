from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from geographiclib.geodesic import Geodesic

from deconflict.geo.containment import containment, contains
from deconflict.geo.height import AltitudeBand, AltitudeReference, Height, read_height
from deconflict.geo.volume import Circle, Polygon, Route, Volume4D

WORLD = Geodesic.WGS84
HERE = (36.37, 37.515)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MSL, AGL, FL, W84 = (
    AltitudeReference.MSL,
    AltitudeReference.AGL,
    AltitudeReference.FL,
    AltitudeReference.W84,
)


def away(point, azimuth, metres):
    there = WORLD.Direct(*point, azimuth, metres)
    return (there["lat2"], there["lon2"])


def apart(a, b):
    return WORLD.Inverse(*a, *b, Geodesic.DISTANCE)["s12"]


def square(center, half_m):
    return Polygon(tuple(away(center, a, half_m * math.sqrt(2)) for a in (45, 135, 225, 315)))


def volume(footprint, **more):
    return Volume4D(footprint=footprint, **more)


def plan_m(entity, container, **more):
    return containment(volume(entity, **more), volume(container)).plan_m


REGION = square(HERE, 1000.0)
WITH_HOLE = Polygon(REGION.shell, (square(HERE, 200.0).shell,))
CORRIDOR = Route((away(HERE, 270, 50_000), HERE, away(HERE, 0, 50_000)), 1000.0)


@pytest.mark.parametrize(
    ("entity", "container", "out_m"),
    [
        (Circle(HERE, 0.0), REGION, -1000.0),
        (Circle(HERE, 999.0), REGION, -1.0),
        (Circle(HERE, 1001.0), REGION, 1.0),
        (Circle(away(HERE, 90, 1300.0), 20.0), REGION, 320.0),
        (square(HERE, 400.0), REGION, -600.0),
        (square(HERE, 1300.0), REGION, 300.0 * math.sqrt(2)),
        (Route((HERE, away(HERE, 0, 700.0)), 100.0), REGION, -250.0),
        (Route((HERE, away(HERE, 0, 1200.0)), 100.0), REGION, 250.0),
        (Circle(away(HERE, 0, 300.0), 40.0), WITH_HOLE, -60.0),
        (Circle(HERE, 10.0), WITH_HOLE, 210.0),
        (square(HERE, 400.0), WITH_HOLE, 200.0),
        (Route((away(HERE, 270, 500), away(HERE, 90, 500)), 0.0), WITH_HOLE, 200.0),
        (Circle(away(HERE, 0, 300.0), 100.0), Circle(HERE, 500.0), -100.0),
        (Circle(away(HERE, 0, 300.0), 300.0), Circle(HERE, 500.0), 100.0),
        (square(HERE, 300.0), Circle(HERE, 500.0), 300 * math.sqrt(2) - 500),
        (Route((HERE, away(HERE, 0, 700.0)), 100.0), Circle(HERE, 500.0), 250.0),
        (Circle(away(HERE, 0, 9000.0), 100.0), CORRIDOR, -400.0),
        (Circle(away(HERE, 180, 450.0), 100.0), CORRIDOR, 50.0),
        (Route(CORRIDOR.points, 400.0), CORRIDOR, -300.0),
        (Route((away(HERE, 270, 900.0), away(HERE, 0, 900.0)), 0.0), CORRIDOR, -50.0),
        (square(away(HERE, 0, 20_000.0), 300.0), CORRIDOR, -200.0),
        (square(HERE, 400.0), CORRIDOR, 400 * math.sqrt(2) - 500),
        (square(HERE, 300.0), CORRIDOR, 300 * math.sqrt(2) - 500),
    ],
)
def test_it_says_by_how_much_something_sticks_out_or_is_within(entity, container, out_m):
    found = containment(volume(entity), volume(container))
    assert found.plan_m == pytest.approx(out_m, abs=0.05, rel=0.002)
    assert found.inside == (out_m <= 0.0)


def test_the_entity_grows_and_the_container_shrinks():
    entity = volume(Circle(HERE, 100.0), uncertainty_m=20.0, danger_radius_m=300.0)
    for container, room_m in (
        (REGION, 1000.0),
        (Circle(HERE, 700.0), 700.0),
        (Route((away(HERE, 90, 9000), away(HERE, 270, 9000)), 1200.0), 600.0),
    ):
        found = containment(entity, volume(container, uncertainty_m=50.0))
        assert found.plan_m == pytest.approx(100 + 20 + 300 + 50 - room_m, abs=0.01)


@pytest.mark.parametrize("out_m", [-0.01, 0.0, 0.01])
@pytest.mark.parametrize("azimuth", [0.0, 90.0, 200.0])
def test_the_border_belongs_to_a_circle_and_a_corridor_to_the_centimetre(azimuth, out_m):
    circle = Circle(away(HERE, azimuth, 40_000.0 + out_m), 10_000.0)
    assert containment(volume(circle), volume(Circle(HERE, 50_000.0))).inside == (out_m <= 0)
    straight = Route((away(HERE, azimuth + 90, 9000), away(HERE, azimuth - 90, 9000)), 1000.0)
    point = volume(Circle(away(HERE, azimuth, 500.0 + out_m), 0.0))
    assert containment(point, volume(straight)).inside == (out_m <= 0)


def test_the_border_belongs_to_a_polygon():
    assert containment(volume(REGION), volume(REGION)).inside
    long_edge = Polygon((away(HERE, 270, 50_000), away(HERE, 90, 50_000), away(HERE, 180, 30_000)))
    on_the_edge = Polygon((away(HERE, 270, 7000), away(HERE, 90, 31_000), away(HERE, 180, 900)))
    assert containment(volume(on_the_edge), volume(long_edge)).inside
    assert containment(volume(Circle(HERE, 0.0)), volume(long_edge)).inside
    assert containment(volume(Circle(away(HERE, 180, 900.0), 900.0)), volume(long_edge)).inside
    assert not containment(volume(Circle(away(HERE, 180, 900.0), 900.01)), volume(long_edge)).inside
    assert not containment(volume(Circle(away(HERE, 0, 0.01), 0.0)), volume(long_edge)).inside
    assert not containment(volume(on_the_edge, uncertainty_m=0.01), volume(long_edge)).inside


def test_a_narrow_bay_in_the_container_is_seen_though_no_vertex_is_out():
    bay = Polygon(
        (
            *REGION.shell,
            away(away(HERE, 0, 1000.0), 270, 1.0),
            away(HERE, 0, 500.0),
            away(away(HERE, 0, 1000.0), 90, 1.0),
        )
    )
    entity = square(HERE, 900.0)
    found = containment(volume(entity), volume(bay))
    assert not found.inside
    assert found.plan_m == pytest.approx(0.8, rel=0.1)
    assert apart(found.where, away(HERE, 0, 900.0)) < 200.0


def test_a_region_round_a_loop_of_a_corridor_sticks_out_amid_the_loop():
    loop = tuple(away(HERE, azimuth, 2000.0) for azimuth in (0, 60, 120, 180, 240, 300, 359))
    found = containment(volume(square(HERE, 1200.0)), volume(Route(loop, 1000.0)))
    assert not found.inside
    assert apart(found.where, HERE) < 30.0
    assert found.plan_m == pytest.approx(2000 * math.cos(math.pi / 6) - 500, rel=0.01)


def test_a_route_that_leaves_a_corridor_between_its_vertices_sticks_out():
    bend = Route((away(HERE, 270, 5000), HERE, away(HERE, 0, 5000)), 1000.0)
    short_cut = Route((away(HERE, 270, 3000), away(HERE, 0, 3000)), 0.0)
    found = containment(volume(short_cut), volume(bend))
    assert found.plan_m == pytest.approx(3000 / math.sqrt(2) * math.sqrt(2) / 2 - 500, abs=2.0)
    assert apart(found.where, away(HERE, 315, 1500 * math.sqrt(2))) < 5.0


@pytest.mark.parametrize("place", [(36.37, 37.515), (12.0, 180.0), (89.95, 0.0), (-70.0, -60.0)])
def test_inside_and_outside_agree_with_geographiclib_over_the_world(place):
    rng = random.Random(f"{place}")
    shell = tuple(
        away(place, (i + rng.uniform(0.1, 0.9)) * 51.4, rng.uniform(20_000, 50_000))
        for i in range(7)
    )
    region = volume(Polygon(shell))
    for _ in range(25):
        point = away(place, rng.uniform(0, 360), rng.uniform(0, 60_000))
        seen = [WORLD.Inverse(*point, *vertex)["azi1"] for vertex in (*shell, shell[0])]
        turned = sum(math.remainder(b - a, 360) for a, b in pairwise(seen))
        assert containment(volume(Circle(point, 0.0)), region).inside == (abs(turned) > 180)


def band(lower, upper, reference=W84, ground_m=None):
    return AltitudeBand(
        None if lower is None else Height(lower, reference),
        None if upper is None else Height(upper, reference),
        ground_m,
    )


@pytest.mark.parametrize(
    ("entity", "container", "inside"),
    [
        (band(10, 90), band(0, 100), True),
        (band(0, 100), band(0, 100), True),
        (band(-0.01, 100), band(0, 100), False),
        (band(0, 100.01), band(0, 100), False),
        (band(None, 100), band(0, 100), False),
        (band(0, None), band(0, 100), False),
        (band(0, None), band(0, None), True),
        (band(None, None), band(None, None), True),
        (band(5, 9, AGL), band(0, 120, AGL), True),
        (band(3048, 3658, FL), band(3048, 6096, FL), True),
        (band(3048, 3658, FL), band(3658, 6096, FL), False),
        # The sea lies 23 m above the ellipsoid at al-Bab.
        (band(10, 90, MSL), band(0, 130), True),
        (band(10, 90, MSL), band(0, 100), False),
        (band(40, 100), band(0, 100, MSL), True),
        (band(10, 100), band(0, 100, MSL), False),
        (band(0, 100, AGL), band(0, 10_000, MSL), False),
        (band(5, 100, AGL, 400.0), band(0, 10_000, MSL), True),
        (band(500, 600, MSL), band(0, 1000, AGL), False),
        (band(500, 600, MSL), band(0, 1000, AGL, 400.0), True),
        (band(500, 600, MSL), band(0, None, AGL), True),
        (band(500, 600, MSL), band(5, None, AGL), False),
        (band(3048, 3658, FL), band(1000, 9000, MSL), True),
        (band(3048, 3658, FL), band(3000, 9000, MSL), False),
    ],
)
def test_heights_are_inside_only_if_they_surely_are(entity, container, inside):
    circle = Circle(HERE, 1.0)
    found = containment(volume(circle, band=entity), volume(REGION, band=container))
    assert found.inside == inside
    assert (found.height_m <= 0.0) == inside
    if math.isinf(found.height_m) and found.height_m > 0 and None not in (
        entity.lower, entity.upper
    ):  # fmt: skip
        assert any("can't be compared" in sentence for sentence in found.assumed)


def test_a_danger_radius_needs_room_in_height_too():
    entity = volume(Circle(HERE, 1.0), band=band(50, 60), danger_radius_m=45.0)
    assert containment(entity, volume(REGION, band=band(0, 110))).height_m == pytest.approx(-5.0)
    assert containment(entity, volume(REGION, band=band(0, 100))).height_m == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("start", "end", "out_s"),
    [
        (0, 60, 0),
        (5, 50, -300),
        (-1, 60, 60),
        (0, 61, 60),
        (None, 60, math.inf),
        (0, None, math.inf),
    ],
)
def test_the_window_must_lie_in_the_window(start, end, out_s):
    entity = volume(
        Circle(HERE, 1.0),
        start=None if start is None else NOON + start * MINUTE,
        end=None if end is None else NOON + end * MINUTE,
    )
    container = volume(REGION, start=NOON, end=NOON + 60 * MINUTE)
    found = containment(entity, container)
    assert found.time_s == out_s
    assert found.inside == (out_s <= 0)
    assert containment(entity, volume(REGION)).time_s == -math.inf


def timed(*points, minutes, width_m=0.0):
    return Route(tuple(points), width_m, tuple(NOON + m * MINUTE for m in minutes))


def test_a_convoy_is_judged_leg_by_leg():
    convoy = volume(timed(HERE, away(HERE, 0, 900), away(HERE, 0, 1100), minutes=(0, 10, 20)))
    found = containment(convoy, volume(REGION, start=NOON, end=NOON + 30 * MINUTE))
    assert not found.inside
    assert found.plan_m == pytest.approx(100.0, abs=0.01)
    assert found.time_s == 0.0
    late = containment(convoy, volume(square(HERE, 1200.0), end=NOON + 15 * MINUTE))
    assert (late.plan_m < 0, late.time_s) == (True, 300.0)


def test_a_moving_container_holds_only_who_moves_with_it():
    escort = volume(
        timed(HERE, away(HERE, 0, 9000), away(HERE, 0, 18_000), minutes=(0, 10, 20), width_m=500.0)
    )
    with_it = volume(timed(HERE, away(HERE, 0, 9000), away(HERE, 0, 9100), minutes=(0, 10, 12)))
    assert containment(with_it, escort).inside
    too_early = volume(timed(HERE, away(HERE, 0, 9500), minutes=(0, 5)))
    found = containment(too_early, escort)
    assert found.plan_m == pytest.approx(250.0, abs=0.01)
    stays = volume(Circle(HERE, 1.0), start=NOON, end=NOON + 15 * MINUTE)
    assert not containment(stays, escort).inside
    assert containment(volume(Circle(HERE, 1.0), start=NOON, end=NOON), escort).inside
    assert containment(stays, escort).time_s == -0.0
    after = volume(Circle(HERE, 1.0), start=NOON, end=NOON + 25 * MINUTE)
    assert containment(after, escort).time_s == 300.0


def test_a_ceiling_in_feet_holds_the_same_height_in_metres() -> None:
    ceiling = Height(914.4, MSL)
    flown = read_height("3000 ft MSL")
    assert flown is not None
    assert flown.value_m > ceiling.value_m
    found = containment(
        volume(Circle(HERE, 10.0), band=AltitudeBand(Height(0.0, MSL), flown)),
        volume(Circle(HERE, 100.0), band=AltitudeBand(Height(0.0, MSL), ceiling)),
    )
    assert found.inside
    assert found.height_m == 0.0


NOTCHED = Polygon(
    (
        (-70.0, -80.0), (-70.0, 80.0), (0.0, 80.0), (60.0, 5.0),
        (-60.0, 4.0), (-60.0, -4.0), (60.0, -5.0), (0.0, -80.0),
    )
)  # fmt: skip


def test_a_route_across_a_bay_of_a_polygon_as_large_as_a_hemisphere_sticks_out() -> None:
    across = volume(Route(((10.0, -30.0), (10.0, 30.0)), 10.0))
    assert containment(across, volume(NOTCHED)).plan_m > 400_000.0
    beside = volume(Route(((-65.0, -30.0), (-65.0, 30.0)), 10.0))
    assert containment(beside, volume(NOTCHED)).inside


def test_a_short_route_across_a_sliver_of_such_a_polygon_sticks_out() -> None:
    sliver = Polygon(
        (
            (-70.0, -80.0), (-70.0, 80.0), (0.0, 80.0), (60.0, 0.01),
            (-60.0, 0.01), (-60.0, -0.01), (60.0, -0.01), (0.0, -80.0),
        )
    )  # fmt: skip
    over = volume(Route(((-20.0, -0.04), (-20.0, 0.04)), 10.0))
    assert not containment(over, volume(sliver)).inside
    beside = volume(Route(((-20.0, -0.04), (-20.0, -0.02)), 10.0))
    assert containment(beside, volume(sliver)).inside


@pytest.mark.parametrize("container", [REGION, WITH_HOLE, CORRIDOR, Circle(HERE, 1000.0)])
def test_contains_answers_as_containment_does(container):
    rng = random.Random(11)
    answers = set()
    for _ in range(400):
        there = away(HERE, rng.uniform(0, 360), rng.choice((0.0, 150.0, 500.0, 900.0, 1100.0)))
        size_m = rng.choice((0.0, 20.0, 100.0, 110.0, 480.0))
        footprint = Circle(there, size_m) if rng.random() < 0.5 else square(there, size_m + 1.0)
        entity = volume(
            footprint,
            band=AltitudeBand(Height(rng.choice((0.0, 20.0))), Height(100.0)),
            start=NOON + rng.choice((-1, 0, 1)) * MINUTE,
            end=NOON + 5 * MINUTE,
            uncertainty_m=rng.choice((0.0, 30.0)),
        )
        holder = volume(
            container,
            band=AltitudeBand(Height(10.0 * rng.randrange(-1, 1)), Height(100.0)),
            start=NOON,
            uncertainty_m=rng.choice((0.0, 5.0)),
        )
        inside = containment(entity, holder).inside
        answers.add(inside)
        assert contains(holder, entity) == inside
    assert answers == {True, False}


def test_what_fills_its_container_to_the_border_is_contained():
    for footprint in (REGION, WITH_HOLE, Circle(HERE, 50.0)):
        assert contains(volume(footprint), volume(footprint))
    assert contains(volume(REGION), volume(square(HERE, 999.9995)))
    assert not contains(volume(REGION), volume(square(HERE, 1000.01)))
